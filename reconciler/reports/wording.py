"""The sentences that all formats of a plan or drift report share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.approval import ApprovalStatus
from reconciler.core.change import RESOURCE_TYPE, Action, ActionReason
from reconciler.core.drift import DriftKind, FindingStatus
from reconciler.core.errors import count, shell_word
from reconciler.core.idp import EndpointDifference, idp_fingerprint, shortened
from reconciler.core.plan import SIGN_IN_FIELDS, sign_in_changes
from reconciler.reports.escaping import clip, escape_terminal, format_value, quote, short_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.core.address import Address
    from reconciler.core.change import AttributeChange, Change, Value
    from reconciler.core.drift import DriftReport, Finding
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import IgnoredDifference, Plan, Scope, SignInChange

NO_CHANGES: Final = "No changes. Your infrastructure matches the configuration."
NOTHING_SELECTED: Final = "No organization was looked at: the run covers none."
_MAX_VALUE: Final = 300
"""Characters of a value in a headline, which has room for any host; the diff has the whole value."""

NO_DRIFT: Final = "No drift. The live state matches the configuration."
SECRETS_NOT_COMPARED: Final = "Secrets: not resolved and not compared."

SIGN_IN_TITLE: Final = "Who can sign in changes"
TO_ACCEPT: Final = "to accept what is live:"

UNKNOWN: Final = "(known after apply)"
SENSITIVE: Final = "(sensitive value)"
UNCOMPARABLE: Final = "(cannot be compared)"
NOT_DECLARED: Final = "(not declared)"

_MOST_IGNORED: Final = 20
"""How many connections with ignored differences are named."""

_PARTICIPLES: Final = {
    Action.NO_OP: "left alone",
    Action.CREATE: "created",
    Action.UPDATE: "updated in-place",
    Action.DELETE: "destroyed",
}

_APPROVALS: Final = {
    ApprovalStatus.USED: "used",
    ApprovalStatus.EXPIRED: "expired [approval-expired], to be removed or renewed",
    ApprovalStatus.NOT_NEEDED: "not needed [approval-not-needed], to be removed once what it "
    "approves is applied",
}

_REASONS: Final = {
    ActionReason.RESUMES_CREATE: "resumes an interrupted create",
    ActionReason.DECLARED_ABSENT: "because its manifest says `state: absent`",
    ActionReason.LEFTOVER: "because an interrupted create left it behind and `prune: true`",
    ActionReason.NOT_DECLARED: "because it is not declared and its organization says `prune: true`",
}

_CONDITIONS: Final = {
    DriftKind.MISSING: ("is declared, but", "not live"),
    DriftKind.CHANGED: ("is", "not as declared"),
    DriftKind.UNEXPECTED: ("is", "live, but declared absent"),
    DriftKind.UNDECLARED: ("is live, but", "no manifest declares it"),
    DriftKind.UNKNOWN_ORGANIZATION: ("is live, but", "no manifest names its organization"),
    DriftKind.FOREIGN_ENDPOINT: ("has an endpoint", "in another trust domain than its issuer publishes"),
}

_DIFFERS: Final = {
    DriftKind.CHANGED: "is not as declared",
    DriftKind.FOREIGN_ENDPOINT: "is in another trust domain than its issuer publishes",
}


def target_parts(scope: Scope) -> tuple[str, str, str, str]:
    """Return the kind of the target, its project or public token, its environment, and the API's host."""
    kind = "session with" if scope.is_session else "project"
    host = scope.base_url.partition("://")[2] or scope.base_url
    return kind, scope.principal, scope.environment.value, host


def describe_target(scope: Scope, show: Callable[[str], str]) -> str:
    """Return which project is meant, whether it is test or live, and where; ``show`` escapes foreign text."""
    kind, principal, environment, host = target_parts(scope)
    return f"{kind} {show(principal)} ({environment}) at {show(host)}"


def target_headline(scope: Scope, show: Callable[[str], str]) -> str:
    """Return the first line of a report: where the credentials are sent."""
    words = describe_target(scope, show)
    return words[0].upper() + words[1:]


def organization_note(change: Change) -> str:
    """Return which organization a change is made in: a manifest may name it by a slug."""
    return f"organization_id: {change.organization_id}"


def secret_note(attribute: AttributeChange) -> str:
    """Return where the secret that will be sent is read, as a comment; nothing for one that is not sent."""
    return f"# {escape_terminal(attribute.reference)}" if attribute.reference else ""


def metadata_note(attribute: AttributeChange) -> str:
    """Return what the issuer's metadata says of an attribute, or that the value was taken from it."""
    if attribute.predicted:
        return f"the issuer's metadata says {format_value(shortened(attribute.predicted))}"
    return "from the issuer's metadata" if attribute.is_enforced else ""


def plan_verdict(plan: Plan) -> str:
    """Return the line that other programs look for; "no changes" is said only if that is certain."""
    summary = plan.summary
    if plan.has_changes:
        return f"Plan: {summary.add} to add, {summary.change} to change, {summary.destroy} to destroy."
    if plan.is_complete and not plan.has_errors:
        return NO_CHANGES if summary.organizations else NOTHING_SELECTED
    if summary.refused == summary.organizations:
        return "Nothing could be planned."
    return "No differences were found in the organizations that could be planned."


def plan_headlines(plan: Plan) -> Iterator[str]:
    """Yield what a reviewer has to see first: who can sign in changes, and guards are lowered."""
    yield from map(sign_in_headline, sign_in_changes(plan))
    yield from map(_guard_headline, plan.guards or ())


def sign_in_headline(change: SignInChange) -> str:
    """Return how an attribute that decides who can sign in changes, on one line."""
    live = " (already live)" if change.already_live else ""
    before, after = (clip(value_text(value), _MAX_VALUE) for value in (change.before, change.after))
    values = f"{before} -> {after}"
    return f"{change.address} {change.attribute}: {values}{live}"


def _guard_headline(guard: Diagnostic) -> str:
    return f"guard lowered: {guard.summary} ({guard.location})"


def guard_lines(guards: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Return which guards the change lowers, and where."""
    return tuple(f"{guard.summary} ({guard.location})" for guard in guards)


def approval_lines(plan: Plan) -> tuple[str, ...]:
    """Return what each approval does in this plan, until when it counts, and why it was given."""
    return tuple(
        f"{_APPROVALS[use.status]}: {use.approval.subject}, until {use.approval.until.isoformat()}: "
        f"{use.approval.reason} ({use.approval.location})"
        for use in plan.approvals
    )


def ignored_differences(ignored: Sequence[IgnoredDifference]) -> Iterator[str]:
    """Yield how many declared attributes differ and are ignored, and which."""
    if ignored:
        number = sum(len(difference.attributes) for difference in ignored)
        names = "; ".join(f"{item.address} {', '.join(item.attributes)}" for item in ignored[:_MOST_IGNORED])
        more = f"; and {len(ignored) - _MOST_IGNORED} more" if len(ignored) > _MOST_IGNORED else ""
        yield f"Ignored differences: {number}, because of `ignore_changes`: {names}{more}."


def plan_limitations(plan: Plan) -> Iterator[str]:
    """Yield what this plan does not cover, or cannot do."""
    summary = plan.summary
    if plan.guards is None:
        yield "Guards: not compared, because there is no base (--changed-since)."
    yield from ignored_differences(plan.ignored)
    if plan.shard:
        yield f"Shard {plan.shard}: the organizations of other shards are not in this plan."
    if summary.refused:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this plan is incomplete, the reasons are below."
        )
    elif not plan.is_complete:
        yield "This plan is incomplete, the reasons are below."
    if plan.refusals:
        yield "Blocked: this plan cannot be applied, the findings below say why."


def unmanaged_heading(number: int) -> str:
    """Return how many live connections no manifest declares; what follows from that is added to it."""
    return f"Unmanaged: {count(number, 'connection')} not declared in any manifest"


def unknown_heading(number: int) -> str:
    """Return how many organizations with active connections no manifest names, and how they get one."""
    organizations = f"{count(number, 'organization')} with active connections that no manifest names"
    return f"Unknown: {organizations}; this is not drift. `reconciler import ORGANIZATION` writes a manifest."


def participle(action: Action) -> str:
    """Return what will have been done, as in "will be created"."""
    return _PARTICIPLES[action]


def change_reason(change: Change) -> str:
    """Return why a change is made, or nothing where its differences are the reason."""
    return _REASONS[change.reason] if change.reason else ""


def drift_verdict(report: DriftReport) -> str:
    """Return the line that other programs look for; "no drift" is said only if that is certain."""
    summary = report.summary
    if report.has_drift:
        counts = f"{summary.missing} missing, {summary.changed} changed, {summary.unexpected} unexpected"
        undeclared = f", {summary.undeclared} undeclared" if summary.undeclared else ""
        number = summary.unknown_organization
        unknown = f", {number} in unknown organizations" if number else ""
        risks = f", {count(summary.risk, 'risk')}" if summary.risk else ""
        number = summary.foreign_endpoint
        endpoints = f", {count(number, 'foreign endpoint')}" if number else ""
        return f"Drift: {counts}{undeclared}{unknown}{risks}{endpoints}."
    if report.has_errors:
        return "No drift was found in the organizations that could be read."
    return NO_DRIFT if summary.organizations else NOTHING_SELECTED


def drift_limitations(report: DriftReport) -> Iterator[str]:
    """Yield what the report does not cover."""
    summary = report.summary
    yield from ignored_differences(report.ignored)
    if summary.refused:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this report is incomplete, the reasons are below."
        )
    elif not report.is_complete:
        yield "This report is incomplete, the reasons are below."


def drift_headlines(report: DriftReport) -> Iterator[str]:
    """Yield the differences that decide who can sign in, and the lowered guards."""
    for finding in decisive_findings(report):
        values = (f"{side} {clip(value, _MAX_VALUE)}" for side, value in finding_sides(finding))
        yield f"{finding.address} {finding.attribute}: {', '.join(values)}"
    yield from map(_guard_headline, report.guards)


def decisive_findings(report: DriftReport) -> list[Finding]:
    """Return the differences that decide who can sign in: new ones first, then the weightiest attribute."""
    findings = [finding for finding in report.findings if finding.attribute in SIGN_IN_FIELDS]
    return sorted(
        findings,
        key=lambda finding: (
            finding.status is not FindingStatus.NEW, SIGN_IN_FIELDS.index(finding.attribute)
        ),
    )  # fmt: skip


def since_previous(report: DriftReport) -> Iterator[str]:
    """Yield how the report compares with the previous one, if there is one."""
    summary = report.summary
    if report.previous_at:
        yield (
            f"Since {short_time(report.previous_at)}: {summary.new} new, {summary.known} still there, "
            f"{summary.resolved} resolved."
        )


def finding_condition(finding: Finding) -> tuple[str, str]:
    """Return what is wrong with the connection, as a sentence in two parts; the second matters most."""
    if finding.kind is DriftKind.RISK:
        return "has a live value that is a risk:", f"{finding.summary} [{finding.rule}]"
    if finding.kind is DriftKind.MISSING and finding.is_pinned:
        return "is declared, but", "its pinned connection is not live"
    if finding.kind is DriftKind.MISSING and finding.connection_id:
        return "is declared, but", "its create was interrupted"
    return _CONDITIONS[finding.kind]


def finding_name(finding: Finding) -> str:
    """Return the display name of a connection that no manifest names."""
    return f"display name {quote(finding.display_name)}"


def finding_value(finding: Finding, value: Value | None) -> str:
    """Return one side's value as HCL writes it; for a secret, only that it is sensitive."""
    return SENSITIVE if finding.is_sensitive else value_text(value)


def value_text(value: Value | None) -> str:
    """Return a value on one line, as HCL writes it."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{quote(key)} = {format_value(value[key])}" for key in sorted(value))
        return f"{{{pairs}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(format_value(item) for item in value)}]"
    return format_value(value or "")


def finding_difference(finding: Finding) -> str:
    """Return a finding in a few lines: what differs, and how, where that may be said."""
    if not finding.attribute:
        name = f" ({finding_name(finding)})" if finding.display_name else ""
        condition = f"{finding.address} {' '.join(finding_condition(finding))}{name}"
        return "\n".join(filter(None, (condition, accept_advice(finding))))
    lines = (
        f"{finding.attribute} of {finding.address} {_DIFFERS[finding.kind]}",
        *(f"{side}: {value}" for side, value in finding_sides(finding)),
        accept_advice(finding),
    )
    return "\n".join(filter(None, lines))


def finding_sides(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield the values of an attribute: the declared one, the live one, and what the issuer publishes."""
    is_declared = finding.kind is DriftKind.CHANGED or finding.declared is not None
    yield "declared", finding_value(finding, finding.declared) if is_declared else NOT_DECLARED
    yield "live", finding_value(finding, finding.live)
    if finding.published:
        yield "published", value_text(finding.published)


def accept_advice(finding: Finding) -> str:
    """Return how to take what is live into Git, or how to approve it, or nothing where neither can be."""
    if finding.rule:
        return approval_advice(finding)
    return f"{TO_ACCEPT} `{finding.accept_command}`" if finding.accept_command else ""


def approval_advice(finding: Finding) -> str:
    """Return how a risk in a live value, or an endpoint, is accepted."""
    what = f"add an approval of {finding.rule} at {finding.address}"
    if finding.kind is DriftKind.FOREIGN_ENDPOINT:
        endpoint = EndpointDifference(
            attribute=finding.attribute, url=str(finding.live), published=finding.published
        )
        what += f", finding {idp_fingerprint(finding.rule, finding.address, endpoint.key)}"
    return f"{TO_ACCEPT} {what} (`reconciler explain {shell_word(finding.rule)}`)"


def accept_heading(number: int) -> str:
    """Return the heading of the commands that take what is live into Git."""
    return f"{TO_ACCEPT.capitalize()} {count(number, 'command')}"


def finding_subject(finding: Finding) -> str:
    """Return the address, the attribute if there is one, and the kind."""
    name = f" {quote(finding.display_name)}" if finding.display_name else ""
    attribute = f" {finding.attribute or finding.rule}" if finding.attribute or finding.rule else name
    return f"{finding.address}{attribute} ({finding.kind.value})"


def resource(address: Address, name: str = "") -> str:
    """Return the type and name of what an address names, as the heading of a block."""
    if address.is_organization:
        return f"organization {escape_terminal(address.organization)}: default connection"
    return f"{RESOURCE_TYPE} {quote(name or address.connection)}"


def subject(address: Address) -> str:
    """Return what is changed, for sentences."""
    if address.is_organization:
        return f"organization {address}: default connection"
    return str(address)
