"""An endpoint is on another site than its issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.core.connection import INFERRED_FIELDS
from reconciler.policies.rule import Rule
from reconciler.policies.urls import host, site
from reconciler.policies.values import url_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

_ONE_OWNER: Final = (
    frozenset({"microsoftonline.com", "microsoft.com", "windows.net", "microsoftonline.us", "microsoft.us"}),
    frozenset({"google.com", "googleapis.com"}),
)
"""Sites of identity providers whose own metadata spreads endpoints over several."""


def _find(change: Change) -> Iterator[str]:
    if not isinstance(change, Create | Update):
        return
    issuer = host(url_after(change, "issuer"))
    for name in INFERRED_FIELDS:
        endpoint = host(url_after(change, name))
        if issuer and endpoint and _touches(change, name) and not _is_one_site(issuer, endpoint):
            yield f"{name} is at {endpoint}, while the issuer is at {issuer}"


def _touches(change: Create | Update, name: str) -> bool:
    return isinstance(change, Create) or bool({name, "issuer"} & set(change.changed))


def _is_one_site(one: str, other: str) -> bool:
    sites = {site(one), site(other)}
    return len(sites) == 1 or any(sites <= owner for owner in _ONE_OWNER)


RULE: Final = Rule(
    "endpoint-off-site",
    _find,
    "an endpoint elsewhere can answer for the issuer: who holds it can log in as anybody, or collects codes "
    "and secrets",
)
