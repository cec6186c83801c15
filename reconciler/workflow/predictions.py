"""Fetches the metadata for connections that change, and for those with `discovery: enforce`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.change import Create, Update, expected_connection
from reconciler.core.errors import Diagnostic, ProviderError, Severity
from reconciler.core.matching import match_connections
from reconciler.core.secret import SecretReference
from reconciler.idp.checks import check, check_secret
from reconciler.idp.investigation import Evidence
from reconciler.reports.explanations import message_texts
from reconciler.workflow.discovery import idp_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.planner import Choices
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.workflow.discovery import Providers, Question, Response
    from reconciler.workflow.follow_up import Draft

REPORT_SECONDS: Final = 8.0
"""The time limit for all providers whose responses are used only for predictions and findings."""

ENFORCE_SECONDS: Final = 60.0
"""The time limit for all providers whose responses decide endpoints (`discovery: enforce`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The endpoints in the issuers' own metadata, by address; at ``enforced`` they count as declared."""

    endpoints: Mapping[Address, Mapping[str, str]] = field(default_factory=dict)
    enforced: frozenset[Address] = frozenset()
    findings: tuple[Diagnostic, ...] = ()

    def put_into(self, desired: DesiredOrganization) -> DesiredOrganization:
        """Return the declarations of an organization with the endpoints of their issuers."""
        if not any(connection.address in self.endpoints for connection in desired.connections):
            return desired
        connections = (
            connection.with_published(
                self.endpoints[connection.address], enforces=connection.address in self.enforced
            )
            if connection.address in self.endpoints
            else connection
            for connection in desired.connections
        )
        return replace(desired, connections=tuple(connections))


async def gather_published(
    drafts: Sequence[Draft], providers: Providers, choices: Choices, *, created_at: str
) -> Published:
    """Ask the providers of the drafts; no request is sent unless a draft needs one.

    A drift report checks what is live instead of what is planned: it asks only for what is enforced.
    """
    asks_changed = not choices.reports_missing
    questions = [
        question
        for draft in drafts
        for question in _questions(draft, providers, choices)
        if asks_changed or providers.enforces(question.desired)
    ]
    enforced = [question for question in questions if providers.enforces(question.desired)]
    reported = [question for question in questions if not providers.enforces(question.desired)]
    decisive = await providers.ask(
        enforced, seconds=ENFORCE_SECONDS
    )  # first: fetches of others go on waiting
    answers = await providers.ask(reported, seconds=REPORT_SECONDS)
    now = datetime.fromisoformat(created_at).timestamp()
    findings = [*_limited(drafts, providers, choices), *_enforce_findings(decisive)]
    if asks_changed:
        findings += _findings(answers, now)
        findings += _findings(map(_as_enforced, decisive), now)
    responses = (*answers, *decisive)
    return Published(
        endpoints={
            response.question.desired.address: endpoints
            for response in responses
            if not isinstance(endpoints := response.endpoints(), str)
        },
        enforced=frozenset(question.desired.address for question in enforced),
        findings=tuple(findings),
    )


def _questions(draft: Draft, providers: Providers, choices: Choices) -> Iterator[Question]:
    """Yield the questions about an organization: as a connection will be, or as it is if it is enforced."""
    changes = {change.address: change for change in draft.plan.changes if isinstance(change, Create | Update)}
    any_enforced = any(map(providers.enforces, draft.desired.connections))
    if isinstance(draft.live, ProviderError) or draft.plan.is_refused or not (changes or any_enforced):
        return
    for pair in match_connections(draft.desired, draft.live).pairs:
        desired = pair.desired
        if not desired.is_present or not choices.is_targeted(desired.address):
            continue
        is_enforced = providers.enforces(desired)
        if change := changes.get(desired.address):
            planned = _without_enforceable(desired, _planned(change, choices), is_enforced=is_enforced)
            yield providers.question(desired, planned, is_live=False)
        elif pair.live is not None and is_enforced:
            yield providers.question(desired, _without_enforceable(desired, pair.live, is_enforced=True))


def _without_enforceable(
    desired: DesiredConnection, connection: OidcConnection, *, is_enforced: bool
) -> OidcConnection:
    """Return a connection without a jwks_url that will be the published one, so that its keys are read."""
    is_replaced = is_enforced and "jwks_url" in desired.enforceable
    return replace(connection, jwks_url=None) if is_replaced else connection


def _planned(change: Create | Update, choices: Choices) -> OidcConnection:
    """Return the connection as it will be, with the secret that will be sent, if it is known."""
    reference = change.declared.client_secret
    is_sent = isinstance(change, Create) or "client_secret" in change.changed
    secret = None
    if is_sent and isinstance(reference, SecretReference):
        secret = choices.secrets.get(reference)
    return replace(expected_connection(change), client_secret=secret)


def _as_enforced(response: Response) -> Response:
    """Return a response whose checks are about the endpoints that will be planned."""
    endpoints = response.endpoints()
    if isinstance(endpoints, str) or response.evidence is None:
        return response
    subject = response.evidence.subject
    planned = response.question.desired.with_published(endpoints, enforces=True)
    values: dict[str, Any] = {name: endpoints[name] for name in planned.enforced}
    subject = replace(subject, connection=replace(subject.connection, **values))
    return replace(response, evidence=replace(response.evidence, subject=subject))


def _findings(responses: Iterable[Response], now: float) -> Iterator[Diagnostic]:
    for response in responses:
        question = response.question
        if response.evidence is None:
            findings = check_secret(Evidence(subject=question.subject))
        else:
            findings = check(replace(response.evidence, now=now))
        yield from (idp_diagnostic(question.desired, finding) for finding in findings)


def _limited(drafts: Sequence[Draft], providers: Providers, choices: Choices) -> Iterator[Diagnostic]:
    """Yield a note for each connection that is not enforced although its manifest says so."""
    for draft in drafts:
        for desired in draft.desired.connections:
            reason = providers.why_not_enforced(desired)
            if reason and desired.is_present and choices.is_targeted(desired.address):
                hint = "change that, or set the connection's `discovery` to `report`"
                yield replace(_not_checked(desired, reason, Severity.INFO), hint=hint)


def _enforce_findings(responses: Iterable[Response]) -> Iterator[Diagnostic]:
    for response in responses:
        if isinstance(reason := response.endpoints(), str):
            severity = Severity.INFO if response.not_asked else Severity.WARNING
            yield _not_checked(response.question.desired, reason, severity)


def _not_checked(desired: DesiredConnection, reason: str, severity: Severity) -> Diagnostic:
    why, fix = message_texts("endpoints-not-checked")
    return Diagnostic(
        severity,
        "endpoints-not-checked",
        f"{desired.address}: its endpoints could not be checked: {reason}",
        detail=why,
        hint=fix,
        address=str(desired.address),
        location=desired.location,
    )
