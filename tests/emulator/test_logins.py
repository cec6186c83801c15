"""A login through a connection: the emulator as relying party, and as the identity provider."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.emulator import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    EmulatorSettings,
    running_emulator,
)
from reconciler.emulator.tickets import code_challenge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import Emulator

APPLICATION = "http://127.0.0.1:1/signed-in"
SECRET = "s3cret/with+signs"
ALICE = {"password": "wonderland", "sub": "u-1", "name": "Alice Liddell", "groups": ["staff"]}
KEYS = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)


@dataclass(frozen=True, slots=True)
class Place:
    """A running emulator, and a browser without an application behind it."""

    emulator: Emulator
    base_url: str
    browser: httpx.Client

    @property
    def connection(self) -> dict[str, Any]:
        (connection,) = self.emulator.oidc_connections("acme")
        return connection

    def edit(self, **fields: object) -> None:
        self.emulator.edit_connection(self.connection["connection_id"], **fields)

    def start(self, **query: str) -> httpx.Response:
        parameters = {
            "connection_id": self.connection["connection_id"],
            "public_token": DEFAULT_PUBLIC_TOKEN,
            "login_redirect_url": APPLICATION,
            **query,
        }
        wanted = {name: value for name, value in parameters.items() if value}
        return self.browser.get(f"{self.base_url}/v1/public/sso/start", params=wanted)

    def to_callback(self, **query: str) -> str:
        """Sign in at the provider; the address at which it sends the browser back."""
        url = self.start(**query).headers["location"]
        assert self.browser.get(url).status_code == 200
        form = {"username": "alice", "password": ALICE["password"]}
        return str(self.browser.post(url, data=form).headers["location"])

    def log_in(self, **query: str) -> httpx.Response:
        return self.browser.get(self.to_callback(**query))

    def authenticate(self, token: str, **body: object) -> httpx.Response:
        url = f"{self.base_url}/v1/b2b/sso/authenticate"
        return httpx.post(url, auth=KEYS, json={"sso_token": token, **body})


@pytest.fixture
def place() -> Iterator[Place]:
    settings = EmulatorSettings(local_redirects=True)
    with running_emulator(settings) as running, httpx.Client() as browser:
        emulator, issuer = running.emulator, f"{running.base_url}/idp/acme"
        emulator.add_organization("acme", organization_external_id="customer-1")
        connection = emulator.add_connection(
            "acme",
            issuer=issuer,
            client_id="client-1",
            client_secret=SECRET,
            authorization_url=f"{issuer}/authorize",
            token_url=f"{issuer}/token",
            userinfo_url=f"{issuer}/userinfo",
            jwks_url=f"{issuer}/jwks",
        )
        emulator.add_identity_provider(
            "acme",
            clients={"client-1": SECRET},
            redirect_uris=[connection["redirect_url"]],
            users={"alice": ALICE},
        )
        yield Place(emulator, running.base_url, browser)


def token_of(response: httpx.Response) -> str:
    location = response.headers["location"]
    query = parse_qs(urlsplit(location).query)
    assert response.status_code == 302, response.text
    assert location.startswith(f"{APPLICATION}?")
    assert query["stytch_token_type"] == ["sso"]
    return query["token"][0]


def refusal(response: httpx.Response) -> str:
    """The reason on the page, which the browser gets instead of a token."""
    assert response.status_code == 400, response.headers
    assert response.headers["content-type"].startswith("text/html")
    match = re.search(r"<p>(.*)</p>", response.text)
    assert match
    return match[1]


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error_type"]


def test_a_login_ends_with_a_session_of_the_member(place: Place) -> None:
    token = token_of(place.log_in())
    answer = place.authenticate(token).json()
    member, organization = answer["member"], place.emulator.organization("acme")
    assert (member["name"], member["email_address"]) == ("Alice Liddell", "alice@example.com")
    assert answer["member_id"] == member["member_id"]
    assert answer["organization_id"] == organization["organization_id"] == member["organization_id"]
    assert answer["organization"]["organization_slug"] == "acme"
    assert answer["member_authenticated"] is True
    assert (answer["reset_session"], answer["intermediate_session_token"]) == (False, "")
    session = httpx.get(
        f"{place.base_url}/sdk/v1/b2b/organizations/members/me",
        auth=(DEFAULT_PUBLIC_TOKEN, answer["session_token"]),
    )
    assert session.json()["data"]["member"]["member_id"] == member["member_id"]
    assert answer["session_jwt"]


def test_a_used_token_is_not_found(place: Place) -> None:
    token = token_of(place.log_in())
    assert place.authenticate(token).status_code == 200
    assert error_of(place.authenticate(token)) == (404, "sso_token_not_found")
    assert error_of(place.authenticate("never issued")) == (404, "sso_token_not_found")


def test_a_token_expires(place: Place) -> None:
    token = token_of(place.log_in())
    place.emulator.context.clock_offset = 301
    assert error_of(place.authenticate(token)) == (404, "sso_token_not_found")


def test_the_switch_of_spent_tokens(place: Place) -> None:
    place.emulator.set_switch("spent-sso-token", "unauthorized_credentials")
    assert error_of(place.authenticate("never issued")) == (401, "unauthorized_credentials")


def test_the_frontend_exchanges_the_token_as_well(place: Place) -> None:
    token = token_of(place.log_in())
    response = httpx.post(
        f"{place.base_url}/sdk/v1/b2b/sso/authenticate",
        auth=(DEFAULT_PUBLIC_TOKEN, DEFAULT_PUBLIC_TOKEN),
        json={"sso_token": token, "session_duration_minutes": 60},
    )
    assert response.json()["data"]["member"]["email_address"] == "alice@example.com"


@pytest.mark.parametrize(("minutes", "lasts"), [(None, 3600), (5, 300), (527_040, 31_622_400)])
def test_a_session_lasts_as_long_as_asked(place: Place, minutes: int | None, lasts: int) -> None:
    body = {} if minutes is None else {"session_duration_minutes": minutes}
    answer = place.authenticate(token_of(place.log_in()), **body).json()
    session = place.emulator.context.state.get("sessions", answer["session_token"])
    assert session
    assert session["expires_at"] == pytest.approx(time.time() + lasts, abs=30)


@pytest.mark.parametrize("minutes", [4, 527_041, "60", True])
def test_a_session_of_another_length_is_refused_and_the_token_kept(place: Place, minutes: object) -> None:
    token = token_of(place.log_in())
    assert error_of(place.authenticate(token, session_duration_minutes=minutes)) == (400, "bad_request")
    assert place.authenticate(token).status_code == 200


def test_the_application_may_bind_the_token_to_a_verifier(place: Place) -> None:
    challenge = {"pkce_code_challenge": code_challenge("v" * 43)}
    assert place.authenticate(token_of(place.log_in(**challenge)), pkce_code_verifier="v" * 43).is_success
    for body in ({}, {"pkce_code_verifier": "w" * 43}, {"pkce_code_verifier": 1}):
        token = token_of(place.log_in(**challenge))
        assert error_of(place.authenticate(token, **body)) == (400, "pkce_mismatch")
        assert error_of(place.authenticate(token)) == (404, "sso_token_not_found")
    token = token_of(place.log_in())
    assert error_of(place.authenticate(token, pkce_code_verifier="v" * 43)) == (400, "pkce_mismatch")


def test_the_second_login_finds_the_member_again(place: Place) -> None:
    signup = {"signup_redirect_url": f"{APPLICATION}?new=yes"}
    first = place.log_in(**signup).headers["location"]
    second = place.log_in(**signup).headers["location"]
    assert first.startswith(f"{APPLICATION}?new=yes&stytch_token_type=sso&token=")
    assert "new=yes" not in second
    members = tuple(place.emulator.context.state.all("members"))
    assert [len(member["sso_registrations"]) for member in members] == [1]


def test_a_member_is_known_by_address_and_gets_the_mapped_claims(place: Place) -> None:
    member = place.emulator.add_member("acme", email_address="Alice@example.com")
    place.edit(custom_scopes="openid%20email%20groups", attribute_mapping={"teams": "groups"})
    answer = place.authenticate(token_of(place.log_in())).json()
    assert answer["member_id"] == member["member_id"]
    assert answer["member"]["trusted_metadata"] == {"teams": ["staff"]}
    assert answer["member"]["sso_registrations"][0]["external_id"] == "u-1"


def test_an_unknown_scope_logs_in_without_its_claim(place: Place) -> None:
    place.edit(custom_scopes="openid email grupos", attribute_mapping={"teams": "groups"})
    member = place.authenticate(token_of(place.log_in())).json()["member"]
    assert member["email_address"] == "alice@example.com"
    assert member["trusted_metadata"] == {}


@pytest.mark.parametrize(("mode", "lists_it"), [("NOT_ALLOWED", True), ("RESTRICTED", False)])
def test_an_organization_that_creates_no_members(place: Place, mode: str, lists_it: bool) -> None:
    allowed = [place.connection["connection_id"]] if lists_it else []
    place.emulator.edit_organization(
        "acme", sso_jit_provisioning=mode, sso_jit_provisioning_allowed_connections=allowed
    )
    assert "is no member" in refusal(place.log_in())
    place.emulator.add_member("acme", email_address="alice@example.com")
    assert token_of(place.log_in())


def test_the_default_connection_of_an_organization(place: Place) -> None:
    for reference in ("acme", "customer-1", place.connection["organization_id"]):
        response = place.start(connection_id="", organization_id=reference)
        assert response.headers["location"].startswith(place.connection["authorization_url"])
    place.emulator.edit_organization("acme", sso_default_connection_id=None)
    missing = place.start(connection_id="", organization_id="acme")
    assert error_of(missing) == (404, "sso_connection_not_found")


def test_hints_reach_the_login_page(place: Place) -> None:
    url = place.start(provider_login_hint='"><b>', provider_client_id="mine").headers["location"]
    assert parse_qs(urlsplit(url).query)["client_id"] == ["client-1"]
    assert 'value="&quot;&gt;&lt;b&gt;"' in place.browser.get(url).text


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"public_token": "public-token-test-unknown"}, (401, "unauthorized_credentials")),
        ({"connection_id": "oidc-connection-test-unknown"}, (404, "sso_connection_not_found")),
        ({"connection_id": "", "organization_id": "nobody"}, (404, "organization_not_found")),
        ({"connection_id": ""}, (400, "invalid_organization_id")),
        ({"login_redirect_url": ""}, (400, "bad_request")),
        ({"login_redirect_url": "javascript:alert(1)"}, (400, "bad_request")),
        ({"login_redirect_url": "https://evil.example/"}, (400, "bad_request")),
        ({"login_redirect_url": "http://127.0.0.1@evil.example/"}, (400, "bad_request")),
        ({"signup_redirect_url": "https://evil.example/"}, (400, "bad_request")),
    ],
)
def test_a_login_that_does_not_start(place: Place, query: dict[str, str], error: tuple[int, str]) -> None:
    assert error_of(place.start(**query)) == error


def test_a_pending_connection_names_what_it_lacks(place: Place) -> None:
    place.edit(client_secret="")
    assert error_of(place.start()) == (400, "oidc_connection_client_secret_required")
    saml = place.emulator.add_connection("acme", "saml")
    assert error_of(place.start(connection_id=saml["connection_id"])) == (400, "bad_request")


def test_a_wrong_secret(place: Place) -> None:
    place.edit(client_secret="wrong")
    assert refusal(place.log_in()) == "the token_url answered 401: invalid_client."


def test_an_expired_secret(place: Place) -> None:
    place.emulator.add_identity_provider("acme", expired_secrets=[SECRET])
    assert refusal(place.log_in()) == "the token_url answered 400: invalid_client."


def test_a_wrong_issuer(place: Place) -> None:
    issuer = place.connection["issuer"]
    place.edit(issuer=f"{issuer}/")
    assert refusal(place.log_in()) == f"iss is {issuer}, not {issuer}/."


@pytest.mark.parametrize("field", ["jwks_url", "userinfo_url", "token_url"])
def test_a_wrong_url(place: Place, field: str) -> None:
    place.edit(**{field: f"{place.base_url}/nowhere"})
    assert refusal(place.log_in()).startswith(f"the {field} answered 404")
    place.edit(**{field: "http://127.0.0.1:1/"})
    reason = f"the {field} did not answer: no connection to 127.0.0.1:1: Connection refused."
    assert refusal(place.log_in()) == reason


def test_the_keys_of_somebody_else(place: Place) -> None:
    place.emulator.add_identity_provider("acme", keys=[])
    assert "has no key key-2" in refusal(place.log_in())
    stranger = jwt.algorithms.RSAAlgorithm.to_jwk(key_pair().public_key(), as_dict=True)
    place.emulator.add_identity_provider("acme", keys=[{**stranger, "kid": "key-2"}])
    assert "the signature of the id_token" in refusal(place.log_in())


def test_an_address_that_is_not_registered_never_comes_back(place: Place) -> None:
    place.emulator.add_identity_provider("acme", redirect_uris=["https://app.example.com/callback"])
    response = place.browser.get(place.start().headers["location"])
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")
    assert "location" not in response.headers


def test_a_wrong_password_shows_the_page_again(place: Place) -> None:
    url = place.start().headers["location"]
    for username, password in (("alice", "wrong"), ("bob", "wonderland"), ("alice", ""), ("", "")):
        response = place.browser.post(url, data={"username": username, "password": password})
        assert response.status_code == 401
        assert "is wrong" in response.text


def test_the_state_belongs_to_one_browser_and_is_used_once(place: Place) -> None:
    reason = "the state is not of a login that this browser started"
    callback = place.to_callback()
    assert refusal(httpx.get(callback)).startswith(reason)
    assert token_of(place.browser.get(callback))
    assert refusal(place.browser.get(callback)).startswith(reason)


def test_a_login_may_take_ten_minutes(place: Place) -> None:
    url = place.start().headers["location"]
    place.emulator.context.clock_offset = 599
    form = {"username": "alice", "password": ALICE["password"]}
    callback = place.browser.post(url, data=form).headers["location"]
    place.emulator.context.clock_offset = 601
    assert "too old" in refusal(place.browser.get(callback))


def test_the_cookie_is_lax_and_kept_from_scripts(place: Place) -> None:
    cookie = place.start().headers["set-cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie
    assert f"Path={urlsplit(place.connection['redirect_url']).path};" in cookie
    assert "Max-Age=600" in cookie


def test_an_error_of_the_provider_is_told_escaped(place: Place) -> None:
    state = parse_qs(urlsplit(place.start().headers["location"]).query)["state"][0]
    query = urlencode({"error": "<script>", "state": state})
    reason = refusal(place.browser.get(f"{place.connection['redirect_url']}?{query}"))
    assert reason == "the identity provider answered &lt;script&gt;."


def test_the_application_may_get_the_failure(place: Place) -> None:
    place.emulator.set_switch("failed-login", "redirect")
    place.edit(client_secret="wrong")
    location = urlsplit(place.log_in().headers["location"])
    query = parse_qs(location.query)
    assert location.path == "/signed-in"
    assert (query["error"], query["error_description"]) == (
        ["login_failed"],
        ["the token_url answered 401: invalid_client"],
    )
    assert refusal(place.browser.get(place.connection["redirect_url"])).startswith("the state")


def test_the_switches_of_the_exchange(place: Place) -> None:
    assert "code_challenge" in place.start().headers["location"]
    place.emulator.set_switch("login-pkce", "none")
    assert "code_challenge" not in place.start().headers["location"]
    assert token_of(place.log_in())
    place.emulator.set_switch("client-authentication", "post")
    assert token_of(place.log_in())
    basic, post = place.emulator.request_log.of("idp-token")
    assert (basic.headers["authorization"], "client_secret" in basic.body) == ("Basic [redacted]", False)
    assert ("authorization" in post.headers, post.body["client_secret"]) == (False, "[redacted]")


def test_userinfo_may_be_optional_but_not_of_somebody_else(place: Place) -> None:
    place.emulator.set_switch("login-userinfo", "optional")
    place.edit(userinfo_url=f"{place.base_url}/nowhere")
    assert token_of(place.log_in())


def test_no_secret_of_a_login_is_logged(place: Place) -> None:
    callback = place.to_callback()
    token = token_of(place.browser.get(callback))
    place.authenticate(token)
    code = parse_qs(urlsplit(callback).query)["code"][0]
    log = str(place.emulator.request_log.entries)
    for secret in (token, code, SECRET, "wonderland", DEFAULT_SECRET):
        assert secret not in log


def key_pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
