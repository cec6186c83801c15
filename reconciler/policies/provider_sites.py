"""Rules about hosts of known identity providers, and about endpoints on a different site than the issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER, INFERRED_FIELDS
from reconciler.policies.rule import Rule
from reconciler.policies.urls import host, site, url_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

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


ENDPOINT_OFF_SITE: Final = Rule(
    id="endpoint-off-site",
    find=_endpoint_off_site,
    why="an endpoint elsewhere can answer for the issuer: anyone who controls it can log in as any user, or "
    "collect codes and secrets",
)
PROVIDER_MISMATCH: Final = Rule(
    id="provider-issuer-mismatch",
    find=_provider_mismatch,
    why="the service handles each provider differently; the wrong one can break logins",
)
