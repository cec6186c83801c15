"""Gathers the approvals of a run: reads and checks their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.manifests.approvals import load_approvals
from reconciler.policies import Approvals, check_approvals, known_rules, undeclared_addresses

if TYPE_CHECKING:
    from datetime import date

    from reconciler.core.errors import Diagnostic
    from reconciler.manifests import Loaded, Project


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredApprovals:
    """The approvals of a run, and what is wrong with those that cannot be used."""

    approvals: Approvals = field(default_factory=Approvals)
    diagnostics: tuple[Diagnostic, ...] = ()


def gather_approvals(
    project: Project, today: date | None, manifests: Loaded | None = None
) -> GatheredApprovals:
    """Read and check all approvals; ``manifests``, if all are known, have to declare their addresses."""
    loaded = load_approvals(project)
    usable, errors = check_approvals(loaded.approvals, known_rules(), today)
    remarks: tuple[Diagnostic, ...] = ()
    if manifests is not None and not manifests.has_errors:
        declared = {str(connection.address) for connection in manifests.state.connections}
        remarks = undeclared_addresses(usable, declared)
    return GatheredApprovals(
        approvals=Approvals(approvals=usable, today=today),
        diagnostics=(*loaded.diagnostics, *errors, *remarks),
    )
