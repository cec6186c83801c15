"""Two connections → the fields in which the live one is not what is declared.

Most pairs are equal, so plain comparison comes first; DeepDiff, which costs a hundred times as
much, is asked only below an attribute that is known to differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.change import Action
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.secret import Secret, SecretReference

if TYPE_CHECKING:
    from reconciler.core.change import Value
    from reconciler.core.connection import OidcConnection

    Secrets = Mapping[SecretReference, Secret]


def changed_fields(declared: OidcConnection, live: OidcConnection, secrets: Secrets) -> tuple[str, ...]:
    """Name the declared fields that do not hold live.

    A secret that cannot be compared (see `uncomparable_fields`) is not among them.
    """
    return tuple(
        name for name in WRITABLE_FIELDS if not _holds(getattr(declared, name), getattr(live, name), secrets)
    )


def uncomparable_fields(declared: OidcConnection, live: OidcConnection, secrets: Secrets) -> tuple[str, ...]:
    """Name the declared fields of which the service shows a mask instead of the value."""
    if _is_comparable(live.client_secret):
        return ()
    wanted = declared.client_secret
    return ("client_secret",) if isinstance(wanted, SecretReference) and wanted in secrets else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChange:
    """One element of a list or mapping; ``before`` is None if it is new, ``after`` if it goes.

    A live mapping may hold null, so ``action`` tells whether it is there.
    """

    key: str
    action: Action
    before: object | None
    after: object | None


def element_changes(before: Value | None, after: Value | None) -> tuple[ElementChange, ...]:
    """Return which elements differ between two lists (taken as sets) or two mappings, by key."""
    old, new = _elements(before), _elements(after)
    keys = _differing_keys(old, new) if old and new else {*old, *new}
    return tuple(
        ElementChange(key=key, action=_element_action(key, old, new), before=old.get(key), after=new.get(key))
        for key in sorted(keys)
    )


def _element_action(key: str, old: dict[str, object], new: dict[str, object]) -> Action:
    if key not in old:
        return Action.CREATE
    return Action.UPDATE if key in new else Action.DELETE


def _differing_keys(old: dict[str, object], new: dict[str, object]) -> set[str]:
    """Name the keys below which anything differs.

    Two of DeepDiff's defaults are off: it would not look at keys that begin with two underscores,
    nor into two mappings that have little in common.
    """
    from deepdiff.diff import DeepDiff  # 163 ms to import, needed for few plans

    found = DeepDiff(old, new, view="tree", ignore_private_variables=False, threshold_to_diff_deeper=0)
    return {str(item.path(output_format="list")[0]) for group in found.values() for item in group}


def _holds(wanted: object, live: object, secrets: Secrets) -> bool:
    """Whether a declared value holds: it is undeclared, equal, or a reference whose secret is equal."""
    if wanted is None or wanted == live:
        return True
    if not isinstance(wanted, SecretReference):
        return False
    secret = secrets.get(wanted)
    return secret is None or not _is_comparable(live) or secret == live


def _is_comparable(live: object) -> bool:
    return isinstance(live, Secret) and not live.is_masked


def _elements(value: Value | None) -> dict[str, object]:
    if value is None or isinstance(value, str):
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    return {element: element for element in value}
