"""Judges what the checks find about the identity providers of live connections, for a drift report.

A live endpoint that is not the one in the issuer's own metadata is drift if somebody else is trusted through
it, by trust domain. Everything else is a warning or a note.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.connection import INFERRED_FIELDS
from reconciler.core.drift import ConfirmedEndpoint, DriftKind, Finding
from reconciler.core.errors import Severity
from reconciler.http.urls import is_loopback, parse_url
from reconciler.policies.approvals import approve_risks
from reconciler.policies.trust_domain import is_same_trust_domain, trust_domain
from reconciler.policies.urls import authority, host

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.address import Address
    from reconciler.core.codes import Code
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic
    from reconciler.core.idp import EndpointDifference
    from reconciler.core.plan import Managed
    from reconciler.policies.approvals import Approvals

_OFF: Final = "off"


def judge_live_connection(
    managed: Managed,
    declared: OidcConnection,
    findings: Iterable[tuple[Diagnostic, EndpointDifference | None]],
    severities: Mapping[str, str],
    approvals: Approvals,
) -> tuple[tuple[Finding, ...], tuple[Diagnostic, ...]]:
    """Return the drift among the findings about a live connection, and the others as warnings and notes.

    Findings come with the endpoint that they are about, if any. ``severities`` are those of the project file.
    What an approval covers is no drift, but a warning that names the approval.
    """
    drift, remarks = [], []
    for diagnostic, endpoint in findings:
        if severities.get(diagnostic.code) == _OFF:
            continue
        is_drift = endpoint is not None and is_foreign(endpoint, managed.connection.issuer)
        if endpoint and is_drift and approvals.for_risk(diagnostic) is None:
            drift.append(_finding(managed, declared, diagnostic.code, endpoint))
        else:
            remarks.append(_remark(diagnostic, severities))
    return tuple(drift), approve_risks(remarks, approvals)


def confirm_endpoints(
    connections: Iterable[Managed],
    published: Mapping[tuple[Address, str], str],
    earlier: Iterable[ConfirmedEndpoint],
) -> Iterator[ConfirmedEndpoint]:
    """Yield the live endpoints in another trust domain than their issuer that its own metadata names.

    Where the metadata is not known, those that an earlier report confirmed are still confirmed.
    """
    known = frozenset(earlier)
    for managed in connections:
        issuer = managed.connection.issuer or ""
        for attribute in INFERRED_FIELDS:
            url = getattr(managed.connection, attribute)
            if not url or is_same_trust_domain(url, issuer):
                continue
            endpoint = ConfirmedEndpoint(address=managed.address, attribute=attribute, issuer=issuer, url=url)
            named = published.get((managed.address, attribute))
            if url == named or (named is None and endpoint in known):
                yield endpoint


def is_foreign(endpoint: EndpointDifference, issuer: str | None) -> bool:
    """Tell whether somebody else than at the published URL is trusted through an endpoint.

    Not if the manifest declares it: then the risk rules judge it. Anybody may be trusted without encryption
    that the published URL has. It is not foreign if it is at the issuer's own host:
    Keycloak, for one, publishes its endpoints at the host that it takes for its own.
    """
    url = endpoint.url
    is_comparable = trust_domain(endpoint.published) is not None
    if endpoint.is_declared or not is_comparable:
        return False
    if _is_plain(url) and not _is_plain(endpoint.published):
        return True
    if is_same_trust_domain(url, endpoint.published):
        return False
    return authority(url) != authority(issuer) or not is_same_trust_domain(url, issuer)


def _is_plain(url: str) -> bool:
    """Tell whether an attacker on the network can answer in place of a host."""
    return parse_url(url).scheme == "http" and not is_loopback(host(url))


def _finding(managed: Managed, declared: OidcConnection, code: Code, endpoint: EndpointDifference) -> Finding:
    return Finding(
        address=managed.address,
        organization_id=managed.organization_id,
        kind=DriftKind.FOREIGN_ENDPOINT,
        connection_id=managed.connection.connection_id or "",
        attribute=endpoint.attribute,
        rule=code,
        declared=getattr(declared, endpoint.attribute),
        live=endpoint.url,
        published=endpoint.published,
        location=managed.location,
    )


def _remark(diagnostic: Diagnostic, severities: Mapping[str, str]) -> Diagnostic:
    """Return a finding as a warning: in `verify` it may be an error. A note stays one unless it is named."""
    is_note = diagnostic.severity is Severity.INFO and diagnostic.code not in severities
    return diagnostic if is_note else replace(diagnostic, severity=Severity.WARNING)
