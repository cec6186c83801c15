"""Turns the responses of identity providers into findings about connections and expiry dates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.approval import ApprovalStatus
from reconciler.core.document_parts import copy_fields
from reconciler.core.drift import FindingStatus
from reconciler.core.errors import Severity
from reconciler.core.idp import IDP_SEVERITIES, IdpFinding
from reconciler.core.verification import (
    Exchange,
    ExpiryOrigin,
    IssuerRead,
    ProviderFinding,
    SecretExpiry,
    Verification,
    VerifiedConnection,
    within_horizon,
)
from reconciler.core.warnings import expiry_differences, expiry_step, place_of_expiry
from reconciler.idp.checks import check
from reconciler.idp.credential_probe import SecretVerdict
from reconciler.idp.guarded_fetch import Cause, NoAnswer
from reconciler.idp.keys import KeySet
from reconciler.idp.metadata import Document
from reconciler.idp.preflight import Verdict
from reconciler.policies import judge_idp_findings
from reconciler.policies.approvals import approval_remarks, approve_risks, uses
from reconciler.workflow.discovery import idp_diagnostic, left_alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from reconciler.core.errors import Diagnostic
    from reconciler.core.idp import AnswerKind
    from reconciler.core.state import DesiredConnection
    from reconciler.idp.credential_probe import Probe
    from reconciler.idp.guarded_fetch import Answer
    from reconciler.idp.investigation import Evidence
    from reconciler.idp.preflight import Preflight
    from reconciler.policies.approvals import Approvals
    from reconciler.workflow.discovery import Question

_JUDGED: Final = frozenset(
    {Verdict.REGISTERED, Verdict.CLIENT_UNKNOWN, Verdict.NOT_REGISTERED, Verdict.REFUSED}
)
_HOST_ANSWERED: Final = frozenset({Cause.NOT_FOUND, Cause.REJECTED, Cause.TLS})
_PROBED: Final = frozenset({SecretVerdict.ACCEPTED, SecretVerdict.WRONG, SecretVerdict.EXPIRED})


def judge_evidence(
    result: Verification,
    pairs: Sequence[tuple[Question, Evidence | None]],
    *,
    approvals: Approvals,
    policies: Mapping[str, str],
    now: float,
    unread: Collection[str] = (),
) -> Verification:
    """Return the result with connections, findings and dates; ``now`` is the time in seconds since 1970.

    ``unread`` are the addresses whose secret store was asked in vain when the secret expires.
    """
    findings = [
        finding
        for question, evidence in pairs
        for finding in _findings(question, evidence, now, result.today)
    ]
    judged = judge_idp_findings(findings, policies)
    asked = {item.subject.issuer: item for _, item in pairs if item and not left_alone(item)}
    expiries, later = within_horizon(_expiries(pairs), result.today)
    return replace(
        result,
        connections=tuple(_verified(question, item, unread) for question, item in pairs),
        findings=tuple(_approved(judged, approvals)),
        diagnostics=(
            *result.diagnostics,
            *_expired(approvals, judged),
            *(finding for question, _ in pairs for finding in expiry_differences(question.desired)),
        ),
        issuers=len(asked),
        issuers_not_reached=sum(map(_is_unreachable, asked.values())),
        issuers_read=tuple(
            IssuerRead(issuer=issuer, read_at=result.created_at)
            for issuer, item in asked.items()
            if isinstance(item.metadata, Document)
        ),
        expiries=expiries,
        expiries_later=later,
        secrets_without_date=sum(_has_undated_secret(question.desired) for question, _ in pairs),
    )


def judge_findings(
    desired: DesiredConnection,
    findings: Iterable[IdpFinding],
    *,
    approvals: Approvals,
    policies: Mapping[str, str],
) -> tuple[ProviderFinding, ...]:
    """Return findings about one connection with their severities and approvals."""
    diagnostics = [idp_diagnostic(desired, finding) for finding in findings]
    return tuple(_approved(judge_idp_findings(diagnostics, policies), approvals))


def _findings(question: Question, evidence: Evidence | None, now: float, today: date) -> Iterator[Diagnostic]:
    findings = check(replace(evidence, now=now)) if evidence else (_not_asked(question),)
    for finding in (*_secret_expires(question.desired, today), *findings):
        yield idp_diagnostic(question.desired, finding)


def _secret_expires(desired: DesiredConnection, today: date) -> Iterator[IdpFinding]:
    """Yield a finding if the expiry date is near; its text changes when it becomes more urgent."""
    if desired.expires_on is not None and (when := expiry_step(desired.expires_on, today)):
        yield IdpFinding(
            code="secret-expires",
            summary=f"the client secret {when} ({desired.expires_on})",
            hint="create a new one at the provider, store it where the reference points, and update "
            f"{place_of_expiry(desired)}",
            severity=Severity.WARNING,
        )


def _approved(findings: Sequence[Diagnostic], approvals: Approvals) -> Iterator[ProviderFinding]:
    """Yield the findings, errors first; those with an approval as warnings that name it."""
    for finding in approve_risks(findings, approvals):
        is_approved = approvals.for_risk(finding) is not None
        yield copy_fields(
            ProviderFinding, finding, is_approved=is_approved, status=FindingStatus.NEW, first_seen=""
        )


def _expiries(pairs: Iterable[tuple[Question, Evidence | None]]) -> Iterator[SecretExpiry]:
    """Yield the expiry dates of secrets in manifests and stores, and secrets that a probe found expired."""
    for question, evidence in pairs:
        desired = question.desired
        address, location = str(desired.address), desired.location
        if (day := desired.expires_on) is not None:
            origin = ExpiryOrigin.STORE if desired.expires_as_stored else ExpiryOrigin.MANIFEST
            yield SecretExpiry(address=address, origin=origin, expires_on=day, location=location)
        if evidence and evidence.probe and evidence.probe.verdict is SecretVerdict.EXPIRED:
            yield SecretExpiry(address=address, origin=ExpiryOrigin.PROBE, location=location)


def _has_undated_secret(desired: DesiredConnection) -> bool:
    return desired.expires_on is None and desired.connection.client_secret is not None


def _not_asked(question: Question) -> IdpFinding:
    return IdpFinding(
        code="idp-not-asked", summary=f"its identity provider was not contacted: {question.not_asked}"
    )


def _expired(approvals: Approvals, findings: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield a warning for each approval of such findings that has expired."""
    known = uses(approvals, findings, None, lambda _approval: False)
    expired = [use for use in known if use.status is ApprovalStatus.EXPIRED]
    yield from approval_remarks(use for use in expired if use.approval.rule in IDP_SEVERITIES)


def _verified(question: Question, evidence: Evidence | None, unread: Collection[str]) -> VerifiedConnection:
    expiry: tuple[AnswerKind, ...] = () if str(question.desired.address) in unread else ("expiry",)
    subject = question.subject
    not_asked = question.not_asked or (left_alone(evidence) if evidence else "")
    return VerifiedConnection(
        address=str(question.desired.address),
        issuer=subject.issuer,
        connection_id=subject.connection.connection_id or "" if subject.is_live else "",
        is_live=subject.is_live,
        not_asked=not_asked,
        location=question.desired.location,
        exchanges=tuple(_exchanges(evidence)) if evidence and not not_asked else (),
        answered=(*(_answered(evidence) if evidence else ()), *expiry),
    )


def _answered(evidence: Evidence) -> Iterator[AnswerKind]:
    """Yield which of the provider's answers could be judged."""
    metadata, preflight, probe = evidence.metadata, evidence.preflight, evidence.probe
    if isinstance(metadata, Document):
        yield from ("host", "metadata")
    elif metadata is not None and metadata.cause in _HOST_ANSWERED:
        yield "host"
    if isinstance(evidence.keys, KeySet):
        yield "keys"
    if preflight is not None and preflight.verdict in _JUDGED:
        yield "preflight"
    if probe is not None and probe.verdict in _PROBED:
        yield "probe"


def _is_unreachable(evidence: Evidence) -> bool:
    return isinstance(evidence.metadata, NoAnswer) and evidence.metadata.cause is Cause.UNREACHABLE


def _exchanges(evidence: Evidence) -> Iterator[Exchange]:
    metadata, keys, preflight = evidence.metadata, evidence.keys, evidence.preflight
    if isinstance(metadata, Document):
        yield _exchange("metadata", metadata.answer, "200")
    elif metadata is not None:
        yield _exchange("metadata", metadata, metadata.reason)
    if isinstance(keys, KeySet):
        counts = f"200, {len(keys.usable)} of {len(keys.keys)} keys for signatures"
        yield _exchange("keys", keys.document.answer, counts)
    elif isinstance(keys, NoAnswer):
        yield _exchange("keys", keys, keys.reason)
    if preflight is not None:
        yield _exchange("preflight", preflight.answer, _preflight_outcome(preflight))
    if evidence.probe is not None:
        yield from _probe_exchanges(evidence.probe)


def _probe_exchanges(probe: Probe) -> Iterator[Exchange]:
    for number, item in enumerate(probe.answers, start=1):
        verdict = f": {probe.verdict.value}" if number == len(probe.answers) else ""
        yield _exchange("probe", item.answer, f"{item}{verdict}")


def _exchange(purpose: str, answer: Answer | NoAnswer, outcome: str) -> Exchange:
    url = answer.url.partition("?")[0] if purpose == "preflight" else answer.url
    return Exchange(purpose=purpose, url=url, outcome=outcome, redirects=answer.redirects)


def _preflight_outcome(preflight: Preflight) -> str:
    details = [preflight.verdict.value, *filter(None, (preflight.error, preflight.detail))]
    return ": ".join(details)
