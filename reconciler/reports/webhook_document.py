"""The JSON documents that `publish webhook` sends, described field by field."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reconciler.core.apply_document import ApplySummaryDocument
from reconciler.core.change import Action
from reconciler.core.document_parts import ANY_ADDRESS, COMMIT, COUNT, VERSION_1, described, flag
from reconciler.core.drift import DriftKind
from reconciler.core.drift_document import DriftSummaryDocument
from reconciler.core.errors import Severity
from reconciler.core.plan import Environment

OutcomeStatus: TypeAlias = Literal["failed", "skipped", "applied", "unneeded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLinksDocument:
    """Links for people."""

    run: str | None = field(metadata=described("URL of the CI run; null if it is not known"))
    pull_request: str | None = field(
        metadata=described("URL of the pull or merge request; null if there is none")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFindingDocument:
    """One finding of a drift report, without values."""

    fingerprint: str = field(metadata=described("the same in every report"))
    address: str = field(metadata=ANY_ADDRESS)
    kind: DriftKind = field(metadata=described("what differs"))
    attribute: str | None = field(
        metadata=described("the attribute; null unless the kind is changed or foreign-endpoint")
    )
    rule: str | None = field(
        metadata=described("the code to approve; null unless the kind is risk or foreign-endpoint")
    )
    first_seen: str = field(
        metadata=described("when a report first had the finding with this live value, RFC 3339 in UTC")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDiagnosticDocument:
    """An error, a warning or a risk."""

    severity: Severity = field(metadata=described("error or warning"))
    code: str = field(metadata=described("`reconciler explain CODE` explains it"))
    address: str = field(metadata=described("what it is about; may be empty"))
    summary: str = field(metadata=described("what is wrong, in one line"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChangeDocument:
    """One change of a plan."""

    address: str = field(metadata=ANY_ADDRESS)
    action: Action = field(metadata=described("what would be done"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOutcomeDocument:
    """One operation of an apply."""

    address: str = field(metadata=ANY_ADDRESS)
    action: Action = field(metadata=described("what was to be done"))
    status: OutcomeStatus = field(metadata=described("the outcome"))
    message: str = field(metadata=described("why it failed or was skipped; otherwise empty"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlanCountsDocument:
    """The counts of a plan."""

    add: int = field(metadata=COUNT | described("connections to add"))
    change: int = field(metadata=COUNT | described("connections to change"))
    destroy: int = field(metadata=COUNT | described("connections to destroy"))
    refused: int = field(metadata=COUNT | described("organizations that could not be planned"))
    risks: int = field(
        metadata=COUNT | described("findings of the risk rules, without those that follow from another")
    )
    errors: int = field(
        metadata=COUNT | described("errors, those that block the plan included, without those that follow")
    )
    warnings: int = field(metadata=COUNT | described("warnings, those of the risk rules included"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEventDocument:
    """What every event says."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=described("version of the reconciler that sent it"))
    name: str = field(metadata=described("the value of `--name`; may be empty"))
    environment: Environment | None = field(
        metadata=described("null only if the run failed before it knew its target")
    )
    project: str | None = field(metadata=described("the project_id; null as `environment`"))
    host: str | None = field(metadata=described("host of the API; null as `environment`"))
    commit: str = field(metadata=COMMIT)
    text: str = field(metadata=described("the event in one sentence, with numbers only"))
    complete: bool = field(metadata=flag("everything could be planned, applied or compared"))
    errored: bool = field(metadata=flag("there is an error"))
    omitted: int = field(metadata=COUNT | described("entries that are left out of all lists, for the size"))
    links: WebhookLinksDocument = field(metadata=described("links for people"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDriftDocument(WebhookEventDocument):
    """The data of `reconciler.drift`."""

    drifted: bool = field(metadata=flag("there are findings"))
    counts: DriftSummaryDocument = field(metadata=described("number of findings by kind and standing"))
    new: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings that the previous report did not have")
    )
    known: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings that the previous report had")
    )
    resolved: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings of the previous report that are gone")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlanDocument(WebhookEventDocument):
    """The data of `reconciler.plan`."""

    blocked: bool = field(metadata=flag("`apply` refuses the plan as it is"))
    counts: WebhookPlanCountsDocument = field(metadata=described("number of changes and findings"))
    findings: tuple[WebhookDiagnosticDocument, ...] = field(
        metadata=described("errors and risks, the most severe first, then guards that the change lowers")
    )
    changes: tuple[WebhookChangeDocument, ...] = field(metadata=described("one entry for each change"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookApplyDocument(WebhookEventDocument):
    """The data of `reconciler.apply`."""

    interrupted: bool = field(metadata=flag("the run was interrupted"))
    counts: ApplySummaryDocument = field(metadata=described("number of operations by their outcome"))
    findings: tuple[WebhookDiagnosticDocument, ...] = field(metadata=described("errors"))
    outcomes: tuple[WebhookOutcomeDocument, ...] = field(
        metadata=described("one entry for each operation: first failed, then skipped, then the others")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookProviderFindingDocument(WebhookDiagnosticDocument):
    """A finding about a connection's identity provider."""

    fingerprint: str = field(metadata=described("the same in every report"))
    first_seen: str = field(metadata=described("when a report first had the finding, RFC 3339 in UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookVerifyCountsDocument:
    """The counts of a verification, without notes and approved findings."""

    errors: int = field(metadata=COUNT | described("errors"))
    warnings: int = field(metadata=COUNT | described("warnings"))
    failing: int = field(metadata=COUNT | described("connections with errors"))
    expiring: int = field(metadata=COUNT | described("client secrets that expire within 90 days"))
    new: int = field(metadata=COUNT | described("findings that the previous report did not have"))
    known: int = field(metadata=COUNT | described("findings that the previous report had"))
    resolved: int = field(metadata=COUNT | described("findings of the previous report that are gone"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookVerifyDocument(WebhookEventDocument):
    """The data of `reconciler.verify`: errors and warnings that no approval covers."""

    counts: WebhookVerifyCountsDocument = field(metadata=described("number of findings and secrets"))
    new: tuple[WebhookProviderFindingDocument, ...] = field(
        metadata=described("findings that the previous report did not have, or had with a lower severity")
    )
    known: tuple[WebhookProviderFindingDocument, ...] = field(
        metadata=described("findings that the previous report had")
    )
    resolved: tuple[WebhookProviderFindingDocument, ...] = field(
        metadata=described("findings of the previous report that are gone")
    )


EventData: TypeAlias = (
    WebhookDriftDocument | WebhookVerifyDocument | WebhookPlanDocument | WebhookApplyDocument
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDocument:
    """One event, in the shape that the Standard Webhooks specification recommends."""

    type: Literal["reconciler.drift", "reconciler.verify", "reconciler.plan", "reconciler.apply"] = field(
        metadata=described("what happened")
    )
    timestamp: str = field(metadata=described("when it happened, RFC 3339 in UTC"))
    data: EventData = field(metadata=described("the summary; which of these, the type says"))
