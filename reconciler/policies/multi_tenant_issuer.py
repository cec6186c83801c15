"""An issuer that speaks for more than one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.policies.rule import Rule
from reconciler.policies.values import written_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

_SHARED: Final = frozenset({"common", "organizations", "consumers"})


def _find(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        segments = [unquote(one).lower() for one in urlsplit(url).path.split("/")]
        shared = [one for one in segments if one in _SHARED or one.startswith("{tenant")]
        if name == "issuer" and shared:
            yield f"the issuer is for every tenant (/{shared[0]})"


RULE: Final = Rule(
    "multi-tenant-issuer",
    _find,
    "members of any other tenant could log in; and its metadata names another issuer, so log-ins will fail",
)
