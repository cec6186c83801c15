"""The host of a URL changes: another party than before decides who logs in, or sees what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Update
from reconciler.policies.rule import Rule
from reconciler.policies.urls import authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change


def host_change_rule(name: str, why: str) -> Rule:
    """Return the rule for one URL field."""

    def find(change: Change) -> Iterator[str]:
        if not isinstance(change, Update) or name not in change.changed:
            return
        before, after = authority(getattr(change.before, name)), authority(getattr(change.declared, name))
        if before and before != after:
            yield f"the host of {name} changes from {before} to {after}"

    return Rule(f"{name.replace('_', '-')}-host-change", find, why)
