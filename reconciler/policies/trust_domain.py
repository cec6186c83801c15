"""Trust domains: who is trusted through a URL, by registrable domain and tenant.

The problem: a host name does not say who answers. Thousands of customers share the registrable domain
of a hosting company or of an identity provider, and some providers tell their tenants apart by the path
alone, while others spread the endpoints of one tenant over several domains.

The rule: the table of providers is asked first. If a URL has one of its forms, the owner is that
provider, and the tenant is what the form names. Otherwise the owner is whoever registered the domain,
by the public suffix list with its private part, and the tenant is a realm if the path names one.

Two URLs are in one trust domain if they have the same owner, and if no part of the tenant that both of
them name differs. A URL of a provider that is written in an unusual way (another port, http, a dot at
the end, dots or empty segments in the path) is only in one trust domain with URLs written likewise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

from reconciler.http.urls import parse_url
from reconciler.policies.providers import PROVIDERS
from reconciler.policies.urls import address, authority, host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.policies.providers import Provider

_PART: Final = re.compile(r"(\{\w+\}|\*)")
_IGNORED: Final = "_"
_HOST_TENANT: Final = "host"
_CASE_SENSITIVE: Final = frozenset({"pool", "realm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustDomain:
    """Who is trusted through a URL: the owner of its host, and the tenant, by the parts of its name.

    ``label`` names it to people. ``provider`` is None for a host of nobody's in the table.
    """

    owner: str
    tenant: Mapping[str, str]
    label: str
    provider: Provider | None = None

    def includes(self, trusted: TrustDomain) -> bool:
        """Tell whether both are one trust domain."""
        return self.owner == trusted.owner and all(
            trusted.tenant.get(name, value) == value for name, value in self.tenant.items()
        )


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of the table, as an expression that matches host and path together."""

    provider: Provider
    expression: re.Pattern[str]


def is_same_trust_domain(first: str | None, second: str | None) -> bool:
    """Tell whether the same party is trusted through two URLs. A URL without a host is with nobody."""
    a, b = trust_domain(first), trust_domain(second)
    return a is not None and b is not None and a.includes(b)


@lru_cache(maxsize=4096)
def trust_domain(url: str | None) -> TrustDomain | None:
    """Return the trust domain of a URL, or None if it has no host."""
    name = host(url)
    if not name:
        return None
    segments = _segments(url)
    where = "/".join((name, *segments))
    match = _match(_tenant_forms(), where)
    if match is None:
        return _of_registrant(url, name, segments)
    form, tenant = match
    is_usual = _is_plain(segments) and _is_usual_address(url, name)
    return TrustDomain(
        owner=form.provider.name if is_usual else f"{form.provider.name} at {url}",
        tenant=tenant,
        label=_label(url, form, where, tenant),
        provider=form.provider,
    )


def is_shared_issuer(issuer: str | None) -> bool:
    """Tell whether all customers of a provider have this issuer, so that the client is the customer."""
    where = "/".join((host(issuer), *_normalized(issuer)))
    return any(form.expression.fullmatch(where) for form in _shared_issuers())


def open_tenant(issuer: str | None) -> str:
    """Return the tenant of an issuer that lets in users of any tenant, or nothing."""
    match = _match(_tenant_forms(), "/".join((host(issuer), *_normalized(issuer))))
    if match is None or not match[0].provider.open_tenants:
        return ""
    tenant = match[1].get("tenant", "")
    is_open = tenant in match[0].provider.open_tenants or tenant.startswith(("{", "<"))
    return tenant if is_open else ""


def declared_as(issuer: str | None) -> str:
    """Return the identity_provider that an issuer's host certainly belongs to, or nothing."""
    domain = trust_domain(issuer)
    if domain is None:
        return ""
    if domain.provider is not None:
        return domain.provider.identity_provider
    owners = (provider.identity_provider for provider in PROVIDERS if domain.owner in provider.sites)
    return next(owners, "")


def client_key(issuer: str, client_id: str) -> tuple[object, ...]:
    """Return what two connections have in common if their users are the same.

    A tenant of a known provider has each client_id once, whatever the form of the issuer. Elsewhere,
    issuers are compared without regard to case of the host, default port and slash at the end.
    """
    domain = trust_domain(issuer)
    if domain is not None and domain.provider is not None and domain.tenant:
        return (domain.owner, *sorted(domain.tenant.items()), client_id)
    return (authority(issuer), *_segments(issuer), client_id)


def registrable_domain(name: str) -> str:
    """Return the part of a host that one owner registered.

    An address and a name without an owner, such as ``localhost`` or ``github.io``, stand for themselves.
    """
    if address(name) is not None:
        return name
    return _public_suffixes().privatesuffix(name) or name


@cache
def _public_suffixes() -> PublicSuffixList:
    """Return the list, which is read from the package on first use: most runs of the command need none."""
    return PublicSuffixList()


def _of_registrant(url: str | None, name: str, segments: tuple[str, ...]) -> TrustDomain:
    """Return the trust domain of a host that is in no form: its registrant, and the realm if there is one."""
    owner = registrable_domain(name)
    if "." not in owner or address(owner) is not None:
        owner = authority(url) or owner  # nobody registered it: another port may be another machine
    match = _match(_path_forms(), "/".join(segments))
    tenant = match[1] if match else {}
    if match and not _is_plain(segments):
        tenant = dict.fromkeys(tenant, str(url))
    realm = {field: tenant.get(field, "") for field in _path_fields()}
    label = "/".join((authority(url) or name, *(value for value in tenant.values() if value)))
    return TrustDomain(owner=owner, tenant=realm, label=label)


def _match(forms: tuple[_Form, ...], where: str) -> tuple[_Form, dict[str, str]] | None:
    for form in forms:
        if match := form.expression.match(where):
            return form, {
                name: value if name in _CASE_SENSITIVE else value.lower()
                for name, value in match.groupdict().items()
            }
    return None


def _label(url: str | None, form: _Form, where: str, tenant: Mapping[str, str]) -> str:
    """Return the host, and the path as far as it names the tenant."""
    named = form.expression.match(where)
    end = named.end() if named and set(tenant) - {_HOST_TENANT} else where.find("/")
    path = where[:end].partition("/")[2] if end >= 0 else ""
    return "/".join(filter(None, (authority(url), path)))


def _segments(url: str | None) -> tuple[str, ...]:
    """Return the segments of a path, decoded, without the empty one that a slash at the end leaves."""
    path = parse_url(url).path.removeprefix("/").removesuffix("/")
    return tuple(unquote(segment) for segment in path.split("/")) if path else ()


def _normalized(url: str | None) -> tuple[str, ...]:
    """Return the segments of a path as most readers take them: without dots, empty ones and parameters."""
    kept: list[str] = []
    for segment in "/".join(_segments(url)).replace("\\", "/").split("/"):
        name = segment.partition(";")[0].strip()
        if name == "..":
            del kept[-1:]
        elif name not in ("", "."):
            kept.append(name)
    return tuple(kept)


def _is_plain(segments: tuple[str, ...]) -> bool:
    """Tell whether every reader of a path takes it for the same one."""
    return not any(
        segment in ("", ".", "..") or "/" in segment or "\\" in segment or "%" in segment
        for segment in segments
    )


def _is_usual_address(url: str | None, name: str) -> bool:
    return parse_url(url).scheme == "https" and authority(url) == name and "@" not in parse_url(url).netloc


@cache
def _tenant_forms() -> tuple[_Form, ...]:
    """Return the forms of all providers; those that serve every tenant are longer, and come first."""
    shared = [_form(provider, form) for provider in PROVIDERS for form in provider.all_tenants]
    return (*shared, *(_form(provider, form) for provider in PROVIDERS for form in provider.tenants))


@cache
def _shared_issuers() -> tuple[_Form, ...]:
    return tuple(_form(provider, form) for provider in PROVIDERS for form in provider.shared_issuers)


@cache
def _path_forms() -> tuple[_Form, ...]:
    return tuple(
        _Form(provider, re.compile(rf"(?:.*?/)?{_pattern(form)}(?=/|$)", re.DOTALL))
        for provider in PROVIDERS
        for form in provider.paths
    )


@cache
def _path_fields() -> tuple[str, ...]:
    return tuple(name for form in _path_forms() for name in form.expression.groupindex)


def _form(provider: Provider, form: str) -> _Form:
    return _Form(provider, re.compile(rf"{_pattern(form)}(?=/|$)", re.DOTALL | re.IGNORECASE))


def _pattern(form: str) -> str:
    """Return the expression of a form: a name that comes twice has to have the same value."""
    name, slash, path = form.partition("/")
    if name.startswith("*"):
        return rf"(?P<{_HOST_TENANT}>[^/]+{re.escape(name[1:])})" + (slash + re.escape(path))
    names: set[str] = set()
    return _fields(name, "[^./]+", names) + slash + _fields(path, "[^/]+", names)


def _fields(text: str, value: str, names: set[str]) -> str:
    parts = []
    for part in _PART.split(text):
        name = part.strip("{}")
        if not part.startswith("{"):
            parts.append(re.escape(part))
        elif name == _IGNORED:
            parts.append(value)
        elif name in names:
            parts.append(f"(?P={name})")
        else:
            names.add(name)
            parts.append(f"(?P<{name}>{value})")
    return "".join(parts)
