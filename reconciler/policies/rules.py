"""All risk rules, in the order in which their findings are shown: the most severe first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote

from reconciler.core.change import Create, Delete, Update, unknown_after
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER, INFERRED_FIELDS
from reconciler.http.urls import is_loopback, parse_url
from reconciler.policies.urls import address, authority, host, is_private, site, url_after, written_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.state import DesiredOrganization

    DeclaredClients = Mapping[tuple[str, str], Sequence[str]]
    """The organizations that declare an issuer and client_id."""

_SHARED_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
"""Path segments by which Microsoft Entra names an issuer for more than one tenant."""

_REQUIRED_SCOPES: Final = ("openid", "email")
_DEFAULT_SCOPES: Final = ("openid", "email", "profile")
"""What an unset custom_scopes stands for (reference of the OIDC connection object)."""

_HOSTS: Final = {
    "okta": ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com"),
    "microsoft-entra": ("login.microsoftonline.com", "login.microsoftonline.us", "sts.windows.net"),
    "google-workspace": ("accounts.google.com",),
    "onelogin": ("onelogin.com",),
    "jumpcloud": ("jumpcloud.com",),
    "duo": ("duosecurity.com",),
    "salesforce": ("salesforce.com", "force.com"),
    "rippling": ("rippling.com",),
}
"""Hosts that certainly belong to one provider. Customers may use domains of their own, so a host that
is in no list proves nothing."""

_SAME_OWNER: Final = (
    frozenset({"microsoftonline.com", "microsoft.com", "windows.net", "microsoftonline.us", "microsoft.us"}),
    frozenset({"google.com", "googleapis.com"}),
)
"""Sites of identity providers whose own metadata spreads endpoints over several."""

Find: TypeAlias = "Callable[[Change], Iterable[str]]"
"""Yields a clause for each risk of a change; the address is put before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its id, as the project file names it, what it finds, and why that matters."""

    id: str
    find: Find
    why: str


def declared_clients(organizations: Iterable[DesiredOrganization]) -> DeclaredClients:
    """Return in which organizations, by reference, each pair of issuer and client_id is declared."""
    clients = defaultdict(list)
    for organization in organizations:
        for desired in organization.connections:
            issuer, client_id = desired.connection.issuer, desired.connection.client_id
            if issuer and client_id and not desired.is_absent:
                clients[issuer, client_id].append(organization.reference)
    return clients


def find_shared(change: Change, clients: DeclaredClients) -> Iterator[str]:
    """Yield a clause if another organization declares the client that this change writes."""
    if not isinstance(change, Create | Update) or not _writes(change, "issuer", "client_id"):
        return
    key = (change.declared.issuer or "", change.declared.client_id or "")
    organizations = dict.fromkeys(clients.get(key, ()))
    others = [name for name in organizations if name != change.address.organization]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""  # noqa: PLR2004 - three are named
        yield f"issuer and client_id are those of {', '.join(others[:3])}{more} too"


def _host_change(name: str, why: str) -> Rule:
    """Return the rule about the host of one URL field."""

    def find(change: Change) -> Iterator[str]:
        if not isinstance(change, Update) or name not in change.changed:
            return
        before, after = authority(getattr(change.before, name)), authority(getattr(change.declared, name))
        if before and before != after:
            yield f"the host of {name} changes from {before} to {after}"

    return Rule(id=f"{name.replace('_', '-')}-host-change", find=find, why=why)


def _secret_kept(change: Change) -> Iterator[str]:
    """The secret stays the same while the host that it is sent to changes."""
    if not isinstance(change, Update) or "client_secret" in change.changed:
        return
    field = "issuer" if "token_url" in unknown_after(change) else "token_url"
    before, after = authority(getattr(change.before, field)), authority(getattr(change.declared, field))
    if field in change.changed and before and before != after:
        yield f"the client_secret of {before} will be sent to {after}"


def _multi_tenant_issuer(change: Change) -> Iterator[str]:
    issuer = dict(written_urls(change)).get("issuer", "")
    segments = [unquote(segment).lower() for segment in parse_url(issuer).path.split("/")]
    shared = [name for name in segments if name in _SHARED_TENANTS or name.startswith("{tenant")]
    if shared:
        yield f"the issuer is for every tenant (/{shared[0]})"


def _ip_addresses(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if address(host(url)) is not None and not _is_emulator(url):
            yield f"{name} leads to the IP address {host(url)}"


def _private_hosts(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if host(url) and is_private(host(url)) and not _is_emulator(url):
            yield f"{name} leads to {host(url)}, which is not on the public Internet"


def _unicode_hosts(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if not host(url).isascii() or any(label.startswith("xn--") for label in host(url).split(".")):
            yield f"{name} has letters outside ASCII in its host: {host(url)}"


def _user_info(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if "@" in parse_url(url).netloc:
            yield f"{name} has user information before its host {host(url)}"


def _attribute_mapping(change: Change) -> Iterator[str]:
    if isinstance(change, Update) and "attribute_mapping" in change.changed:
        yield "attribute_mapping changes"


def _dropped_scopes(change: Change) -> Iterator[str]:
    if isinstance(change, Delete) or not change.declared.custom_scopes:
        return
    if isinstance(change, Update) and "custom_scopes" not in change.changed:
        return
    before = (change.before.custom_scopes if isinstance(change, Update) else ()) or _DEFAULT_SCOPES
    required = [scope for scope in _REQUIRED_SCOPES if scope in before]
    dropped = [scope for scope in required if scope not in change.declared.custom_scopes]
    if dropped:
        verb = "does not request" if isinstance(change, Create) else "no longer requests"
        yield f"custom_scopes {verb} {' and '.join(dropped)}"


def _is_emulator(url: str) -> bool:
    """Tell whether a URL leads to this machine without TLS, as only those of emulators do."""
    return parse_url(url).scheme == "http" and is_loopback(host(url))


def _endpoint_off_site(change: Change) -> Iterator[str]:
    if not isinstance(change, Create | Update):
        return
    issuer = host(url_after(change, "issuer"))
    for name in INFERRED_FIELDS:
        endpoint = host(url_after(change, name))
        if issuer and endpoint and _writes(change, name, "issuer") and not _same_owner(issuer, endpoint):
            yield f"{name} is at {endpoint}, while the issuer is at {issuer}"


def _provider_mismatch(change: Change) -> Iterator[str]:
    if not isinstance(change, Create | Update) or not _writes(change, "identity_provider", "issuer"):
        return
    provider = change.declared.identity_provider
    issuer = host(url_after(change, "issuer"))
    owner = next((owner for owner, hosts in _HOSTS.items() if _is_below(issuer, hosts)), None)
    if provider not in {None, DEFAULT_IDENTITY_PROVIDER, owner} and owner is not None:
        yield f"identity_provider is {provider}, but {issuer} belongs to {owner}"


def _writes(change: Create | Update, *names: str) -> bool:
    return isinstance(change, Create) or not set(names).isdisjoint(change.changed)


def _same_owner(issuer: str, endpoint: str) -> bool:
    sites = {site(issuer), site(endpoint)}
    return len(sites) == 1 or any(sites <= owned for owned in _SAME_OWNER)


def _is_below(name: str, hosts: tuple[str, ...]) -> bool:
    return any(name == parent or name.endswith(f".{parent}") for parent in hosts)


SHARED_CLIENT: Final = Rule(
    id="shared-client",
    find=lambda _change: (),  # needs all organizations: see `find_shared`
    why="members of one customer could log in to the other's organization",
)

RULES: Final[tuple[Rule, ...]] = (
    _host_change("issuer", "the new issuer can sign in as any member of this organization"),
    _host_change("jwks_url", "anyone who controls it can log in as any user"),
    _host_change("token_url", "authorization codes and the client_secret are sent there"),
    Rule(
        id="secret-kept",
        find=_secret_kept,
        why="the old client secret will be sent to the new host; rotate it",
    ),
    SHARED_CLIENT,
    Rule(
        id="endpoint-off-site",
        find=_endpoint_off_site,
        why="an endpoint elsewhere can answer for the issuer: anyone who controls it can log in as any user, "
        "or collect codes and secrets",
    ),
    Rule(
        id="multi-tenant-issuer",
        find=_multi_tenant_issuer,
        why="a multi-tenant issuer: users of any tenant may sign in, or sign-in fails because `iss` differs",
    ),
    Rule(
        id="punycode-host",
        find=_unicode_hosts,
        why="such a name can look exactly like another one and belong to someone else",
    ),
    Rule(id="url-user-info", find=_user_info, why="text before `@` is easily mistaken for the host name"),
    Rule(
        id="ip-literal-host",
        find=_ip_addresses,
        why="public certificate authorities rarely certify IP addresses, so it is unclear who controls it",
    ),
    Rule(
        id="private-host",
        find=_private_hosts,
        why="the service would send requests into a private network, or nobody could log in",
    ),
    _host_change("userinfo_url", "it supplies the members' names, email addresses and groups"),
    _host_change("authorization_url", "members are sent there to enter their passwords"),
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
    Rule(
        id="provider-issuer-mismatch",
        find=_provider_mismatch,
        why="the service handles each provider differently; the wrong one can break logins",
    ),
)
