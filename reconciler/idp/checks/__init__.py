"""The checks: each is a pure function from evidence to findings.

A new check is one function and one entry in `CHECKS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.idp.checks import abilities, client, endpoints, issuer, keys, reachability, secret, tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.idp import IdpFinding
    from reconciler.idp.investigation import Evidence

CHECKS: Final[tuple[Callable[[Evidence], Iterator[IdpFinding]], ...]] = (
    reachability.metadata_unavailable,
    reachability.keys_unavailable,
    reachability.preflight_refused,
    tls.not_trusted,
    issuer.issuer_mismatch,
    issuer.issuer_templated,
    issuer.issuer_client_mismatch,
    keys.no_usable_key,
    keys.private_key_published,
    client.client_refused,
    secret.secret_expired,
    secret.secret_wrong,
    abilities.abilities_missing,
    abilities.special_requests_required,
    endpoints.endpoint_not_https,
    endpoints.endpoint_differs,
    endpoints.userinfo_missing,
    keys.key_ids_ambiguous,
    tls.expires_soon,
    secret.secret_looks_like_an_id,
    abilities.scopes_not_advertised,
    abilities.claims_not_advertised,
    secret.secret_expiry_unknown,
    client.preflight_inconclusive,
    secret.probe_inconclusive,
    secret.secret_not_probed,
    client.clock_skew,
)


def check_secret(evidence: Evidence) -> tuple[IdpFinding, ...]:
    """Check the form of the secret, for which no provider need be asked."""
    return tuple(secret.secret_looks_like_an_id(evidence))


def check(evidence: Evidence) -> tuple[IdpFinding, ...]:
    """Run all checks, and return each finding once."""
    findings = (finding for check_one in CHECKS for finding in check_one(evidence))
    return tuple({(finding.code, finding.key): finding for finding in findings}.values())
