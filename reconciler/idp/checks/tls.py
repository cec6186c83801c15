"""Checks the certificates of the contacted hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import count
from reconciler.core.idp import IdpFinding
from reconciler.http.urls import parse_url
from reconciler.idp.guarded_fetch import Answer, Cause, NoAnswer
from reconciler.idp.keys import KeySet
from reconciler.idp.metadata import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.codes import Code
    from reconciler.idp.investigation import Evidence

_DAY: Final = 86_400
_SOON: Final = 14
"""Days. Certificates of 90 days are renewed 30 days before their end: an earlier warning is often wrong."""

_VERY_SOON: Final = 3
_CODES: Final[dict[int, Code]] = {9: "tls-expired", 10: "tls-expired", 62: "tls-name", 64: "tls-name"}
"""By OpenSSL's verification code; every other one is about the chain."""


def not_trusted(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield each host whose certificate is not accepted."""
    seen: set[str] = set()
    for answer in _answers(evidence):
        host = _host(answer.url)
        if isinstance(answer, NoAnswer) and answer.cause is Cause.TLS and host not in seen:
            seen.add(host)
            code = _CODES.get(answer.verify_code, "tls-chain")
            yield IdpFinding(code=code, summary=answer.reason + _chain(answer.certificates), key=host)


def expires_soon(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield each host whose certificate expires within days."""
    seen: set[str] = set()
    for answer in _answers(evidence):
        certificate = answer.certificate if isinstance(answer, Answer) else None
        host = _host(answer.url)
        if certificate is None or host in seen:
            continue
        seen.add(host)
        days = (certificate.not_after - evidence.now) / _DAY
        if days <= _SOON:
            urgency = "renew it now" if days <= _VERY_SOON else "have it renewed"
            yield IdpFinding(
                code="tls-expires",
                summary=f"the certificate of {host} expires in {_days(days)}",
                hint=f"tell the provider's administrators: {urgency}",
                key=host,
            )


def _answers(evidence: Evidence) -> Iterator[Answer | NoAnswer]:
    keys = evidence.keys.document if isinstance(evidence.keys, KeySet) else evidence.keys
    preflight = evidence.preflight.answer if evidence.preflight else None
    for item in (evidence.metadata, keys, preflight):
        if isinstance(item, Document):
            yield item.answer
        elif isinstance(item, Answer | NoAnswer):
            yield item


def _chain(certificates: int) -> str:
    """Return how many certificates the server sends; one alone is likely to lack an intermediate."""
    if not certificates:
        return ""
    return f"; the server sends {count(certificates, 'certificate')}"


def _host(url: str) -> str:
    return parse_url(url).netloc.rpartition("@")[2].lower()


def _days(days: float) -> str:
    whole = int(days)
    return "less than a day" if whole < 1 else count(whole, "day")
