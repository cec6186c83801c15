"""Labels a pull request whose plan deletes connections, has risks or is blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.publishers.forge import Forge

_KINDS: Final = ("destroys", "risks", "blocked")


def publish_labels(forge: Forge, plan: Plan, name: str) -> frozenset[str]:
    """Give the pull request the labels of its plan, and remove the others; return them.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    labels = risk_labels(plan, name)
    present = forge.labels()
    outdated = {_label(name, kind) for kind in _KINDS} - labels
    if (labels - present) or (outdated & present):
        forge.change_labels(add=labels - present, remove=outdated & present)
    return labels


def risk_labels(plan: Plan, name: str) -> frozenset[str]:
    """Return the labels for a plan: it destroys, is risky, or cannot be applied as it is."""
    applies = (plan.summary.destroy > 0, bool(plan.risks), plan.has_errors)
    return frozenset(
        _label(name, kind) for kind, is_applied in zip(_KINDS, applies, strict=True) if is_applied
    )


def _label(name: str, kind: str) -> str:
    return f"reconciler {name}: {kind}"
