"""Checks whether metadata and keys can be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import Severity
from reconciler.core.idp import IdpFinding
from reconciler.idp.guarded_fetch import Cause, NoAnswer
from reconciler.idp.metadata import ENDPOINTS, Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.codes import Code
    from reconciler.idp.investigation import Evidence


def metadata_unavailable(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield why there is no metadata."""
    problem = evidence.metadata
    if not isinstance(problem, NoAnswer):
        return
    where = f"the metadata at {problem.url}"
    match problem.cause:
        case Cause.UNREACHABLE:
            summary = f"{where} could not be reached: {problem.reason}"
            yield IdpFinding(code="idp-unreachable", summary=summary)
        case Cause.NOT_FOUND:
            yield _not_found(where, problem, evidence)
        case Cause.REJECTED:
            yield IdpFinding(code="idp-not-metadata", summary=f"{where} is not valid: {problem.reason}")
        case _:
            yield from refused_or_not_asked(where, problem)


def keys_unavailable(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield why there are no keys."""
    keys = evidence.keys
    if isinstance(keys, NoAnswer) and keys.cause in {Cause.ADDRESS_REFUSED, Cause.NOT_ALLOWED}:
        yield from refused_or_not_asked(f"the key set at {keys.url}", keys)
    elif isinstance(keys, NoAnswer) and keys.cause is not Cause.TLS:
        summary = f"the key set at {keys.url} cannot be fetched: {keys.reason}"
        yield IdpFinding(code="keys-unreachable", summary=summary)
    elif isinstance(keys, str):
        yield IdpFinding(code="keys-unreachable", summary=f"the published key set is not valid: {keys}")
    elif keys is None and isinstance(evidence.metadata, Document):
        summary = "neither the metadata nor the connection names a key set"
        yield IdpFinding(code="keys-unreachable", summary=summary)


def preflight_refused(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield why the authorization endpoint was not asked."""
    answer = evidence.preflight.answer if evidence.preflight else None
    if isinstance(answer, NoAnswer):
        yield from refused_or_not_asked("the authorization URL", answer)


def refused_or_not_asked(where: str, problem: NoAnswer) -> Iterator[IdpFinding]:
    """Yield that an address is refused, or that its host is not among those that may be asked."""
    if problem.cause is Cause.ADDRESS_REFUSED:
        yield IdpFinding(
            code="idp-address-refused", summary=f"{where} was not fetched: {problem.reason}", key=where
        )
    elif problem.cause is Cause.NOT_ALLOWED:
        yield IdpFinding(
            code="idp-not-asked", summary=f"{where} was not contacted: {problem.reason}", key=where
        )


def _not_found(where: str, problem: NoAnswer, evidence: Evidence) -> IdpFinding:
    """Return the finding; an error where an earlier report read what no longer exists."""
    code: Code = "idp-not-found"
    summary = f"{where} does not exist: {problem.reason}"
    if evidence.subject.declared.issuperset(ENDPOINTS):
        why = "the four URLs are declared, so the service needs no metadata"
        return IdpFinding(code=code, summary=summary, why=why, hint="", severity=Severity.INFO)
    if not evidence.subject.had_metadata:
        return IdpFinding(code=code, summary=summary)
    return IdpFinding(
        code=code,
        summary=summary,
        why="an earlier report read it, so the tenant may have been deleted or renamed",
        hint="ask the provider's administrators; without metadata, declare the four URLs",
        severity=Severity.ERROR,
    )
