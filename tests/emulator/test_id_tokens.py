"""Tokens that a wrong provider, or an attacker, could send: a login accepts none of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN, CertificateError, EmulatorSettings, running_emulator
from reconciler.emulator.emulator import Emulator
from tests.idp.provider import scripted_provider, write_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.idp.provider import ScriptedProvider

APPLICATION = "http://127.0.0.1:1/signed-in"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = {**jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "rsa"}
SECRET = "s" * 40
CLIENT = "client-1"
ACCEPTED = "accepted"

LogIn = Callable[..., str]


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningEmulator]:
    file = tmp_path / write_authority(tmp_path)
    settings = EmulatorSettings(local_redirects=True, ca_file=file)
    with running_emulator(settings) as running:
        running.emulator.add_organization("acme")
        yield running


@pytest.fixture
def log_in(running: RunningEmulator, provider: ScriptedProvider) -> LogIn:
    """Log in with an ID token of these claims, headers, key and so on; how it ended."""
    issuer = provider.issuer
    connection = running.emulator.add_connection(
        "acme",
        issuer=issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        authorization_url=f"{issuer}/authorize",
        token_url=f"{issuer}/token",
        userinfo_url=f"{issuer}/userinfo",
        jwks_url=f"{issuer}/keys",
    )
    provider.answer("/keys", {"keys": [{"kty": "oct", "k": "AAAA"}, 5, {"kty": "new"}, PUBLIC]})
    provider.answer("/userinfo", {"sub": "u-1", "email": "alice@example.com"})

    def run(make: Callable[[dict[str, Any]], str] | None = None, **changes: object) -> str:
        with httpx.Client() as browser:
            query = {
                "connection_id": connection["connection_id"],
                "public_token": DEFAULT_PUBLIC_TOKEN,
                "login_redirect_url": APPLICATION,
            }
            start = browser.get(f"{running.base_url}/v1/public/sso/start", params=query)
            sent = parse_qs(urlsplit(start.headers["location"]).query)
            token = (make or signed)(claims_for(issuer, sent["nonce"][0], changes))
            provider.answer("/token", {"access_token": "a", "token_type": "Bearer", "id_token": token})
            back = {"code": "c", "state": sent["state"][0]}
            return ending(browser.get(sent["redirect_uri"][0], params=back))

    return run


def claims_for(issuer: str, nonce: str, changes: dict[str, object]) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": issuer, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
    times = {name: now + value for name, value in changes.items() if isinstance(value, int)}
    return {name: value for name, value in {**claims, **changes, **times}.items() if value is not None}


def signed(claims: dict[str, Any], algorithm: str = "RS256", **headers: object) -> str:
    headers = {"kid": "rsa", **headers}
    return jwt.encode(claims, RSA, algorithm=algorithm, headers=headers)


def ending(response: httpx.Response) -> str:
    if response.status_code == 302:
        assert response.headers["location"].startswith(f"{APPLICATION}?stytch_token_type=sso&token=")
        return ACCEPTED
    match = re.search(r"<p>(.*)</p>", response.text)
    assert match
    return match[1]


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
def test_a_right_token_over_tls_with_an_authority_of_its_own(log_in: LogIn, algorithm: str) -> None:
    assert log_in(lambda claims: signed(claims, algorithm)) == ACCEPTED


@pytest.mark.parametrize("kind", ["ES256", "EdDSA"])
def test_other_kinds_of_keys(log_in: LogIn, provider: ScriptedProvider, kind: str) -> None:
    key: Any = ed25519.Ed25519PrivateKey.generate()
    if kind == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    encoder = jwt.algorithms.ECAlgorithm if kind == "ES256" else jwt.algorithms.OKPAlgorithm
    provider.answer("/keys", {"keys": [json.loads(encoder.to_jwk(key.public_key()))]})
    assert log_in(lambda claims: jwt.encode(claims, key, algorithm=kind)) == ACCEPTED


def test_a_token_without_a_key_id_tries_every_key(log_in: LogIn) -> None:
    assert log_in(lambda claims: jwt.encode(claims, RSA, algorithm="RS256")) == ACCEPTED


@pytest.mark.parametrize(("algorithm", "key"), [("none", ""), ("HS256", SECRET), ("HS512", SECRET * 2)])
def test_algorithms_that_anybody_could_use(log_in: LogIn, algorithm: str, key: str) -> None:
    def forged(claims: dict[str, Any]) -> str:
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "rsa"})

    assert log_in(forged) == f"the id_token is signed with {algorithm}, which is not accepted."


def test_a_changed_payload(log_in: LogIn) -> None:
    def changed(claims: dict[str, Any]) -> str:
        head, _, signature = signed(claims).split(".")
        payload = signed({**claims, "sub": "somebody else"}).split(".")[1]
        return f"{head}.{payload}.{signature}"

    assert log_in(changed) == "the signature of the id_token is not of a key at the jwks_url."


def test_a_key_that_only_encrypts(log_in: LogIn, provider: ScriptedProvider) -> None:
    provider.answer("/keys", {"keys": [{**PUBLIC, "use": "enc"}]})
    assert log_in().startswith("the jwks_url has no key rsa")


@pytest.mark.parametrize("token", ["", "a.b.c", "no token", None, 5, ["a"]])
def test_what_is_no_token(log_in: LogIn, token: Any) -> None:
    assert log_in(lambda _claims: token) in {
        "the id_token is no JSON Web Token.",
        "the token_url answered without an id_token.",
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"iss": "https://evil.example"},
            "iss of the id_token is https://evil.example, not https://localhost",
        ),
        ({"iss": None}, "the id_token has no iss"),
        ({"aud": "another"}, "aud of the id_token does not have the client_id"),
        ({"aud": None}, "the id_token has no aud"),
        ({"aud": [CLIENT, "another"]}, "azp of the id_token is not the client_id"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp of the id_token is not the client_id"),
        ({"azp": "another"}, "azp of the id_token is not the client_id"),
        ({"exp": -65}, "the id_token has expired"),
        ({"exp": None}, "the id_token has no exp"),
        ({"exp": "soon"}, "exp or iat of the id_token is not a number"),
        ({"iat": 75}, "the id_token is from the future"),
        ({"iat": None}, "the id_token has no iat"),
        ({"sub": None}, "the id_token has no sub"),
        ({"nonce": None}, "the nonce of the id_token is not the one that was sent"),
        ({"nonce": "of another login"}, "the nonce of the id_token is not the one that was sent"),
        ({"sub": "u-2"}, "sub at the userinfo_url is not the one of the id_token"),
    ],
)
def test_claims_of_another_login(log_in: LogIn, changes: dict[str, object], reason: str) -> None:
    assert log_in(**changes).startswith(reason)


@pytest.mark.parametrize(
    "changes", [{"exp": -50}, {"iat": 50}, {"aud": [CLIENT]}, {"aud": [CLIENT, "b"], "azp": CLIENT}]
)
def test_claims_within_what_is_allowed(log_in: LogIn, changes: dict[str, object]) -> None:
    assert log_in(**changes) == ACCEPTED


def test_the_userinfo_of_somebody_else_fails_even_where_it_is_optional(
    log_in: LogIn, running: RunningEmulator, provider: ScriptedProvider
) -> None:
    running.emulator.set_switch("login-userinfo", "optional")
    provider.answer("/userinfo", {"sub": "u-2"})
    assert log_in() == "sub at the userinfo_url is not the one of the id_token."
    provider.answer("/userinfo", b"<html>", 500)
    assert log_in() == ACCEPTED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "the jwks_url answered 200 without a JSON object"),
        (b"[" * 100_000, "the jwks_url answered 200 without a JSON object"),
        (b'{"keys": 5}', "the jwks_url has no key rsa"),
        (b" " * (1 << 21), "the jwks_url did not answer: it is longer than 1048576 bytes"),
    ],
)
def test_hostile_key_sets(log_in: LogIn, provider: ScriptedProvider, body: bytes, reason: str) -> None:
    provider.answer("/keys", body)
    assert log_in().startswith(reason)


def test_no_redirect_is_followed(log_in: LogIn, provider: ScriptedProvider) -> None:
    provider.answer("/keys", b"", 302, location=f"{provider.issuer}/elsewhere")
    assert log_in() == "the jwks_url answered 302."
    assert "/elsewhere" not in provider.paths


def test_a_host_beyond_loopback_is_not_asked(log_in: LogIn, running: RunningEmulator) -> None:
    (connection,) = running.emulator.oidc_connections("acme")
    running.emulator.edit_connection(connection["connection_id"], token_url="https://idp.example.com/token")
    assert log_in().startswith("the token_url did not answer: this emulator does not fetch it")


def test_discovery_trusts_the_authority_as_well(running: RunningEmulator, provider: ScriptedProvider) -> None:
    keys = running.emulator.settings.project
    url = f"{running.base_url}/v1/b2b/sso/oidc/acme"
    with httpx.Client(auth=(keys.project_id, keys.secret)) as api:
        connection_id = api.post(url).json()["connection"]["connection_id"]
        response = api.put(f"{url}/connections/{connection_id}", json={"issuer": provider.issuer})
    assert not response.json().get("warning")
    assert response.json()["connection"]["jwks_url"] == f"{provider.issuer}/keys"


def test_the_variable_counts_on_loopback(
    provider: ScriptedProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "/v1/b2b/sso/oidc/acme"
    with running_emulator() as running:
        running.emulator.add_organization("acme")
        keys = running.emulator.settings.project
        with httpx.Client(auth=(keys.project_id, keys.secret), base_url=running.base_url) as api:
            connection_id = api.post(url).json()["connection"]["connection_id"]
            path = f"{url}/connections/{connection_id}"
            without = api.put(path, json={"issuer": provider.issuer}).json()
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / write_authority(tmp_path)))
            api.put(path, json={"issuer": "http://127.0.0.1:1"})
            with_it = api.put(path, json={"issuer": provider.issuer}).json()
    assert "CERTIFICATE_VERIFY_FAILED" in without["warning"]
    assert not with_it.get("warning")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_unusable_file_of_authorities(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CertificateError, match="cannot use "):
        Emulator(EmulatorSettings(ca_file=file))
