"""Finds an issuer's metadata: canned, from the built-in identity provider, or fetched."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from reconciler.emulator.fetching import ask
from reconciler.emulator.identity_provider import tenant_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

# OpenID metadata: field of the connection
ENDPOINTS: Mapping[str, str] = {
    "authorization_endpoint": "authorization_url",
    "token_endpoint": "token_url",
    "userinfo_endpoint": "userinfo_url",
    "jwks_uri": "jwks_url",
}
_WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class DiscoveryFailure:
    """No usable document; `reason` becomes the `warning` of the response."""

    reason: str


Discovery = dict[str, Any] | DiscoveryFailure


async def discover(context: Context, issuer: str, own_url: str) -> Discovery:
    """The metadata of `issuer`; `own_url` is the URL at which the emulator was called."""
    trimmed = context.switches["issuer-trailing-slash"] == "trimmed"
    url = (issuer.rstrip("/") if trimmed else issuer) + _WELL_KNOWN
    discovery = _canned(context, issuer)
    if discovery is None:
        discovery = _own(context, url, own_url)
    if discovery is None:
        discovery = await _fetched(context, url)
    if isinstance(discovery, DiscoveryFailure) or discovery.get("issuer") == issuer:
        return discovery
    mismatch = context.switches["issuer-mismatch"]
    return _failure(issuer, "the document names another issuer") if mismatch == "fails" else discovery


def _failure(issuer: str, why: str) -> DiscoveryFailure:
    return DiscoveryFailure(f"The OpenID Provider Metadata of {issuer} could not be retrieved: {why}.")


def _canned(context: Context, issuer: str) -> Discovery | None:
    entry = context.state.get("discovery", issuer) or context.state.get("discovery", issuer.rstrip("/"))
    if entry is None:
        return None
    document: JsonObject | None = entry.get("document")
    if document is None:
        return _failure(issuer, str(entry.get("failure") or "the server answered 404"))
    return document


def _own(context: Context, url: str, own_url: str) -> Discovery | None:
    """Metadata of the built-in identity provider in process, where no server runs to fetch it from."""
    if context.bound_url is not None or not own_url or not url.startswith(f"{own_url}/idp/"):
        return None
    tenant = url.removeprefix(f"{own_url}/idp/").removesuffix(_WELL_KNOWN)
    return tenant_metadata(context, tenant, own_url)


async def _fetched(context: Context, url: str) -> Discovery:
    issuer = url.removesuffix(_WELL_KNOWN)
    try:
        answer = await ask(context, "GET", url)
        if answer.status != HTTPStatus.OK:
            return _failure(issuer, f"the server answered {answer.status}")
        return answer.json_object()
    except (OSError, ValueError) as error:
        return _failure(issuer, str(error) or type(error).__name__)
