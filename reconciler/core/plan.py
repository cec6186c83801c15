"""The plan: what would be done, what is left alone, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Delete, Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic
    from reconciler.core.shard import Shard, Share
    from reconciler.core.state import Organization

MISSING_SHARDS: Final = "missing-shards"
"""The code of the finding that a plan was put together from some shards only."""


class Environment(StrEnum):
    """Stytch keeps the data of the two entirely apart."""

    TEST = "test"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan is for; a plan is never applied anywhere else.

    ``principal`` is the project_id, or the public_token in session mode; neither is secret.
    """

    base_url: str
    principal: str
    environment: Environment


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A live OIDC connection that nobody declares. It is shown, and left alone."""

    organization: str
    connection: OidcConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationPlan:
    """The plan of one organization; if it is refused, there is an error and no change.

    ``organization`` is None where it could not be read. ``managed`` counts live connections that
    are declared, or that `prune` makes ours.
    """

    reference: str
    organization: Organization | None = None
    changes: tuple[Change, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    managed: int = 0
    unchanged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing of this organization can be planned."""
        return any(found.is_error for found in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """The counts of a plan, of connections except for ``organizations`` and ``refused``."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    unchanged: int = 0
    unmanaged: int = 0
    managed: int = 0
    organizations: int = 0
    refused: int = 0
    warnings: int = 0

    def times(self, number: int) -> PlanSummary:
        """Return the counts of so many plans that are alike."""
        return PlanSummary(**{one.name: getattr(self, one.name) * number for one in fields(self)})

    def __add__(self, other: PlanSummary) -> PlanSummary:
        """Return the counts of both together."""
        names = (one.name for one in fields(self))
        return PlanSummary(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes in the order in which they are shown.

    ``diagnostics`` are findings about single organizations, ``blocks`` those that forbid to apply
    anything. ``risks`` are changes that deserve a second look; one of error severity forbids to
    apply too, until it is accepted. The plan never contains a secret, only references.

    With a ``share`` it speaks of the organizations of one shard only.
    """

    scope: Scope
    created_at: str
    changes: tuple[Change, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    blocks: tuple[Diagnostic, ...] = ()
    risks: tuple[Diagnostic, ...] = ()
    summary: PlanSummary = field(default_factory=PlanSummary)
    commit: str = ""
    secrets_compared: bool = True
    share: Share | None = None

    @property
    def shard(self) -> Shard | None:
        """The shard that this is the plan of, if it is not of everything."""
        return self.share.shard if self.share else None

    @property
    def has_changes(self) -> bool:
        """Whether applying would do anything."""
        return bool(self.changes)

    @property
    def is_complete(self) -> bool:
        """Whether every organization could be planned."""
        return self.summary.refused == 0 and not any(one.code == MISSING_SHARDS for one in self.blocks)

    @property
    def has_errors(self) -> bool:
        """Whether there is any error: something refused, or everything blocked."""
        return bool(self.refusals) or any(found.is_error for found in self.diagnostics)

    @property
    def can_apply(self) -> bool:
        """Whether there is something to apply and nothing forbids it."""
        return self.has_changes and not self.refusals

    @property
    def refusals(self) -> tuple[Diagnostic, ...]:
        """All that forbids to apply anything."""
        return (*self.blocks, *(risk for risk in self.risks if risk.is_error))

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """All that there is to say of the plan, what stands in the way first."""
        return (*self.blocks, *self.risks, *self.diagnostics)


def summarize(plan: OrganizationPlan) -> PlanSummary:
    """Count what one organization's plan holds; summaries add up."""
    return PlanSummary(
        add=sum(isinstance(change, Create) for change in plan.changes),
        change=sum(isinstance(change, Update) for change in plan.changes),
        destroy=sum(isinstance(change, Delete) for change in plan.changes),
        unchanged=plan.unchanged,
        unmanaged=len(plan.unmanaged),
        managed=plan.managed,
        organizations=1,
        refused=int(plan.is_refused),
        warnings=sum(not found.is_error for found in plan.diagnostics),
    )


def with_warnings(plan: Plan, found: Iterable[Diagnostic]) -> Plan:
    """Return the plan with what was found in the manifests that it was made from."""
    warnings = tuple(found)
    summary = replace(plan.summary, warnings=plan.summary.warnings + len(warnings))
    return replace(plan, diagnostics=(*warnings, *plan.diagnostics), summary=summary)
