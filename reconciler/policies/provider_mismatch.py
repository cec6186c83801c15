"""The identity_provider is not the one that the issuer's host belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.policies.rule import Rule
from reconciler.policies.urls import host
from reconciler.policies.values import url_after

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
"""Hosts that certainly belong to one provider. Customers may have domains of their own, so a host
that is in no list proves nothing."""


def _find(change: Change) -> Iterator[str]:
    if not isinstance(change, Create | Update) or not _touches(change):
        return
    provider = change.declared.identity_provider
    name = host(url_after(change, "issuer"))
    owner = next((owner for owner, hosts in _HOSTS.items() if _is_below(name, hosts)), None)
    if provider not in {None, "generic", owner} and owner is not None:
        yield f"identity_provider is {provider}, but {name} belongs to {owner}"


def _touches(change: Create | Update) -> bool:
    return isinstance(change, Create) or bool({"identity_provider", "issuer"} & set(change.changed))


def _is_below(name: str, hosts: tuple[str, ...]) -> bool:
    return any(name == one or name.endswith(f".{one}") for one in hosts)


RULE: Final = Rule(
    "provider-issuer-mismatch",
    _find,
    "the service handles each provider in its own way; the wrong one can break log-ins",
)
