"""Verifies connections: reads live values, contacts the identity providers, and checks their responses."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.approval import ApprovalStatus
from reconciler.core.errors import Diagnostic, ProviderError, UsageError, did_you_mean
from reconciler.core.idp import IDP_SEVERITIES, IdpFinding
from reconciler.core.matching import match_connections
from reconciler.core.planner import unreadable
from reconciler.core.secret import Secret, SecretReference
from reconciler.core.verification import Exchange, Verification, VerifiedConnection
from reconciler.http.urls import parse_url
from reconciler.idp.checks import check
from reconciler.idp.credential_probe import not_probed
from reconciler.idp.guarded_fetch import Cause, NoAnswer
from reconciler.idp.investigation import probe_secret
from reconciler.idp.keys import KeySet
from reconciler.idp.metadata import Document
from reconciler.policies import judge_idp_findings
from reconciler.policies.approvals import approval_remarks, approve_risks, uses
from reconciler.secrets import resolve_reference
from reconciler.storage.git import head_commit
from reconciler.workflow.discovery import Providers, left_alone
from reconciler.workflow.live_state import find_organizations, read_organizations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.plan import Scope
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.idp.credential_probe import Probe
    from reconciler.idp.fetch_settings import FetchSettings
    from reconciler.idp.guarded_fetch import Answer, GuardedFetcher
    from reconciler.idp.investigation import Evidence, Subject
    from reconciler.idp.preflight import Preflight
    from reconciler.manifests import Loaded, Project
    from reconciler.providers.base import Reader
    from reconciler.secrets import SecretPolicy
    from reconciler.workflow.discovery import Question
    from reconciler.workflow.judgement import GatheredApprovals
    from reconciler.workflow.live_state import LiveState, Progress

    Confirm: TypeAlias = Callable[[str, OidcConnection], None]

_FINGERPRINT_LENGTH: Final = 32
"""Hexadecimal digits, as of risks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to verify and how: ``make_token`` returns random texts, ``wall`` the time since 1970.

    ``probes_live``: send the live secrets to their token endpoints. ``declared_secret`` is sent instead to
    that of the only target.
    """

    project: Project
    loaded: Loaded
    approvals: GatheredApprovals
    fetch: FetchSettings
    make_token: Callable[[], str]
    wall: Callable[[], float]
    targets: tuple[str, ...] = ()
    probes_live: bool = False
    declared_secret: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The question about a declared connection; ``secret`` is probed, and a text says why it cannot be."""

    question: Question
    secret: Secret | str | None = None

    @property
    def desired(self) -> DesiredConnection:
        """The declared connection."""
        return self.question.desired

    @property
    def subject(self) -> Subject:
        """What the checks are about."""
        return self.question.subject

    @property
    def not_asked(self) -> str:
        """Why the provider is left alone, if it is."""
        return self.question.not_asked


@dataclass(slots=True)
class _Gathered:
    cases: list[_Case] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


async def verify(
    request: VerifyRequest,
    reader: Reader,
    *,
    scope: Scope,
    created_at: str,
    reading: Progress,
    asking: Callable[[int], Progress],
    confirm: Confirm,
) -> Verification:
    """Verify the declared connections. ``asking`` returns the progress of so many connections.

    ``confirm`` asks whether the declared secret may be sent as the live connection says, and raises if not.

    Raises:
        UsageError: a target matches nothing.
        AccessDenied: the credentials are not accepted.
    """
    manifests = _targeted(request)
    organizations = await find_organizations(manifests, reader)
    live = await read_organizations(
        organizations, reader, concurrency=request.project.limits.concurrency, progress=reading
    )
    providers = Providers(request.project.idp, request.fetch)
    gathered = _Gathered(diagnostics=[*request.loaded.diagnostics, *request.approvals.diagnostics])
    for desired, state in zip(manifests, live, strict=True):
        _gather(desired, state, request, providers, gathered)
    if request.declared_secret is not None:
        secret = request.declared_secret
        gathered.cases = [_with_declared_secret(case, secret, confirm) for case in gathered.cases]
    evidence = await _investigate(gathered.cases, providers, request, asking)
    return _verification(
        request,
        gathered,
        evidence,
        scope=scope,
        created_at=created_at,
        uses_proxy=providers.fetcher.uses_proxy,
    )


def _targeted(request: VerifyRequest) -> list[DesiredOrganization]:
    """Return the organizations with a connection that is asked for."""
    organizations = request.loaded.state.organizations
    for target in request.targets:
        if not any(item.address.matches(target) for item in request.loaded.state.connections):
            hint = did_you_mean(target, [str(item.address) for item in request.loaded.state.connections])
            raise UsageError(f"no connection matches {target!r}{f': {hint}' if hint else ''}")
    return [
        organization
        for organization in organizations
        if any(_is_targeted(connection, request.targets) for connection in organization.connections)
    ]


def _is_targeted(connection: DesiredConnection, targets: Sequence[str]) -> bool:
    return not targets or any(connection.address.matches(target) for target in targets)


def _gather(
    desired: DesiredOrganization,
    live: LiveState,
    request: VerifyRequest,
    providers: Providers,
    gathered: _Gathered,
) -> None:
    """Add the connections of an organization, or why it cannot be read."""
    if isinstance(live, ProviderError):
        gathered.diagnostics += unreadable(desired, live).diagnostics
        return
    matching = match_connections(desired, live)
    gathered.diagnostics += matching.diagnostics
    for pair in matching.pairs:
        if pair.desired.is_present and _is_targeted(pair.desired, request.targets):
            question = providers.question(
                pair.desired, pair.live or pair.desired.connection, is_live=pair.live is not None
            )
            secret = _live_secret(pair.live) if request.probes_live else None
            gathered.cases.append(_Case(question=question, secret=secret))


def _live_secret(live: OidcConnection | None) -> Secret | str:
    """Return the secret of a live connection, or why there is none to probe."""
    if live is None:
        return "the connection does not exist yet"
    if live.hides_secret:
        return "the service masks it"
    secret = live.client_secret
    return secret if isinstance(secret, Secret) and not secret.is_empty else "the connection has no secret"


def declared_secret(
    address: str, loaded: Loaded, policy: SecretPolicy, environment: Mapping[str, str]
) -> tuple[DesiredConnection, Secret]:
    """Return the connection at exactly this address, and the secret that its manifest declares.

    Raises:
        UsageError: there is no such connection, or it declares no secret.
        SecretUnavailable: the secret cannot be resolved.
    """
    connections = {str(item.address): item for item in loaded.state.connections if item.is_present}
    if address not in connections:
        hint = did_you_mean(address, list(connections))
        raise UsageError(f"no connection has the address {address!r}{f': {hint}' if hint else ''}")
    reference = connections[address].connection.client_secret
    if not isinstance(reference, SecretReference):
        raise UsageError(f"{address} declares no client_secret")
    return connections[address], resolve_reference(reference, policy=policy, environment=environment)


def _with_declared_secret(case: _Case, secret: Secret, confirm: Confirm) -> _Case:
    """Return a case that probes the declared secret at the live provider, after asking.

    Raises:
        UsageError: the manifest is not about the provider and the client that are live.
    """
    declared, live = case.desired.connection, case.subject.connection
    if case.not_asked or not case.subject.is_live:
        problem = case.not_asked or "it does not exist yet"
        raise UsageError(f"the declared secret of {case.desired.address} cannot be probed: {problem}")
    differing = [
        name
        for name in ("token_url", "client_id")
        if getattr(declared, name) not in {None, getattr(live, name)}
    ]
    if declared.issuer and parse_url(declared.issuer).netloc != parse_url(live.issuer or "").netloc:
        differing.append("the host of issuer")
    if differing:
        raise UsageError(
            f"the declared secret of {case.desired.address} is not sent: {' and '.join(differing)} in the"
            " manifest and the live connection differ; apply that change first"
        )
    confirm(str(case.desired.address), live)
    return replace(case, secret=secret)


async def _investigate(
    cases: Sequence[_Case], providers: Providers, request: VerifyRequest, asking: Callable[[int], Progress]
) -> list[Evidence | None]:
    """Ask for all connections at once; the fetcher bounds what is under way."""
    progress = asking(sum(not case.not_asked for case in cases))
    done = 0

    async def ask(case: _Case) -> Evidence | None:
        nonlocal done
        if case.not_asked:
            return None
        evidence = await providers.investigate(case.question, request.make_token)
        evidence = replace(evidence, probe=await _probe(case, evidence, providers.fetcher, request))
        done += 1
        progress.advanced(done)
        return evidence

    return await asyncio.gather(*map(ask, cases))


async def _probe(
    case: _Case, evidence: Evidence, fetcher: GuardedFetcher, request: VerifyRequest
) -> Probe | None:
    if case.secret is None or left_alone(evidence):
        return None
    if isinstance(case.secret, str):
        return not_probed(case.secret)
    probe = await probe_secret(evidence, case.secret, fetcher, request.make_token)
    return replace(probe, is_declared=request.declared_secret is not None)


def _verification(
    request: VerifyRequest,
    gathered: _Gathered,
    evidence: Sequence[Evidence | None],
    *,
    scope: Scope,
    created_at: str,
    uses_proxy: bool,
) -> Verification:
    pairs = [*zip(gathered.cases, evidence, strict=True)]
    findings = [finding for case, item in pairs for finding in _findings(case, item, request.wall())]
    judged = judge_idp_findings(findings, request.project.policies)
    asked = {item.subject.issuer: item for _, item in pairs if item and not left_alone(item)}
    return Verification(
        scope=scope,
        created_at=created_at,
        commit=head_commit(request.project.root),
        connections=tuple(_verified(case, item) for case, item in pairs),
        findings=approve_risks(judged, request.approvals.approvals),
        diagnostics=(*gathered.diagnostics, *_expired(request, judged)),
        issuers=len(asked),
        issuers_not_reached=sum(map(_is_unreachable, asked.values())),
        uses_proxy=uses_proxy,
    )


def _findings(case: _Case, evidence: Evidence | None, now: float) -> Iterator[Diagnostic]:
    if evidence is None:
        yield _diagnostic(case.desired, _not_asked(case))
        return
    for finding in check(replace(evidence, now=now)):
        yield _diagnostic(case.desired, finding)


def _diagnostic(desired: DesiredConnection, finding: IdpFinding) -> Diagnostic:
    address = str(desired.address)
    identity = json.dumps([finding.code, address, finding.key])
    return Diagnostic(
        finding.severity or IDP_SEVERITIES[finding.code],
        finding.code,
        f"{address}: {finding.summary}",
        detail=finding.why,
        hint=finding.hint,
        address=address,
        location=desired.location,
        fingerprint=hashlib.sha256(identity.encode()).hexdigest()[:_FINGERPRINT_LENGTH],
    )


def _not_asked(case: _Case) -> IdpFinding:
    return IdpFinding(
        code="idp-not-asked",
        summary=f"its identity provider was not contacted: {case.not_asked}",
        why="it is unknown whether a login would work",
    )


def _expired(request: VerifyRequest, findings: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield a warning for each approval of such findings that has expired."""
    known = uses(request.approvals.approvals, findings, None, lambda _approval: False)
    expired = [use for use in known if use.status is ApprovalStatus.EXPIRED]
    yield from approval_remarks(use for use in expired if use.approval.rule in IDP_SEVERITIES)


def _verified(case: _Case, evidence: Evidence | None) -> VerifiedConnection:
    subject = case.subject
    not_asked = case.not_asked or (left_alone(evidence) if evidence else "")
    return VerifiedConnection(
        address=str(case.desired.address),
        issuer=subject.issuer,
        connection_id=subject.connection.connection_id or "" if subject.is_live else "",
        is_live=subject.is_live,
        not_asked=not_asked,
        location=case.desired.location,
        exchanges=tuple(_exchanges(evidence)) if evidence and not not_asked else (),
    )


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
