"""Checks the connection's issuer against the provider's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.idp import GUID, IdpFinding, quoted
from reconciler.http.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.idp.investigation import Evidence

_ALIASES: Final = {"https://accounts.google.com": "accounts.google.com"}
"""Issuers that a provider documents as equal. Google's tokens may carry either."""


def issuer_mismatch(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the metadata names another issuer (Discovery, section 4.3)."""
    declared, published = evidence.subject.issuer, evidence.published("issuer")
    if published in {"", declared, _ALIASES.get(declared)} or "{" in published:
        return
    is_slash = published.rstrip("/") == declared.rstrip("/")
    difference = ": only the trailing slash differs" if is_slash else ""
    yield IdpFinding(
        code="issuer-mismatch",
        summary=f"the provider's issuer is {quoted(published)}, not {quoted(declared)}{difference}",
        hint=_hint(declared, published),
        key=published,
    )


def issuer_templated(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the issuer serves every tenant, so that no token can name it."""
    published = evidence.published("issuer")
    if "{" in published:
        yield IdpFinding(
            code="issuer-templated",
            summary=f"the provider's issuer {quoted(published)} is a template for all tenants",
        )


def issuer_client_mismatch(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that an issuer of Duo is not that of the client: its path ends with the client_id."""
    subject = evidence.subject
    client_id = subject.connection.client_id or ""
    path = parse_url(subject.issuer).path
    if subject.provider == "duo" and client_id and client_id not in path.split("/"):
        yield IdpFinding(
            code="issuer-client-mismatch",
            summary=f"the issuer's path {quoted(path)} does not name the client_id",
        )


def _hint(declared: str, published: str) -> str:
    write = f"if this is the same tenant, declare {quoted(published)} as its issuer"
    if GUID.search(published) and not GUID.search(declared):
        return f"{write}: with the ID of the tenant, not its domain name"
    return write
