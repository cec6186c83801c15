"""Labels that let a reviewer see from the list of pull requests which plans need more than a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.publishers.base import Forge

_KINDS: Final = ("destroys", "risks", "blocked")


def publish_labels(forge: Forge, plan: Plan, name: str) -> frozenset[str]:
    """Make the pull request bear the labels that the plan deserves, and none of the others; return them.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    deserved = risk_labels(plan, name)
    present = forge.labels()
    outdated = {_label(name, kind) for kind in _KINDS} - deserved
    if (deserved - present) or (outdated & present):
        forge.change_labels(add=deserved - present, remove=outdated & present)
    return deserved


def risk_labels(plan: Plan, name: str) -> frozenset[str]:
    """Return the labels for a plan: it destroys, is risky, or cannot be applied as it is."""
    deserved = (plan.summary.destroy > 0, bool(plan.risks), plan.has_errors)
    return frozenset(_label(name, kind) for kind, is_so in zip(_KINDS, deserved, strict=True) if is_so)


def _label(name: str, kind: str) -> str:
    return f"reconciler {name}: {kind}"
