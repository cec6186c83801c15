"""All risk rules, in the order in which their findings are shown: the most severe first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Delete, Update
from reconciler.core.errors import Severity
from reconciler.core.secret import SecretReference
from reconciler.http.urls import is_loopback, parse_url
from reconciler.policies import trust_rules
from reconciler.policies.rule import Clause, Rule, writes
from reconciler.policies.trust_domain import client_key
from reconciler.policies.urls import address, host, is_private, url_after, written_urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.change import ConnectionChange
    from reconciler.policies.estate import Estate


_NAMED: Final = 3


def _shared_client(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """Another organization has the client that this change writes."""
    if not isinstance(change, Create | Update) or not writes(change, "issuer", "client_id"):
        return
    client_id = change.declared.client_id or (change.before.client_id if isinstance(change, Update) else None)
    issuer = url_after(change, "issuer")
    if not issuer or not client_id:
        return
    if shared := _others(change, estate.clients.get(client_key(issuer, client_id), ())):
        yield Clause("client_id", f"issuer and client_id are those of {shared} too")


def _shared_secret(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """Another organization has the secret that this change writes: by reference, or by value."""
    if not isinstance(change, Create | Update) or not writes(change, "client_secret", "issuer", "token_url"):
        return
    secret = change.declared.client_secret
    if not isinstance(secret, SecretReference):
        return
    for locator in secret.locators:
        if shared := _others(change, estate.secrets.get(locator, ())):
            yield Clause("client_secret", f"client_secret refers to {locator}, as {shared} does too")
            return
    equal = next((group for group in estate.equal_secrets if secret in group), frozenset())
    users = (name for text in equal for locator in text.locators for name in estate.secrets.get(locator, ()))
    if shared := _others(change, sorted(users)):
        yield Clause("client_secret", f"client_secret has the value of that of {shared}")


def _unpinned(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """A secret is sent to an organization that is found by a name which can pass to another one."""
    if not isinstance(change, Create) or change.declared.client_secret is None:
        return
    reference = change.address.organization
    if change.organization_id not in estate.pins.get(reference, frozenset({change.organization_id})):
        identity = change.organization_id  # empty where only the manifests are compared
        place = f"{identity}, which was found" if identity else "the organization that is found"
        yield Clause("client_secret", f"a client_secret is sent to {place} by the name {reference!r}")


def _others(change: ConnectionChange, references: Iterable[str]) -> str:
    """Name up to three of the organizations, without that of the change."""
    names = [name for name in dict.fromkeys(references) if name != change.address.organization]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


SHARED_CLIENT: Final = Rule(
    id="shared-client",
    find=_shared_client,
    why="members of one customer could log in to the other's organization",
)

SECRET_REFERENCE_SHARED: Final = Rule(
    id="secret-reference-shared",
    find=_shared_secret,
    why="the secret of one customer is sent to the identity provider of another",
)

UNPINNED_ORGANIZATION: Final = Rule(
    id="unpinned-organization",
    find=_unpinned,
    why="a slug or external id can belong to another organization tomorrow; `reconciler pin` adds the "
    "organization_id",
)


_REQUIRED_SCOPES: Final = ("openid", "email")
_DEFAULT_SCOPES: Final = ("openid", "email", "profile")
"""What an unset custom_scopes stands for (reference of the OIDC connection object)."""


def _ip_addresses(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    for name, url in written_urls(change):
        if address(host(url)) is not None and not _is_emulator(url):
            yield Clause(name, f"{name} leads to the IP address {host(url)}")


def _private_hosts(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    for name, url in written_urls(change):
        if host(url) and is_private(host(url)) and not _is_emulator(url):
            yield Clause(name, f"{name} leads to {host(url)}, which is not on the public Internet")


def _unicode_hosts(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    for name, url in written_urls(change):
        if not host(url).isascii() or any(label.startswith("xn--") for label in host(url).split(".")):
            yield Clause(name, f"{name} has letters outside ASCII in its host: {host(url)}")


def _user_info(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    for name, url in written_urls(change):
        if "@" in parse_url(url).netloc:
            yield Clause(name, f"{name} has user information before its host {host(url)}")


def _attribute_mapping(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    if isinstance(change, Update) and "attribute_mapping" in change.changed:
        yield Clause("attribute_mapping", "attribute_mapping changes")


def _dropped_scopes(change: ConnectionChange, _: Estate) -> Iterator[Clause]:
    if isinstance(change, Delete) or not change.declared.custom_scopes:
        return
    if isinstance(change, Update) and "custom_scopes" not in change.changed:
        return
    before = (change.before.custom_scopes if isinstance(change, Update) else ()) or _DEFAULT_SCOPES
    required = [scope for scope in _REQUIRED_SCOPES if scope in before]
    dropped = [scope for scope in required if scope not in change.declared.custom_scopes]
    if dropped:
        verb = "does not request" if isinstance(change, Create) else "no longer requests"
        yield Clause("custom_scopes", f"custom_scopes {verb} {' and '.join(dropped)}")


def _is_emulator(url: str) -> bool:
    """Tell whether a URL leads to this machine without TLS, as only those of emulators do."""
    return parse_url(url).scheme == "http" and is_loopback(host(url))


RULES: Final[tuple[Rule, ...]] = (
    trust_rules.ISSUER_HOST_CHANGE,
    trust_rules.JWKS_URL_HOST_CHANGE,
    trust_rules.TOKEN_URL_HOST_CHANGE,
    trust_rules.SECRET_KEPT,
    trust_rules.CLIENT_ID_CHANGE,
    SHARED_CLIENT,
    SECRET_REFERENCE_SHARED,
    trust_rules.ENDPOINT_OFF_SITE,
    trust_rules.MULTI_TENANT_ISSUER,
    Rule(
        id="punycode-host",
        find=_unicode_hosts,
        why="such a name can look exactly like another one and belong to someone else",
        severity=Severity.ERROR,
    ),
    Rule(
        id="url-user-info",
        find=_user_info,
        why="text before `@` is easily mistaken for the host name",
        severity=Severity.ERROR,
    ),
    Rule(
        id="ip-literal-host",
        find=_ip_addresses,
        why="public certificate authorities rarely certify IP addresses, so it is unclear who controls it",
        severity=Severity.ERROR,
    ),
    Rule(
        id="private-host",
        find=_private_hosts,
        why="the service would send requests into a private network, or nobody could log in",
        severity=Severity.ERROR,
    ),
    trust_rules.USERINFO_URL_HOST_CHANGE,
    trust_rules.AUTHORIZATION_URL_HOST_CHANGE,
    trust_rules.PROVIDER_ISSUER_MISMATCH,
    trust_rules.ISSUER_CHANGE,
    UNPINNED_ORGANIZATION,
    Rule(
        id="attribute-mapping-change",
        find=_attribute_mapping,
        why="the mapping decides which claims become a member's attributes, including roles",
    ),
    Rule(
        id="scopes-dropped",
        find=_dropped_scopes,
        why="without openid there is no ID token; without email users cannot be matched to members",
    ),
)
