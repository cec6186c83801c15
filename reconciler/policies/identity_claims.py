"""Which claims say who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Delete, Update
from reconciler.policies.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

_NEEDED: Final = ("openid", "email")
_DEFAULT: Final = ("openid", "email", "profile")
"""What an unset custom_scopes stands for (reference of the OIDC connection object)."""


def _mapping(change: Change) -> Iterator[str]:
    if isinstance(change, Update) and "attribute_mapping" in change.changed:
        yield "attribute_mapping changes"


def _scopes(change: Change) -> Iterator[str]:
    if isinstance(change, Delete) or not change.declared.custom_scopes:
        return
    if isinstance(change, Update) and "custom_scopes" not in change.changed:
        return
    before = (change.before.custom_scopes if isinstance(change, Update) else ()) or _DEFAULT
    dropped = [one for one in _NEEDED if one in before and one not in change.declared.custom_scopes]
    if dropped:
        yield f"custom_scopes no longer asks for {' and '.join(dropped)}"


MAPPING: Final = Rule(
    "attribute-mapping-change",
    _mapping,
    "the mapping decides which claims become a member's attributes, roles among them",
)
SCOPES: Final = Rule(
    "scopes-dropped",
    _scopes,
    "without openid there is no ID token, without email nobody can be matched to a member",
)
