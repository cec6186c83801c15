"""Codes about identity providers, which `verify` asks on loopback."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.codes.provoking import provokes
from tests.idp.live import connect
from tests.idp.provider import METADATA, RSA_KEY, answer, leads_back, scripted_provider, write_authority
from tests.support.workplace import issuer_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.core.codes import Code
    from tests.idp.provider import Request, ScriptedProvider
    from tests.support.workplace import CompletedRun, Workplace

    Script = Callable[[ScriptedProvider], None]

GUID: Final = "0b5b1f35-9d33-4b0c-8c2b-0c9b3f1c2d3e"


def verify(place: Workplace, issuer: str, *words: str, **fields: Any) -> CompletedRun:
    """Verify one live connection, whose provider's authority the project file trusts."""
    place.write("reconciler.yaml", f"idp: {{ca_file: {write_authority(place.root)}, timeout: 2}}\n")
    connect(place, "acme", issuer, **fields)
    return place.run("verify", "--target", "acme/*", "--format", "json", *words)


def verify_scripted(
    place: Workplace, *, change: Script, kind: str = "right", fields: Mapping[str, Any]
) -> CompletedRun:
    with scripted_provider(kind) as provider:
        change(provider)
        return verify(place, provider.issuer, **fields)


def probe(place: Workplace, *, change: Script, fields: Mapping[str, Any]) -> CompletedRun:
    with scripted_provider() as provider:
        change(provider)
        return verify(place, provider.issuer, "--probe-credentials", **fields)


def keys(*entries: object) -> Script:
    return lambda provider: provider.answer("/keys", {"keys": entries})


def metadata(**values: object) -> Script:
    return lambda provider: provider.publish(**values)


def script(path: str, **scripted: Any) -> Script:
    return lambda provider: provider.scripts.update({path: scripted["by"]})


def nothing(_provider: ScriptedProvider) -> None:
    """Leave everything right."""


def refuses(description: str) -> Callable[[Request], Iterator[bytes]]:
    return answer(401, {"error": "invalid_client", "error_description": description})


OTHER_KEY: Final = {**RSA_KEY, "n": RSA_KEY["n"][:-4] + "AAAA", "kid": ""}
OFF: Final = "Thu, 01 Jan 1970 00:20:00 GMT"


def wrong_clock(provider: ScriptedProvider) -> None:
    document = {"issuer": provider.issuer, "userinfo_endpoint": f"{provider.issuer}/userinfo"}
    provider.answer(METADATA, document, date=OFF)
    provider.answer("/keys", {"keys": [RSA_KEY]}, date=OFF)


_BY_THE_PROVIDER: Final[Mapping[Code, Script]] = {
    "client-auth-unsupported": metadata(token_endpoint_auth_methods_supported=["private_key_jwt"]),
    "client-unknown": script("/authorize", by=answer(400, {"error": "invalid_client"})),
    "clock-skew": wrong_clock,
    "code-flow-missing": metadata(response_types_supported=["id_token"]),
    "endpoint-differs": metadata(token_endpoint="https://idp.example.com/token"),
    "endpoint-not-https": metadata(userinfo_endpoint="http://idp.example.com/userinfo"),
    "idp-not-found": script(METADATA, by=answer(404)),
    "idp-not-metadata": script(METADATA, by=answer(200, b"<html>")),
    "idp-unreachable": script(METADATA, by=answer(503)),
    "issuer-mismatch": metadata(issuer="https://idp.example.com"),
    "issuer-templated": metadata(issuer="https://login.microsoftonline.com/{tenantid}/v2.0"),
    "jar-required": metadata(require_signed_request_object=True),
    "key-ids-ambiguous": keys({**RSA_KEY, "kid": ""}, OTHER_KEY),
    "keys-unreachable": script("/keys", by=answer(404)),
    "no-usable-key": keys(),
    "par-required": metadata(require_pushed_authorization_requests=True),
    "preflight-inconclusive": script("/authorize", by=answer(200, b"<html>")),
    "private-key-published": keys({**RSA_KEY, "d": "AAAA"}),
    "redirect-not-registered": script("/authorize", by=answer(400, b"redirect_uri_mismatch")),
    "request-refused": script("/authorize", by=leads_back(error="unauthorized_client")),
    "signing-alg": metadata(id_token_signing_alg_values_supported=["EdDSA"]),
}

_BY_THE_PROBE: Final[Mapping[Code, tuple[Script, dict[str, Any]]]] = {
    "probe-inconclusive": (script("/token", by=answer(200)), {}),
    "secret-expired": (script("/token", by=refuses("the client secret is expired")), {}),
    "secret-not-probed": (lambda _provider: None, {"live": {"client_secret": ""}}),
    "secret-wrong": (script("/token", by=refuses("client authentication failed")), {}),
}

_BY_THE_CONNECTION: Final[Mapping[Code, dict[str, Any]]] = {
    "idp-not-asked": {"discovery": "off"},
    "issuer-client-mismatch": {"identity_provider": "duo"},
    "secret-expiry-unknown": {"identity_provider": "microsoft-entra"},
    "secret-looks-like-an-id": {"identity_provider": "microsoft-entra", "live": {"client_secret": GUID}},
}

_CERTIFICATES: Final[Mapping[Code, str]] = {
    "tls-chain": "private",
    "tls-expired": "expired",
    "tls-expires": "soon",
    "tls-name": "other-name",
}

for code, change in _BY_THE_PROVIDER.items():
    provokes(code)(partial(verify_scripted, change=change, fields={}))

for code, (change, fields) in _BY_THE_PROBE.items():
    provokes(code)(partial(probe, change=change, fields=fields))

for code, fields in _BY_THE_CONNECTION.items():
    provokes(code)(partial(verify_scripted, change=nothing, fields=fields))

for code, kind in _CERTIFICATES.items():
    provokes(code)(partial(verify_scripted, change=nothing, kind=kind, fields={}))


@provokes("idp-address-refused")
def a_private_address(place: Workplace) -> CompletedRun:
    return verify(place, "https://10.0.0.1")


@provokes("scope-not-advertised")
def a_scope_that_is_not_listed(place: Workplace) -> CompletedRun:
    scopes = ["openid", "email", "profile", "groups"]
    change = metadata(scopes_supported=["openid"])
    return verify_scripted(place, change=change, fields={"custom_scopes": scopes})


@provokes("claim-not-advertised")
def a_claim_that_is_not_listed(place: Workplace) -> CompletedRun:
    change = metadata(claims_supported=["sub"])
    return verify_scripted(place, change=change, fields={"attribute_mapping": {"team": "department"}})


@provokes("userinfo-missing")
def no_userinfo(place: Workplace) -> CompletedRun:
    fields = {"live": {"userinfo_url": ""}}
    return verify_scripted(place, change=metadata(userinfo_endpoint=None), fields=fields)


@provokes("endpoints-not-checked")
def metadata_of_another_issuer(place: Workplace) -> CompletedRun:
    with scripted_provider() as provider:
        provider.publish(issuer=f"{provider.issuer}/")
        idp = f"{{ca_file: {write_authority(place.root)}, timeout: 2, discovery: enforce}}"
        place.write("reconciler.yaml", f"idp: {idp}\n")
        connect(place, "acme", provider.issuer, discovery="enforce")
        return place.run("plan", "--target", "acme/*", "--format", "json")


@provokes("inference-differs")
def another_inference(place: Workplace) -> CompletedRun:
    with scripted_provider() as provider:
        place.write(
            "reconciler.yaml",
            f"idp: {{ca_file: {write_authority(place.root)}, timeout: 2}}\npolicies: {{private-host: off}}\n",
        )
        place.emulator.set_discovery(
            provider.issuer, issuer_metadata(provider.issuer) | {"jwks_uri": f"{provider.issuer}/other"}
        )
        place.setenv("ACME_CLIENT_SECRET", "s3cr3t-of-acme")
        place.declare("acme", issuer=provider.issuer)
        return place.run("apply", "--auto-approve", "--target", "acme/*", "--format", "json")
