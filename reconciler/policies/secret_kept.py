"""The secret stays while the host that it is sent to changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Update, unknown_after
from reconciler.policies.rule import Rule
from reconciler.policies.urls import authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change


def _find(change: Change) -> Iterator[str]:
    if not isinstance(change, Update) or "client_secret" in change.changed:
        return
    decides = "issuer" if "token_url" in unknown_after(change) else "token_url"
    before, after = authority(getattr(change.before, decides)), authority(getattr(change.declared, decides))
    if decides in change.changed and before and before != after:
        yield f"the client_secret of {before} will be sent to {after}"


RULE: Final = Rule(
    "secret-kept",
    _find,
    "a secret that belongs to the old host is told to the new one; rotate it with the move",
)
