"""The rules that compare trust domains: of an issuer and its endpoints, before and after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update, unknown_after
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER, INFERRED_FIELDS
from reconciler.core.errors import Severity
from reconciler.policies.rule import Clause, ErrorCase, Rule, writes
from reconciler.policies.trust_domain import (
    declared_as,
    is_same_trust_domain,
    is_shared_issuer,
    open_tenant,
    trust_domain,
)
from reconciler.policies.urls import authority, host, url_after, written_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import ConnectionChange
    from reconciler.core.codes import Code
    from reconciler.policies.estate import Estate


def _host_change(rule_id: Code, name: str, why: str) -> Rule:
    """Return the rule about the trust domain of one URL field."""

    def find(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
        if not isinstance(change, Update) or name not in change.changed:
            return
        before, after = getattr(change.before, name), getattr(change.declared, name)
        if before and not is_same_trust_domain(before, after):
            subject = "tenant" if authority(before) == authority(after) else "host"
            yield Clause(name, f"the {subject} of {name} changes from {_label(before)} to {_label(after)}")

    return Rule(id=rule_id, find=find, why=why, severity=Severity.ERROR)


def _issuer_change(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    """The issuer changes within its trust domain."""
    if not isinstance(change, Update) or "issuer" not in change.changed or not change.before.issuer:
        return
    before, after = change.before.issuer, change.declared.issuer
    if is_same_trust_domain(before, after):
        yield Clause("issuer", f"the issuer changes from {before} to {after}")


def _client_id_change(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    if isinstance(change, Update) and "client_id" in change.changed and change.before.client_id:
        before, after = change.before.client_id, change.declared.client_id
        shared = f" at {_label(url_after(change, 'issuer'))}" if _has_shared_issuer(change) else ""
        yield Clause("client_id", f"client_id changes from {before} to {after}{shared}")


def _has_shared_issuer(change: ConnectionChange) -> bool:
    return isinstance(change, Create | Update) and is_shared_issuer(url_after(change, "issuer"))


def _secret_kept(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    """The secret stays the same while the trust domain that it is sent to changes."""
    if not isinstance(change, Update) or "client_secret" in change.changed:
        return
    name = "issuer" if "token_url" in unknown_after(change) else "token_url"
    before = getattr(change.before, name) or change.before.issuer
    after = getattr(change.declared, name)
    if name in change.changed and before and not is_same_trust_domain(before, after):
        yield Clause(name, f"the client_secret of {_label(before)} will be sent to {_label(after)}")


def _endpoint_off_site(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    """An endpoint is in another trust domain than its issuer, whose own metadata does not name it.

    A hijacked document moves no endpoint unseen: if the trust domain of a live one changes, the rules about
    such changes and `secret-kept` report that, even if the metadata names the new one.
    """
    if not isinstance(change, Create | Update):
        return
    issuer = url_after(change, "issuer")
    for name in INFERRED_FIELDS:
        endpoint = url_after(change, name)
        if not host(issuer) or not host(endpoint) or not writes(change, name, "issuer"):
            continue
        if endpoint == change.published.get(name):
            continue  # the issuer itself names it: the service would infer the same
        if not is_same_trust_domain(issuer, endpoint):
            yield Clause(name, f"{name} is at {_label(endpoint)}, while the issuer is at {_label(issuer)}")


def _multi_tenant_issuer(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    tenant = open_tenant(dict(written_urls(change)).get("issuer"))
    if tenant:
        yield Clause("issuer", f"the issuer is for every tenant (/{tenant})")


def _provider_mismatch(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    if not isinstance(change, Create | Update) or not writes(change, "identity_provider", "issuer"):
        return
    provider, issuer = change.declared.identity_provider, url_after(change, "issuer")
    owner = declared_as(issuer)
    if owner and provider not in {None, DEFAULT_IDENTITY_PROVIDER, owner}:
        yield Clause(
            "identity_provider", f"identity_provider is {provider}, but {host(issuer)} belongs to {owner}"
        )


def _label(url: str | None) -> str:
    domain = trust_domain(url)
    return domain.label if domain else str(url)


ISSUER_HOST_CHANGE: Final = _host_change(
    "issuer-host-change", "issuer", "the new issuer can sign in as any member of this organization"
)
JWKS_URL_HOST_CHANGE: Final = _host_change(
    "jwks-url-host-change", "jwks_url", "anyone who controls it can log in as any user"
)
TOKEN_URL_HOST_CHANGE: Final = _host_change(
    "token-url-host-change", "token_url", "authorization codes and the client_secret are sent there"
)
USERINFO_URL_HOST_CHANGE: Final = _host_change(
    "userinfo-url-host-change", "userinfo_url", "it supplies the members' names, email addresses and groups"
)
AUTHORIZATION_URL_HOST_CHANGE: Final = _host_change(
    "authorization-url-host-change", "authorization_url", "members are sent there to enter their passwords"
)

ISSUER_CHANGE: Final = Rule(
    id="issuer-change",
    find=_issuer_change,
    why="another authorization server of the same provider may have other users, claims and policies",
)

CLIENT_ID_CHANGE: Final = Rule(
    id="client-id-change",
    find=_client_id_change,
    why="the client decides whose users may log in; at an issuer that all customers share, nothing else does",
    error_case=ErrorCase(_has_shared_issuer, "at an issuer that all customers of a provider share"),
)

SECRET_KEPT: Final = Rule(
    id="secret-kept",
    find=_secret_kept,
    why="the old client secret will be sent to the new host or tenant; rotate it",
    severity=Severity.ERROR,
)

ENDPOINT_OFF_SITE: Final = Rule(
    id="endpoint-off-site",
    find=_endpoint_off_site,
    why="an endpoint elsewhere can answer for the issuer: anyone who controls it can log in as any user, "
    "or collect codes and secrets",
    severity=Severity.ERROR,
)

MULTI_TENANT_ISSUER: Final = Rule(
    id="multi-tenant-issuer",
    find=_multi_tenant_issuer,
    why="a multi-tenant issuer: users of any tenant may sign in, or sign-in fails because `iss` differs",
    severity=Severity.ERROR,
)

PROVIDER_ISSUER_MISMATCH: Final = Rule(
    id="provider-issuer-mismatch",
    find=_provider_mismatch,
    why="the service handles each provider differently; the wrong one can break logins",
    severity=Severity.ERROR,
)
