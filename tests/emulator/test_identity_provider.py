"""The built-in identity provider."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

IDP = "/idp/acme"
DISCOVERY = f"{IDP}/.well-known/openid-configuration"
CLIENTS = {"client-1": "s3cret/with+signs"}


@pytest.fixture
def idp(api: Api, emulator: Emulator) -> Api:
    emulator.add_identity_provider("acme", clients=CLIENTS)

    def request(method: str, path: str, **arguments: Any) -> httpx.Response:
        arguments.setdefault("auth", None)
        return api(method, path, **arguments)

    return request


def token(idp: Api, **form: str) -> tuple[int, str]:
    response = idp("POST", f"{IDP}/token", data=form)
    return response.status_code, response.json()["error"]


def test_the_discovery_document_names_its_own_endpoints(idp: Api) -> None:
    document = idp("GET", DISCOVERY).json()
    issuer = "http://127.0.0.1/idp/acme"
    assert document["issuer"] == issuer
    assert document["authorization_endpoint"] == f"{issuer}/authorize"
    assert document["token_endpoint"] == f"{issuer}/token"
    assert document["userinfo_endpoint"] == f"{issuer}/userinfo"
    assert document["jwks_uri"] == f"{issuer}/jwks"
    assert document["response_types_supported"] == ["code"]


def test_a_tenant_can_override_its_endpoints(idp: Api, emulator: Emulator) -> None:
    emulator.add_identity_provider(
        "acme", metadata={"token_endpoint": "https://new/t", "userinfo_endpoint": None}
    )
    document = idp("GET", DISCOVERY).json()
    assert document["token_endpoint"] == "https://new/t"
    assert "userinfo_endpoint" not in document


def test_keys_are_public_rsa_keys_of_2048_bits(idp: Api, emulator: Emulator) -> None:
    keys = idp("GET", f"{IDP}/jwks").json()["keys"]
    for key in keys:
        modulus = base64.urlsafe_b64decode(key["n"] + "==")
        assert (key["kty"], key["alg"], key["use"], key["e"]) == ("RSA", "RS256", "sig", "AQAB")
        assert int.from_bytes(modulus, "big").bit_length() == 2048
        assert "d" not in key
    assert len({key["kid"] for key in keys}) == len(keys) == 2
    emulator.add_identity_provider("acme", keys=[])
    assert idp("GET", f"{IDP}/jwks").json() == {"keys": []}


def test_a_known_client_with_an_invalid_code_gets_invalid_grant(idp: Api) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "client-1"}
    assert token(idp, **form, client_secret="s3cret/with+signs") == (400, "invalid_grant")


def test_basic_client_authentication_is_percent_encoded(idp: Api) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    for password, expected in {
        "s3cret%2Fwith%2Bsigns": (400, "invalid_grant"),
        "no": (401, "invalid_client"),
    }.items():
        response = idp("POST", f"{IDP}/token", data=form, auth=("client-1", password))
        assert (response.status_code, response.json()["error"]) == expected


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_id": "client-1", "client_secret": "wrong"},
        {"client_id": "other", "client_secret": "s3cret"},
    ],
)
def test_unknown_clients(idp: Api, form: dict[str, str]) -> None:
    assert token(idp, grant_type="authorization_code", code="x", **form) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_grants(idp: Api, form: dict[str, str], error: str) -> None:
    client = {"client_id": "client-1", "client_secret": "s3cret/with+signs"}
    assert token(idp, **form, **client) == (400, error)


def test_the_request_log_keeps_no_client_secret(idp: Api, emulator: Emulator) -> None:
    token(idp, grant_type="authorization_code", code="c0de", client_id="a", client_secret="s3cret")
    (entry,) = emulator.request_log.of("idp-token")
    assert entry.body["client_secret"] == entry.body["code"] == "[redacted]"
    assert "s3cret" not in str(entry)


def test_authorize_without_a_page_redirects_a_known_client(idp: Api) -> None:
    query = {
        "client_id": "client-1",
        "redirect_uri": "https://app/cb",
        "response_type": "code",
        "scope": "openid",
        "prompt": "none",
        "state": "st",
    }
    response = idp("GET", f"{IDP}/authorize", params=query)
    location = urlsplit(response.headers["location"])
    assert response.status_code == 302
    assert location.netloc == "app"
    issuer = "http://127.0.0.1/idp/acme"
    assert parse_qs(location.query) == {"error": ["login_required"], "iss": [issuer], "state": ["st"]}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"client_id": "other", "redirect_uri": "https://app/cb"}, "invalid_client"),
        ({"redirect_uri": "https://app/cb"}, "invalid_client"),
        ({"client_id": "client-1"}, "invalid_request"),
        ({"client_id": "client-1", "redirect_uri": "javascript:x"}, "invalid_request"),
    ],
)
def test_authorize_with_an_invalid_request(idp: Api, query: dict[str, str], error: str) -> None:
    response = idp("GET", f"{IDP}/authorize", params=query)
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_userinfo_needs_a_valid_token(idp: Api) -> None:
    response = idp("GET", f"{IDP}/userinfo", headers={"authorization": "Bearer x"})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("end", ["/.well-known/openid-configuration", "/jwks", "/authorize", "/userinfo"])
def test_an_unknown_tenant(idp: Api, emulator: Emulator, end: str) -> None:
    assert idp("GET", f"/idp/nobody{end}").status_code == 404
    emulator.remove_identity_provider("acme")
    assert idp("GET", f"{IDP}{end}").status_code == 404


def test_a_tenant_without_registered_clients_accepts_every_client(idp: Api, emulator: Emulator) -> None:
    emulator.add_identity_provider("open")
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "any", "client_secret": "any"}
    response = idp("POST", "/idp/open/token", data=form)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_faults_apply_to_identity_providers_too(idp: Api, emulator: Emulator) -> None:
    emulator.add_fault("idp-discovery:503")
    assert idp("GET", DISCOVERY).status_code == 503
    assert idp("GET", f"{IDP}/jwks").status_code == 200
