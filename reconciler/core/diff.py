"""Compares a declared connection with the live one.

The problem: the two have the same shape, but not the same meaning. A field that is not declared is
not managed, whatever its live value; a declared secret is a reference, while the live one is a
value, a mask, or nothing at all.

The rule: a field differs if it is declared and its live value is another one. A reference is compared
by the secret that it was resolved to; equal secrets are equal, even if they look like a mask. Where
that is impossible (the reference was not resolved, or the service hides the value) the field does not
differ; `uncomparable_fields` names it, so that the plan can warn and ``--rotate`` can send it.

Why DeepDiff comes second: nearly all fields are equal, so ``==`` decides first. DeepDiff, which
takes half a millisecond for a pair, is used only below an attribute that differs, to show which of
its elements do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdiff.diff import DeepDiff

from reconciler.core.change import Action
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.secret import SecretReference

if TYPE_CHECKING:
    from reconciler.core.change import Value
    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret

    Secrets = Mapping[SecretReference, Secret]


def changed_fields(declared: OidcConnection, live: OidcConnection, secrets: Secrets) -> tuple[str, ...]:
    """Name the declared fields whose live value differs; not those of `uncomparable_fields`."""
    return tuple(name for name in WRITABLE_FIELDS if not _is_equal(declared, live, name, secrets))


def uncomparable_fields(
    declared: OidcConnection, live: OidcConnection, secrets: Secrets, *, resolved: bool = True
) -> tuple[str, ...]:
    """Name the declared fields for which the service hides the value, or which the run did not resolve."""
    reference = declared.client_secret
    if not isinstance(reference, SecretReference):
        return ()
    is_hidden = live.hides_secret and secrets.get(reference, live.client_secret) != live.client_secret
    return ("client_secret",) if is_hidden or not resolved else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChange:
    """One element of a list or mapping; ``before`` is None if it is added, ``after`` if it is removed.

    A live mapping may hold null, so ``action`` tells whether the element exists.
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
        ElementChange(key=key, action=_action(key, old, new), before=old.get(key), after=new.get(key))
        for key in sorted(keys)
    )


def _is_equal(declared: OidcConnection, live: OidcConnection, name: str, secrets: Secrets) -> bool:
    """Whether a declared value holds: it is not declared, equal, or a reference to an equal secret."""
    value, live_value = getattr(declared, name), getattr(live, name)
    if value is None or value == live_value:
        return True
    if not isinstance(value, SecretReference):
        return False
    secret = secrets.get(value)
    return secret is None or secret == live_value or live.hides_secret


def _elements(value: Value | None) -> dict[str, object]:
    if value is None or isinstance(value, str):
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    return {element: element for element in value}


def _action(key: str, old: dict[str, object], new: dict[str, object]) -> Action:
    if key not in old:
        return Action.CREATE
    return Action.UPDATE if key in new else Action.DELETE


def _differing_keys(old: dict[str, object], new: dict[str, object]) -> set[str]:
    """Name the keys below which anything differs.

    Two defaults of DeepDiff are turned off: it ignores keys that begin with two underscores, and does
    not look into two mappings that have little in common.
    """
    differences = DeepDiff(old, new, view="tree", ignore_private_variables=False, threshold_to_diff_deeper=0)
    return {str(item.path(output_format="list")[0]) for group in differences.values() for item in group}
