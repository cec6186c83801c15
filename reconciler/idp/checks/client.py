"""Checks the result of the preflight, and the provider's clock."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.idp import IdpFinding, quoted
from reconciler.http.client import first_header
from reconciler.idp.checks.abilities import abilities_missing
from reconciler.idp.guarded_fetch import Cause, NoAnswer
from reconciler.idp.keys import KeySet
from reconciler.idp.metadata import Document
from reconciler.idp.preflight import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.idp.guarded_fetch import Answer
    from reconciler.idp.investigation import Evidence

_MOST_SKEW: Final = 300
_NOT_SHOWN: Final = frozenset({Cause.ADDRESS_REFUSED, Cause.NOT_ALLOWED, Cause.TLS})
"""Why there was no preflight; other checks say so."""


def client_refused(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield what the authorization endpoint says of the client."""
    preflight = evidence.preflight
    connection = evidence.subject.connection
    match preflight.verdict if preflight else None:
        case Verdict.CLIENT_UNKNOWN:
            yield IdpFinding(
                code="client-unknown",
                summary=f"the provider does not know the client {quoted(connection.client_id or '')}",
            )
        case Verdict.NOT_REGISTERED:
            yield IdpFinding(
                code="redirect-not-registered",
                summary=f"the redirect URL {quoted(connection.redirect_url or '')} is not registered",
            )
        case Verdict.REFUSED if not _lacks_code_flow(evidence):  # which is said for every client
            yield IdpFinding(
                code="request-refused",
                summary=f"the provider refuses the login request of this client: {quoted(_error(evidence))}",
                key=_error(evidence),
            )
        case _:
            return


def preflight_inconclusive(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the answer says nothing about the client."""
    preflight = evidence.preflight
    if preflight is None or preflight.verdict is not Verdict.INCONCLUSIVE:
        return
    if not (isinstance(preflight.answer, NoAnswer) and preflight.answer.cause in _NOT_SHOWN):
        yield IdpFinding(
            code="preflight-inconclusive",
            summary=f"it is unknown whether the client and redirect URL are registered: {preflight.detail}",
        )


def clock_skew(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that two endpoints agree on another time than this machine; caches repeat an old `Date`."""
    documents = [evidence.metadata, evidence.keys.document if isinstance(evidence.keys, KeySet) else None]
    answers = [document.answer for document in documents if isinstance(document, Document)]
    skews = [skew for answer in answers if (skew := _skew(answer, evidence.now)) is not None]
    is_off = len(skews) > 1 and (min(skews) > _MOST_SKEW or max(skews) < -_MOST_SKEW)
    if is_off:
        yield IdpFinding(
            code="clock-skew",
            summary=f"the provider's clock is {abs(skews[0]):.0f} s {'ahead' if skews[0] > 0 else 'behind'}",
        )


def _lacks_code_flow(evidence: Evidence) -> bool:
    return any(finding.code == "code-flow-missing" for finding in abilities_missing(evidence))


def _error(evidence: Evidence) -> str:
    return evidence.preflight.error if evidence.preflight else ""


def _skew(answer: Answer, now: float) -> float | None:
    date = first_header(answer.headers, "Date")
    if date is None or first_header(answer.headers, "Age") is not None:
        return None
    try:
        moment = parsedate_to_datetime(date)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
