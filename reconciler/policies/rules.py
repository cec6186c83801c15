"""All risk rules, in the order in which their findings are shown: the gravest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.policies import (
    endpoint_off_site,
    identity_claims,
    multi_tenant_issuer,
    provider_mismatch,
    secret_kept,
    unusual_host,
)
from reconciler.policies.host_change import host_change_rule
from reconciler.policies.shared_client import SHARED_CLIENT

if TYPE_CHECKING:
    from reconciler.policies.rule import Rule

_WHO_LOGS_IN: Final = "whoever is there now says who logs in to this organization, and as whom"

RULES: Final[tuple[Rule, ...]] = (
    host_change_rule("issuer", _WHO_LOGS_IN),
    host_change_rule("jwks_url", "whoever holds the keys there can log in as anybody"),
    host_change_rule("token_url", "authorization codes and the client_secret go there"),
    secret_kept.RULE,
    SHARED_CLIENT,
    endpoint_off_site.RULE,
    multi_tenant_issuer.RULE,
    unusual_host.LOOK_ALIKE,
    unusual_host.USER_INFO,
    unusual_host.ADDRESS,
    unusual_host.PRIVATE,
    host_change_rule("userinfo_url", "what is there decides on names, e-mail addresses and groups"),
    host_change_rule("authorization_url", "members are sent there to type their passwords"),
    identity_claims.MAPPING,
    identity_claims.SCOPES,
    provider_mismatch.RULE,
)
