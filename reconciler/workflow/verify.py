"""Verifies connections: reads live values, contacts the identity providers, and checks their responses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from reconciler.core.errors import Diagnostic, ProviderError, UsageError, did_you_mean
from reconciler.core.matching import match_connections
from reconciler.core.planner import unreadable
from reconciler.core.secret import Secret
from reconciler.core.verification import (
    Verification,
    check_previous,
    compare_with_previous,
    issuers_read_before,
)
from reconciler.http.urls import parse_url
from reconciler.idp.credential_probe import not_probed
from reconciler.idp.investigation import probe_secret
from reconciler.secrets import ResolvedSecrets
from reconciler.storage.git import head_commit
from reconciler.workflow.discovery import Providers, left_alone
from reconciler.workflow.live_state import find_organizations, read_organizations
from reconciler.workflow.provider_findings import judge_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.plan import Scope
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.idp.credential_probe import Probe
    from reconciler.idp.fetch_settings import FetchSettings
    from reconciler.idp.guarded_fetch import GuardedFetcher
    from reconciler.idp.investigation import Evidence, Subject
    from reconciler.manifests import Loaded, Project
    from reconciler.providers.base import Reader
    from reconciler.workflow.discovery import Question
    from reconciler.workflow.judgement import GatheredApprovals
    from reconciler.workflow.live_state import LiveState, Progress

    Confirm: TypeAlias = Callable[[str, OidcConnection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to verify and how: ``make_token`` returns random texts, ``wall`` the time since 1970.

    ``probes_live``: send the live secrets to their token endpoints. ``declared_secret`` is sent instead to
    that of the only target. ``previous`` is an earlier report; ``is_whole``: there are no other manifests.
    ``stored`` holds the expiry dates in secret stores.
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
    previous: Verification | None = None
    is_whole: bool = True
    stored: ResolvedSecrets = field(default_factory=lambda: ResolvedSecrets({}))


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
    """``read_before`` are the issuers whose metadata an earlier report has read."""

    read_before: frozenset[str]
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
        ReportRefused: the previous report is of another project.
        AccessDenied: the credentials are not accepted.
    """
    check_previous(request.previous, scope)
    manifests = _targeted(request)
    organizations = await find_organizations(manifests, reader)
    live = await read_organizations(
        organizations, reader, concurrency=request.project.limits.concurrency, progress=reading
    )
    providers = Providers(request.project.idp, lambda: request.fetch)
    gathered = _Gathered(
        read_before=issuers_read_before(request.previous),
        diagnostics=[*request.loaded.diagnostics, *request.approvals.diagnostics, *request.stored.warnings],
    )
    for desired, state in zip(manifests, live, strict=True):
        _gather(desired, state, request, providers, gathered)
    if request.declared_secret is not None:
        secret = request.declared_secret
        gathered.cases = [_with_declared_secret(case, secret, confirm) for case in gathered.cases]
    evidence = await _investigate(gathered.cases, providers, request, asking)
    result = Verification(
        scope=scope,
        created_at=created_at,
        commit=head_commit(request.project.root),
        diagnostics=tuple(gathered.diagnostics),
        uses_proxy=providers.fetcher.uses_proxy,
    )
    return _judge(request, gathered, evidence, result)


def _judge(
    request: VerifyRequest, gathered: _Gathered, evidence: Sequence[Evidence | None], result: Verification
) -> Verification:
    judged = judge_evidence(
        result,
        [(case.question, item) for case, item in zip(gathered.cases, evidence, strict=True)],
        approvals=request.approvals.approvals,
        policies=request.project.policies,
        now=request.wall(),
        unread={str(wanted.address) for wanted in request.stored.unresolved},
    )
    is_whole = request.is_whole and not request.targets
    return compare_with_previous(judged, request.previous, is_whole=is_whole)


def _targeted(request: VerifyRequest) -> list[DesiredOrganization]:
    """Return the organizations with a connection that is asked for."""
    organizations = request.loaded.state.organizations
    for target in request.targets:
        if not any(item.address.matches(target) for item in request.loaded.state.connections):
            hint = did_you_mean(target, [str(item.address) for item in request.loaded.state.connections])
            raise UsageError(f"no connection matches {target!r}{f': {hint}' if hint else ''}")
    return [
        organization.with_stored_expiries(request.stored.expires_on)
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
            had_metadata = question.subject.issuer in gathered.read_before
            question = replace(question, subject=replace(question.subject, had_metadata=had_metadata))
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
