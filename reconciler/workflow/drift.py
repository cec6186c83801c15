"""Reads what `drift` compares: a plan, and the organizations that no manifest names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Update
from reconciler.core.drift import Observations
from reconciler.core.errors import AccessDenied, Diagnostic, ProviderError, Severity, count
from reconciler.core.idp import quoted
from reconciler.core.undeclared import DriftMode, combine, find_undeclared, find_unknown
from reconciler.http.urls import parse_url
from reconciler.idp.checks import check
from reconciler.idp.metadata import ENDPOINTS
from reconciler.policies import confirm_endpoints, find_live_risks, judge_live_connection
from reconciler.workflow.discovery import ELSEWHERE, NO_ISSUER, idp_diagnostic
from reconciler.workflow.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.address import Address
    from reconciler.core.drift import ConfirmedEndpoint, DriftReport, Finding
    from reconciler.core.idp import EndpointDifference
    from reconciler.core.plan import Managed, Plan, Scope
    from reconciler.core.state import ActiveOrganization
    from reconciler.providers.base import Directory
    from reconciler.workflow.desired import Desired
    from reconciler.workflow.discovery import Providers, Response
    from reconciler.workflow.live_state import Progress

_SECONDS: Final = 60.0
"""For all identity providers together."""

_MOST_NAMED: Final = 3
"""How many issuers that gave no answer are named."""


async def read_drift(
    desired: Desired,
    directory: Directory,
    *,
    scope: Scope,
    created_at: str,
    progress: Progress,
    providers: Providers | None = None,
    previous: DriftReport | None = None,
) -> tuple[Plan, Observations]:
    """Plan the desired organizations, and observe what the plan does not show.

    Without ``providers`` no identity provider is asked. ``previous`` says what their metadata confirmed.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    plan = await make_plan(
        desired, directory, scope=scope, created_at=created_at, progress=progress, providers=providers
    )
    undeclared = find_undeclared(plan, desired.project.drift, desired.selection)
    observed = replace(undeclared, findings=())
    if providers is not None:
        earlier = previous.confirmed if previous else ()
        observed = await _with_providers(observed, plan, desired, providers, earlier)
    policies, approvals = desired.project.policies, desired.approvals.approvals
    risks = find_live_risks(plan.live, policies, approvals, observed.confirmed)
    observed = replace(observed, findings=(*undeclared.findings, *risks, *observed.findings))
    return plan, combine(observed, await _observe_unknown(desired, directory))


async def _with_providers(
    observed: Observations,
    plan: Plan,
    desired: Desired,
    providers: Providers,
    earlier: Sequence[ConfirmedEndpoint],
) -> Observations:
    """Ask the identity providers of all live connections, and compare what they publish with what is live."""
    manifests = (item for organization in desired.organizations for item in organization.connections)
    declared = {connection.address: connection for connection in manifests}
    questions = [providers.question(declared[item.address], item.connection) for item in plan.live]
    responses = await providers.ask(questions, seconds=_SECONDS)
    findings: list[Finding] = []
    diagnostics = [*_not_compared(responses)]
    now = datetime.fromisoformat(plan.created_at).timestamp()
    enforced = {change.address: change.enforced for change in plan.changes if isinstance(change, Update)}
    for managed, response in zip(plan.live, responses, strict=True):
        drift, remarks = judge_live_connection(
            managed,
            response.question.desired.connection,
            _checked(response, now, enforced.get(managed.address, ())),
            desired.project.policies,
            desired.approvals.approvals,
        )
        findings += drift
        diagnostics += remarks
    return replace(
        observed,
        findings=tuple(findings),
        published={key: url for response in responses for key, url in _published(response)},
        confirmed=tuple(_confirmed(plan.live, responses, earlier)),
        diagnostics=tuple(diagnostics),
    )


def _confirmed(
    live: Sequence[Managed], responses: Sequence[Response], earlier: Sequence[ConfirmedEndpoint]
) -> Iterator[ConfirmedEndpoint]:
    """Return the endpoints that their issuers name; without metadata now, as the earlier report has them.

    Metadata that names another issuer confirms nothing.
    """
    named: dict[tuple[Address, str], str] = {}
    silent: set[Address] = set()
    for response in responses:
        address, endpoints = response.question.desired.address, response.endpoints()
        if response.problem is not None:
            silent.add(address)
        elif not isinstance(endpoints, str):
            named |= {(address, attribute): url for attribute, url in endpoints.items()}
    return confirm_endpoints(live, named, (item for item in earlier if item.address in silent))


def _checked(
    response: Response, now: float, enforced: Sequence[str]
) -> Iterator[tuple[Diagnostic, EndpointDifference | None]]:
    """Yield what the checks find; that a provider gives no answer is said once for all of them.

    Endpoints that count as declared (``enforced``) are compared by the plan.
    """
    for finding in check(replace(response.evidence, now=now)) if response.evidence else ():
        is_planned = finding.endpoint is not None and finding.endpoint.attribute in enforced
        if finding.code != "idp-unreachable" and not is_planned:
            yield idp_diagnostic(response.question.desired, finding), finding.endpoint


def _published(response: Response) -> Iterator[tuple[tuple[Address, str], str | None]]:
    """Yield the URL that the provider publishes for each endpoint of a live connection, None if unknown."""
    connection = response.question.subject.connection
    for attribute, name in ENDPOINTS.items():
        if getattr(connection, attribute):
            url = response.evidence.published(name) if response.evidence else ""
            yield (response.question.desired.address, attribute), (url if parse_url(url).hostname else None)


def _not_compared(responses: Sequence[Response]) -> Iterator[Diagnostic]:
    """Yield which connections could not be compared with what their issuers publish: never an error."""
    unreachable = [response for response in responses if response.is_unreachable]
    issuers = [*dict.fromkeys(response.question.subject.issuer for response in unreachable)]
    if issuers:
        names = ", ".join(map(quoted, issuers[:_MOST_NAMED])) + (", …" if issuers[_MOST_NAMED:] else "")
        connections = count(len(unreachable), "connection")
        yield Diagnostic(
            Severity.WARNING,
            "idp-unreachable",
            f"{count(len(issuers), 'issuer')} could not be reached: {names}",
            detail=f"{connections} could not be compared with what the issuers publish",
            hint="run `reconciler verify` to see why; if you need a proxy, set HTTPS_PROXY",
        )
    reasons = Counter(
        response.not_asked for response in responses if response.not_asked not in {"", NO_ISSUER, ELSEWHERE}
    )
    for reason, number in reasons.items():
        yield Diagnostic(
            Severity.INFO,
            "idp-not-asked",
            f"{count(number, 'connection')} not compared with what the issuer publishes: {reason}",
        )


async def _observe_unknown(desired: Desired, directory: Directory) -> Observations:
    """Look for organizations that no manifest names; only a run of the whole project can tell."""
    if not desired.manifests.is_whole or desired.request.choices.targets:
        return Observations(unknown_checked=False)
    settings = desired.project.drift
    if settings.unknown_organizations is DriftMode.IGNORE:
        return Observations()
    if desired.past.unknown:
        return _not_checked(desired, f"{desired.past.unknown[0].file.display_path} cannot be read")
    try:
        live = [
            _masked(active, desired)
            async for active in directory.list_active_organizations()
            if active.connections
        ]
    except AccessDenied:
        raise
    except ProviderError as error:
        return _not_checked(desired, str(error))
    return find_unknown(live, frozenset(_declared_names(desired)), settings, desired.selection)


def _declared_names(desired: Desired) -> Iterator[str]:
    for organization in desired.declared:
        yield from organization.names


def _masked(active: ActiveOrganization, desired: Desired) -> ActiveOrganization:
    secrets = tuple(desired.choices.secrets.values())
    return replace(active, connections=tuple(connection.masked(secrets) for connection in active.connections))


def _not_checked(desired: Desired, reason: str) -> Observations:
    """Say that nothing is known of other organizations; an error where they would be drift."""
    is_drift = desired.project.drift.unknown_organizations is DriftMode.DRIFT
    warning = Diagnostic(
        Severity.ERROR if is_drift else Severity.WARNING,
        "unknown-organizations-not-checked",
        f"it was not checked whether there are organizations that no manifest names: {reason}",
        hint="run `reconciler drift` again; `drift: {unknown_organizations: ignore}` in the project file "
        "leaves them out",
    )
    return Observations(unknown_checked=False, diagnostics=(warning,))
