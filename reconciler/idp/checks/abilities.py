"""Checks whether the provider offers what a login through the service needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.idp import IdpFinding, quoted
from reconciler.idp.metadata import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.codes import Code
    from reconciler.idp.investigation import Evidence

_SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
_ALGORITHMS: Final = frozenset({"RS256", "PS256", "ES256"})
_REQUIREMENTS: Final[Mapping[str, tuple[Code, str, str, str]]] = {
    "require_pushed_authorization_requests": ("par-required", "pushed", "push", "plain"),
    "require_signed_request_object": ("jar-required", "signed", "sign", "unsigned"),
}
_MOST_NAMES: Final = 5


def code_flow_missing(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that no code is issued. A provider that lists no grant types offers the code (Discovery, 3)."""
    types = evidence.listed("response_types_supported")
    grants = evidence.listed("grant_types_supported")
    if (types is not None and "code" not in types) or (
        grants is not None and "authorization_code" not in grants
    ):
        yield IdpFinding(
            code="code-flow-missing",
            summary="the provider does not offer the authorization code flow",
            why="the service uses this flow for logins",
            hint="enable the flow at the provider, or declare another issuer",
        )


def client_auth_unsupported(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that clients cannot authenticate with a secret. Without a list, they can (Discovery, 3)."""
    methods = evidence.listed("token_endpoint_auth_methods_supported")
    if methods is not None and _SECRET_METHODS.isdisjoint(methods):
        yield IdpFinding(
            code="client-auth-unsupported",
            summary=f"clients can authenticate only by {_names(methods)}, not with a secret",
            why="the service can authenticate only with a client secret",
            hint="allow client_secret_basic or client_secret_post at the provider",
        )


def special_requests_required(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that authorization requests have to be pushed or signed (RFC 9126, section 5; RFC 9101, 10.5)."""
    for name, (code, kind, action, allowed) in _REQUIREMENTS.items():
        if isinstance(evidence.metadata, Document) and evidence.metadata.is_true(name):
            yield IdpFinding(
                code=code,
                summary=f"the provider requires {kind} authorization requests",
                why=f"the service probably does not {action} requests, so every login is refused",
                hint=f"allow {allowed} authorization requests for this client",
            )


def signing_algorithms(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that ID tokens are signed by unusual algorithms only."""
    algorithms = evidence.listed("id_token_signing_alg_values_supported")
    if algorithms is not None and _ALGORITHMS.isdisjoint(algorithms):
        yield IdpFinding(
            code="signing-alg",
            summary=f"ID tokens are signed by {_names(algorithms)}, not by RS256, PS256 or ES256",
            why="the service may not accept them",
            hint="choose RS256 for this client at the provider",
        )


def scopes_not_advertised(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield the scopes that the provider does not list; it may hide some (Discovery, section 3)."""
    listed = evidence.listed("scopes_supported")
    scopes = evidence.subject.connection.custom_scopes or ()
    missing = [scope for scope in scopes if scope not in (listed or ())]
    if listed and missing:
        yield IdpFinding(
            code="scope-not-advertised",
            summary=f"the provider does not list the scope {_names(missing)}",
            why="many providers list only some scopes; without this scope, its claims are missing",
            key=" ".join(missing),
        )


def claims_not_advertised(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield the mapped claims that the provider does not list; the list is optional, and often incomplete."""
    listed = evidence.listed("claims_supported")
    mapped = evidence.subject.connection.attribute_mapping or {}
    missing = sorted({str(claim) for claim in mapped.values()} - set(listed or ()))
    if listed and missing:
        yield IdpFinding(
            code="claim-not-advertised",
            summary=f"`attribute_mapping` names {_names(missing)}, which the provider does not list",
            why="the attribute stays empty if the claim is not sent; only a login shows whether it is",
            key=" ".join(missing),
        )


def _names(names: tuple[str, ...] | list[str]) -> str:
    more = len(names) - _MOST_NAMES
    text = ", ".join(quoted(name) for name in names[:_MOST_NAMES]) or "nothing"
    return f"{text} and {more} more" if more > 0 else text
