"""Checks whether the provider offers what a login through the service needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.idp import IdpFinding, quoted
from reconciler.idp.metadata import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.codes import Code
    from reconciler.idp.investigation import Evidence

_NO_CODE_FLOW: Final = "the provider does not offer the authorization code flow"
_NEEDED: Final[tuple[tuple[Code, str, frozenset[str], str], ...]] = (
    ("code-flow-missing", "response_types_supported", frozenset({"code"}), _NO_CODE_FLOW),
    ("code-flow-missing", "grant_types_supported", frozenset({"authorization_code"}), _NO_CODE_FLOW),
    (
        "client-auth-unsupported",
        "token_endpoint_auth_methods_supported",
        frozenset({"client_secret_basic", "client_secret_post"}),
        "clients can authenticate only by {}, not with a secret",
    ),
    (
        "signing-alg",
        "id_token_signing_alg_values_supported",
        frozenset({"RS256", "PS256", "ES256"}),
        "ID tokens are signed by {}, not by RS256, PS256 or ES256",
    ),
)
"""Code, list, entries of which one is needed, and summary. A list that is absent has the default, which
suffices (Discovery, section 3)."""

_REQUIRED: Final[tuple[tuple[Code, str, str], ...]] = (
    ("par-required", "require_pushed_authorization_requests", "pushed"),
    ("jar-required", "require_signed_request_object", "signed"),
)
"""Code, flag, and what authorization requests have to be (RFC 9126, section 5; RFC 9101, section 10.5)."""

_MOST_NAMES: Final = 5


def abilities_missing(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield what a login needs and the provider does not list."""
    for code, name, needed, summary in _NEEDED:
        listed = evidence.listed(name)
        if listed is not None and needed.isdisjoint(listed):
            yield IdpFinding(code=code, summary=summary.format(_names(listed)))


def special_requests_required(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that authorization requests have to be pushed or signed."""
    for code, name, kind in _REQUIRED:
        if isinstance(evidence.metadata, Document) and evidence.metadata.is_true(name):
            yield IdpFinding(code=code, summary=f"the provider requires {kind} authorization requests")


def scopes_not_advertised(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield the scopes that the provider does not list; it may hide some (Discovery, section 3)."""
    missing = _not_listed(evidence, "scopes_supported", evidence.subject.connection.custom_scopes or ())
    if missing:
        summary = f"the provider does not list the scope {_names(missing)}"
        yield IdpFinding(code="scope-not-advertised", summary=summary, key=" ".join(missing))


def claims_not_advertised(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield the mapped claims that the provider does not list; the list is optional, and often incomplete."""
    mapped = evidence.subject.connection.attribute_mapping or {}
    missing = _not_listed(evidence, "claims_supported", sorted({str(claim) for claim in mapped.values()}))
    if missing:
        summary = f"`attribute_mapping` names {_names(missing)}, which the provider does not list"
        yield IdpFinding(code="claim-not-advertised", summary=summary, key=" ".join(missing))


def _not_listed(evidence: Evidence, name: str, wanted: Sequence[str]) -> list[str]:
    listed = evidence.listed(name)
    return [item for item in wanted if item not in listed] if listed else []


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    text = ", ".join(quoted(name) for name in names[:_MOST_NAMES]) or "nothing"
    return f"{text} and {more} more" if more > 0 else text
