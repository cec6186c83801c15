"""Checks the endpoints of a connection against those that the provider publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Severity
from reconciler.core.idp import EndpointDifference, IdpFinding, quoted
from reconciler.http.urls import is_loopback, parse_url
from reconciler.idp.metadata import ENDPOINTS, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.connection import OidcConnection
    from reconciler.idp.investigation import Evidence

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def endpoint_differs(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield each URL of the connection that is not the provider's own."""
    subject = evidence.subject
    for field, name in ENDPOINTS.items():
        ours, published = getattr(subject.connection, field), evidence.published(name)
        if not ours or not published or _normalized(ours) == _normalized(published):
            continue
        is_declared = field in subject.declared
        endpoint = EndpointDifference(attribute=field, url=ours, published=published, is_declared=is_declared)
        yield IdpFinding(
            code="endpoint-differs",
            summary=f"`{field}` is {quoted(ours)}, but the provider publishes {quoted(published)}",
            why="the manifest declares this URL, so logins use it as intended" if is_declared else None,
            hint="to follow the provider, declare the URL that it publishes" if is_declared else None,
            severity=Severity.INFO if is_declared else None,
            key=endpoint.key,
            endpoint=endpoint,
        )


def endpoint_not_https(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield each published endpoint without encryption; that of a provider on loopback needs none."""
    is_local = is_loopback(parse_url(evidence.subject.issuer).hostname or "")
    for name in ENDPOINTS.values():
        published = evidence.published(name)
        parts = parse_url(published)
        if parts.scheme == "http" and not (is_local and is_loopback(parts.hostname or "")):
            yield IdpFinding(
                code="endpoint-not-https",
                summary=f"the provider publishes `{name}` as {quoted(published)}, without encryption",
                key=name,
            )


def userinfo_missing(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that nobody names a userinfo endpoint."""
    is_named = evidence.subject.connection.userinfo_url or evidence.published("userinfo_endpoint")
    if isinstance(evidence.metadata, Document) and not is_named:
        yield IdpFinding(
            code="userinfo-missing",
            summary="the provider publishes no userinfo endpoint, and none is declared",
        )


def inference_differs(predicted: Mapping[str, str], connection: OidcConnection) -> Iterator[IdpFinding]:
    """Yield each URL that the service inferred otherwise than the issuer's metadata said, by field."""
    for field, expected in predicted.items():
        inferred = getattr(connection, field) or ""
        if _normalized(inferred) != _normalized(expected):
            value = f"inferred {quoted(inferred)}" if inferred else "inferred nothing"
            yield IdpFinding(
                code="inference-differs",
                summary=f"`{field}`: the service {value}, but the issuer's metadata says {quoted(expected)}",
                key=f"{field} {inferred} {expected}",
            )


def _normalized(url: str) -> tuple[str, ...]:
    """Return a URL in parts, so that a written default port or capitals in the host make no difference."""
    parts = parse_url(url)
    try:
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    return parts.scheme, (parts.hostname or ""), str(port), parts.path, parts.query
