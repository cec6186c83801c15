"""All risk rules, in the order in which their findings are shown: the most severe first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from reconciler.core.change import Create, Delete, Update, unknown_after
from reconciler.policies.provider_sites import ENDPOINT_OFF_SITE, PROVIDER_MISMATCH
from reconciler.policies.rule import Rule
from reconciler.policies.shared_client import SHARED_CLIENT
from reconciler.policies.urls import address, authority, host, is_loopback, is_private, written_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

_SHARED_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
"""Path segments by which Microsoft Entra names an issuer for more than one tenant."""

_REQUIRED_SCOPES: Final = ("openid", "email")
_DEFAULT_SCOPES: Final = ("openid", "email", "profile")
"""What an unset custom_scopes stands for (reference of the OIDC connection object)."""


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
    segments = [unquote(segment).lower() for segment in urlsplit(issuer).path.split("/")]
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
        if "@" in urlsplit(url).netloc:
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
    return urlsplit(url).scheme == "http" and is_loopback(host(url))


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
    ENDPOINT_OFF_SITE,
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
    Rule(
        id="url-user-info",
        find=_user_info,
        why="text before `@` is easily mistaken for the host name",
    ),
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
    PROVIDER_MISMATCH,
)
