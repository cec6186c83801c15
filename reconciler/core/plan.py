"""The plan: what would change, what is left alone, and what blocks it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, DefaultChange, Delete, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.address import Address
    from reconciler.core.approval import ApprovalUse
    from reconciler.core.change import Change, Value
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.run_selection import MergeInfo, Shard
    from reconciler.core.state import Organization

SIGN_IN_FIELDS: Final = ("issuer", "jwks_url", "token_url", "client_id", "attribute_mapping")
"""The attributes that decide who can sign in, and as whom; the weightiest first."""

MISSING_SHARDS: Final = "missing-shards"
"""The code of the error that a merged plan lacks some shards."""


class Environment(StrEnum):
    """The two environments of Stytch, whose data is entirely separate."""

    TEST = "test"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Scope:
    """The project that a plan is for; it cannot be applied to another one.

    ``principal`` is the project_id, or the public_token in session mode; neither is secret.
    """

    base_url: str
    principal: str
    environment: Environment

    @property
    def is_session(self) -> bool:
        """Whether a member's session is used, which reaches only its own organization."""
        return self.principal.startswith("public-token-")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """The files that a plan was made from: a digest of all, and the paths that were given.

    Without ``paths`` they are those of the whole project. The paths are relative to the project file.
    """

    digest: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A live OIDC connection that is not declared. It is shown, and left alone.

    ``organization_id`` is known in the run that read it; documents leave it out.
    """

    organization: str
    connection: OidcConnection
    organization_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A declared connection whose pinned one is not live. Only `drift` reports it; others refuse it."""

    address: Address
    organization_id: str
    connection_id: str
    location: SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A live connection that is declared, without its secret, and where it is declared."""

    address: Address
    organization_id: str
    connection: OidcConnection
    location: SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChange:
    """A change of an attribute that decides who can sign in; live state may already have it."""

    address: Address
    attribute: str
    before: Value | None = None
    after: Value | None = None
    already_live: bool = False
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredDifference:
    """Declared attributes of a connection that differ from live state, and are ignored."""

    address: Address
    attributes: tuple[str, ...]

    @property
    def matters(self) -> bool:
        """Whether one of them decides who can sign in."""
        return not set(SIGN_IN_FIELDS).isdisjoint(self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationPlan:
    """The plan of one organization; if it is refused, it has errors, and no change but those that are safe.

    ``organization`` is None if it could not be read. ``managed`` counts the live connections that are
    declared or, with `prune`, all of them.
    """

    reference: str
    organization: Organization | None = None
    changes: tuple[Change, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    live: tuple[Managed, ...] = ()
    missing: tuple[Missing, ...] = ()
    managed: int = 0
    unchanged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    ignored: tuple[IgnoredDifference, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether some or all of this organization cannot be planned."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


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
    ignored_differences: int = 0

    def __add__(self, other: PlanSummary) -> PlanSummary:
        """Return the counts of both together."""
        names = (field.name for field in fields(self))
        return PlanSummary(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes, in display order.

    ``diagnostics`` are findings about single organizations, ``blocks`` are errors that block the whole
    plan. ``risks`` are findings of the risk rules; one of error severity blocks the plan too, until it
    is accepted. ``approvals`` are the approvals in Git that it uses, or that need attention. The plan
    never contains a secret, only references.

    ``guards`` are those that the change since the base lowers, None without a base. ``already_live``
    are changes since the base that decide who can sign in, and that live state has already.

    ``live`` are the managed connections as they are now, if `drift` asked, ``missing`` those whose pinned
    connection is not live; a saved plan leaves both out.

    With a ``merge_info`` it is the plan of one shard. ``refused_organizations`` are those, as their
    manifests name them, of which some or all could not be planned.
    """

    scope: Scope
    created_at: str
    # asyncio formats the result of a finished task, so large fields are left out of the text
    changes: tuple[Change, ...] = field(default=(), repr=False)
    unmanaged: tuple[Unmanaged, ...] = field(default=(), repr=False)
    live: tuple[Managed, ...] = field(default=(), repr=False)
    missing: tuple[Missing, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    blocks: tuple[Diagnostic, ...] = ()
    risks: tuple[Diagnostic, ...] = ()
    summary: PlanSummary = field(default_factory=PlanSummary)
    commit: str = ""
    secrets_compared: bool = True
    merge_info: MergeInfo | None = None
    inputs: PlanInputs | None = None
    approvals: tuple[ApprovalUse, ...] = ()
    refused_organizations: tuple[str, ...] = ()
    guards: tuple[Diagnostic, ...] | None = None
    already_live: tuple[SignInChange, ...] = ()
    ignored: tuple[IgnoredDifference, ...] = ()

    @property
    def shard(self) -> Shard | None:
        """The shard that this is the plan of, if it is not the whole plan."""
        return self.merge_info.shard if self.merge_info else None

    @property
    def has_changes(self) -> bool:
        """Whether applying would change anything."""
        return bool(self.changes)

    @property
    def is_complete(self) -> bool:
        """Whether everything that the run covers could be read and planned."""
        has_errors = any(diagnostic.is_error for diagnostic in self.diagnostics)
        is_merged_whole = not any(block.code == MISSING_SHARDS for block in self.blocks)
        return self.summary.refused == 0 and not has_errors and is_merged_whole

    @property
    def has_errors(self) -> bool:
        """Whether there is any error: an organization is refused, or the plan is blocked."""
        return bool(self.refusals) or any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def can_apply(self) -> bool:
        """Whether there is something to apply and nothing blocks it."""
        return self.has_changes and not self.refusals

    @property
    def refusals(self) -> tuple[Diagnostic, ...]:
        """All errors that block the plan."""
        return (*self.blocks, *(risk for risk in self.risks if risk.is_error))

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """All findings about the plan: lowered guards, then blocking ones first."""
        return (*(self.guards or ()), *self.blocks, *self.risks, *self.diagnostics)


def sign_in_changes(plan: Plan) -> tuple[SignInChange, ...]:
    """Return all changes of attributes that decide who can sign in.

    Connections with a risk that blocks come first, in the order of the risks; then the weightiest attribute.
    """
    planned = (
        SignInChange(
            address=change.address,
            attribute=name,
            before=getattr(change.before, name),
            after=getattr(change.declared, name),
            location=change.location,
        )
        for change in plan.changes
        if isinstance(change, Update)
        for name in change.changed
        if name in SIGN_IN_FIELDS
    )
    changes = (*planned, *plan.already_live)
    risks = [risk.address for risk in plan.risks if risk.is_error]
    ranks = {address: rank for rank, address in reversed(tuple(enumerate(risks)))}

    def urgency(change: SignInChange) -> tuple[int, int]:
        return ranks.get(str(change.address), len(risks)), SIGN_IN_FIELDS.index(change.attribute)

    return tuple(sorted(changes, key=urgency))


def summarize(plan: OrganizationPlan) -> PlanSummary:
    """Count what one organization's plan holds; summaries add up."""
    return PlanSummary(
        add=sum(isinstance(change, Create) for change in plan.changes),
        change=sum(isinstance(change, Update | DefaultChange) for change in plan.changes),
        destroy=sum(isinstance(change, Delete) for change in plan.changes),
        unchanged=plan.unchanged,
        unmanaged=len(plan.unmanaged),
        managed=plan.managed,
        organizations=1,
        refused=int(plan.is_refused),
        warnings=sum(not diagnostic.is_error for diagnostic in plan.diagnostics),
        ignored_differences=sum(len(difference.attributes) for difference in plan.ignored),
    )


def refuse_organizations(plan: Plan, errors: Sequence[Diagnostic]) -> Plan:
    """Return the plan without the changes of the organizations that these errors are about."""
    refused = {error.address.partition("/")[0] for error in errors}
    kept = tuple(change for change in plan.changes if change.address.organization not in refused)
    dropped = [change for change in plan.changes if change.address.organization in refused]
    summary = replace(
        plan.summary,
        add=plan.summary.add - sum(isinstance(change, Create) for change in dropped),
        change=plan.summary.change - sum(isinstance(change, Update | DefaultChange) for change in dropped),
        destroy=plan.summary.destroy - sum(isinstance(change, Delete) for change in dropped),
        refused=plan.summary.refused + len(refused),
    )
    return replace(
        plan,
        changes=kept,
        diagnostics=(*plan.diagnostics, *errors),
        refused_organizations=(*plan.refused_organizations, *sorted(refused)),
        summary=summary,
    )


def with_findings(plan: Plan, diagnostics: Iterable[Diagnostic]) -> Plan:
    """Return the plan with further findings at the end."""
    added = tuple(diagnostics)
    warnings = sum(not diagnostic.is_error for diagnostic in added)
    summary = replace(plan.summary, warnings=plan.summary.warnings + warnings)
    return replace(plan, diagnostics=(*plan.diagnostics, *added), summary=summary)


def with_manifest_findings(plan: Plan, diagnostics: Iterable[Diagnostic]) -> Plan:
    """Return the plan with the findings about the manifests that it was made from."""
    findings = tuple(diagnostics)
    warnings = sum(not finding.is_error for finding in findings)
    summary = replace(plan.summary, warnings=plan.summary.warnings + warnings)
    return replace(plan, diagnostics=(*findings, *plan.diagnostics), summary=summary)


def with_refused(plan: Plan, organizations: Iterable[str]) -> Plan:
    """Return the plan with the organizations that were refused before anything was read."""
    names = dict.fromkeys(organizations)
    new = [name for name in names if name not in plan.refused_organizations]
    summary = replace(
        plan.summary,
        organizations=plan.summary.organizations + len(new),
        refused=plan.summary.refused + len(new),
    )
    return replace(plan, refused_organizations=(*plan.refused_organizations, *new), summary=summary)
