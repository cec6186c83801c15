"""What identity providers answer in place of metadata, keys and logins, and the code that fits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.idp.provider import METADATA, RSA_KEY, Request, answer, head, leads_back, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.provider import Script


def endless(_request: Request) -> Iterator[bytes]:
    yield head(200, {"content-type": "application/json"})
    while True:
        yield b" " * 65536


def drip(_request: Request) -> Iterator[bytes]:
    yield head(200, {"content-type": "application/json"})
    for _ in range(200):
        yield b" "
        time.sleep(0.1)


def silent(_request: Request) -> Iterator[bytes]:
    time.sleep(8)
    yield b""


def huge_header(_request: Request) -> Iterator[bytes]:
    yield head(200, {"x": "y" * 2_000_000}) + b"{}"


METADATA_ANSWERS: Final[dict[str, tuple[Script, str]]] = {
    "404": (answer(404), "idp-not-found"),
    "410": (answer(410), "idp-not-found"),
    "500": (answer(500, b"oops"), "idp-unreachable"),
    "429": (answer(429), "idp-unreachable"),
    "403": (answer(403, b"no"), "idp-not-metadata"),
    "HTML": (answer(200, b"<!doctype html><title>Log in</title>"), "idp-not-metadata"),
    "nothing": (answer(200, b""), "idp-not-metadata"),
    "not UTF-8": (answer(200, b'{"issuer": "\xff"}'), "idp-not-metadata"),
    "a list": (answer(200, []), "idp-not-metadata"),
    "no issuer": (answer(200, {"jwks_uri": "https://localhost/keys"}), "idp-not-metadata"),
    "issuer of a wrong type": (answer(200, {"issuer": ["https://localhost"]}), "idp-not-metadata"),
    "400,000 brackets": (answer(200, b"[" * 400_000), "idp-not-metadata"),
    "nested objects": (answer(200, b'{"a":' * 5_000 + b"1" + b"}" * 5_000), "idp-not-metadata"),
    "a number of a million digits": (
        answer(200, b'{"issuer": ' + b"1" * 1_000_000 + b"}"),
        "idp-not-metadata",
    ),
    "keys twice": (answer(200, b'{"issuer": "https://a", "issuer": "https://b"}'), "idp-not-metadata"),
    "too long": (answer(200, b" " * 1_100_000), "idp-not-metadata"),
    "endless": (endless, "idp-not-metadata"),
    "compressed": (answer(200, b"\x1f\x8b", content_encoding="gzip"), "idp-not-metadata"),
    "a header of 2 MB": (huge_header, "idp-not-metadata"),
    "no HTTP": (lambda _request: iter([b"SSH-2.0-OpenSSH\r\n\r\n"]), "idp-not-metadata"),
    "drop by drop": (drip, "idp-unreachable"),
    "silence": (silent, "idp-unreachable"),
    "closed at once": (lambda _request: iter([b""]), "idp-not-metadata"),
    "a redirect to http": (redirect("http://idp.example.com/"), "idp-not-metadata"),
    "a redirect to a private address": (redirect("https://10.0.0.1/"), "idp-address-refused"),
    "a redirect to a cloud's metadata": (redirect("https://169.254.169.254/latest"), "idp-address-refused"),
    "a redirect to another scheme": (redirect("file:///etc/passwd"), "idp-not-metadata"),
    "a redirect to itself": (redirect(METADATA), "idp-not-metadata"),
    "a redirect to nowhere": (answer(302), "idp-not-metadata"),
}

KEY_ANSWERS: Final[dict[str, tuple[Script, str]]] = {
    "404": (answer(404), "keys-unreachable"),
    "HTML": (answer(200, b"<html>"), "keys-unreachable"),
    "no list": (answer(200, {"keys": {}}), "keys-unreachable"),
    "10,000 keys": (answer(200, {"keys": [{"kty": "RSA"}] * 10_000}), "keys-unreachable"),
    "keys twice": (answer(200, b'{"keys": [], "keys": []}'), "keys-unreachable"),
    "a private address": (redirect("https://192.168.1.1/"), "idp-address-refused"),
    "an empty set": (answer(200, {"keys": []}), "no-usable-key"),
    "only for encryption": (answer(200, {"keys": [{**RSA_KEY, "use": "enc"}]}), "no-usable-key"),
    "only unknown types": (answer(200, {"keys": [{"kty": "FUTURE"}, 5, None]}), "no-usable-key"),
    "a malformed key": (answer(200, {"keys": [{**RSA_KEY, "n": "!!"}]}), "no-usable-key"),
    "an unknown curve": (
        answer(200, {"keys": [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"}]}), "no-usable-key"
    ),
    "fields of wrong types": (
        answer(200, {"keys": [{"kty": "RSA", "n": 5, "e": [], "key_ops": 3, "kid": {}}]}), "no-usable-key"
    ),
    "a private key": (answer(200, {"keys": [{**RSA_KEY, "d": "AAAA"}]}), "private-key-published"),
    "a symmetric key": (
        answer(200, {"keys": [RSA_KEY, {"kty": "oct", "k": "c2VjcmV0", "kid": "o"}]}), "private-key-published"
    ),
}  # fmt: skip

CERTIFICATES: Final = {
    "right": [],
    "expired": ["tls-expired"],
    "future": ["tls-expired"],
    "other-name": ["tls-name"],
    "incomplete": ["tls-chain"],
    "private": ["tls-chain"],
    "private-chain": ["tls-chain"],
    "soon": ["tls-expires"],
    "very-soon": ["tls-expires"],
}

PREFLIGHTS: Final[dict[str, tuple[Script, str, str]]] = {
    "login_required": (leads_back(error="login_required"), "", ""),
    "interaction_required": (leads_back(error="interaction_required"), "", ""),
    "a code": (leads_back(code="abc"), "", ""),
    "PKCE demanded": (leads_back(error="invalid_request", error_description="policy requires PKCE"), "", ""),
    "the response type is not allowed": (
        leads_back(
            error="invalid_request",
            error_description="requested response_type is not allowed for this client",
        ),
        "error",
        "request-refused",
    ),
    "unsupported_response_type": (leads_back(error="unsupported_response_type"), "error", "request-refused"),
    "unauthorized_client": (leads_back(error="unauthorized_client"), "error", "request-refused"),
    "invalid_client": (answer(400, {"error": "invalid_client"}), "error", "client-unknown"),
    "Salesforce": (answer(400, b"error=invalid_client_id&x"), "error", "client-unknown"),
    "Entra, no client": (answer(400, b"<p>AADSTS700016: Application"), "error", "client-unknown"),
    "Entra, no redirect": (answer(400, b"<p>AADSTS50011: The redirect"), "error", "redirect-not-registered"),
    "Google": (answer(400, b"Error 400: redirect_uri_mismatch"), "error", "redirect-not-registered"),
    "oidc-provider": (answer(400, b"<h1>invalid_redirect_uri</h1>"), "error", "redirect-not-registered"),
    "both are named": (answer(400, b"invalid_client invalid_redirect_uri"), "info", "preflight-inconclusive"),
    "Keycloak's prose": (
        answer(400, b"<p>Invalid parameter: redirect_uri"), "info", "preflight-inconclusive"
    ),
    "a page": (answer(200, b"<form>invalid_client</form>"), "info", "preflight-inconclusive"),
    "a redirect elsewhere": (redirect("/login?error=invalid_client"), "info", "preflight-inconclusive"),
    "a redirect without our state": (
        redirect("https://test.stytch.com/x?error=login_required"), "info", "preflight-inconclusive"
    ),
    "500": (answer(500, b"invalid_client"), "info", "preflight-inconclusive"),
    "429": (answer(429, b"invalid_client"), "info", "preflight-inconclusive"),
    "endless": (endless, "info", "preflight-inconclusive"),
}  # fmt: skip
