"""Where a saved plan comes from, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from reconciler.core.plan import Plan


def render_origin(plan: Plan) -> str:
    """Return when the plan was made, from which commit, and for which project."""
    commit = f"commit {plan.commit}" if plan.commit else "no commit"
    return visible(f"Planned at {plan.created_at} from {commit}, for {plan.scope.principal}.") + "\n"
