"""Logging a member in: what is sent to the API, and what its answers mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.core.errors import MalformedAnswer, NotFound, ProviderError, UnknownOutcome
from reconciler.http.redaction import WITHHELD
from reconciler.providers.stytch.logins import start_url
from tests.providers.support import Script, ask, ok, refused

if TYPE_CHECKING:
    import httpx

    from reconciler.providers.base import MemberLogin

TOKEN = "canary-of-a-token-of-a-login"
VERIFIER = "canary-of-a-verifier-of-a-run"
SESSION = "canary-of-a-session-token"
MEMBER = {
    "email_address": "ada@example.com",
    "sso_registrations": [
        {"connection_id": "c-1", "sso_attributes": {"sub": "u-1", "groups": ["staff"], "email": "hidden"}},
        {"connection_id": "c-2"},
    ],
}
FACTORS = {"authentication_factors": [{"oidc_sso_factor": {"provider_id": "c-1"}}, {"email_factor": {}}]}


def authenticate(*steps: Any) -> MemberLogin:
    login: MemberLogin = ask(Script(*steps), lambda provider: provider.authenticate_login(TOKEN, VERIFIER))
    return login


def answer(**fields: Any) -> httpx.Response:
    body = {"organization_id": "o-1", "member": MEMBER, "member_session": FACTORS, "session_token": SESSION}
    return ok(**body | fields)


def failure_of(*steps: Any) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        authenticate(*steps)
    for secret in (TOKEN, VERIFIER):
        assert secret not in str(failure.value)
    return failure.value


def test_the_token_is_exchanged_for_a_short_session() -> None:
    script = Script(answer())
    login = ask(script, lambda provider: provider.authenticate_login(TOKEN, VERIFIER))
    assert script.paths == ["POST /v1/b2b/sso/authenticate"]
    assert json.loads(script.requests[0].content) == {
        "sso_token": TOKEN,
        "pkce_code_verifier": VERIFIER,
        "session_duration_minutes": 5,
    }
    assert (login.organization_id, login.email_address) == ("o-1", "ada@example.com")
    assert login.claims == {"c-1": ("email", "groups", "sub"), "c-2": ()}
    assert login.connection_ids == ("c-1",)
    assert login.session_token == SESSION
    assert SESSION not in repr(login)


def test_a_member_without_a_second_factor_has_no_session() -> None:
    login = authenticate(answer(member_session=None, session_token="", member_authenticated=False))
    assert (login.session_token, login.connection_ids) == ("", ())


def test_a_refused_token() -> None:
    error = failure_of(refused(404, "sso_token_not_found", "SSO token could not be found."))
    assert type(error) is NotFound
    assert "valid once" in str(error)


@pytest.mark.parametrize("secret", [TOKEN, VERIFIER])
def test_the_service_repeats_what_it_was_sent(secret: str) -> None:
    assert WITHHELD in str(failure_of(refused(400, "pkce_mismatch", f"{secret} is not valid")))


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (refused(500, "internal_server_error"), UnknownOutcome),
        (ok(member=MEMBER), MalformedAnswer),
        (answer(member=[]), MalformedAnswer),
        (answer(session_token=1), MalformedAnswer),
    ],
)
def test_an_exchange_is_never_repeated(step: Any, kind: type[ProviderError]) -> None:
    script = Script(step)
    with pytest.raises(kind):
        ask(script, lambda provider: provider.authenticate_login(TOKEN, VERIFIER))
    assert len(script.requests) == 1


def test_a_session_is_revoked_and_never_shown() -> None:
    script = Script(ok())
    ask(script, lambda provider: provider.revoke_session(SESSION))
    assert script.paths == ["POST /v1/b2b/sessions/revoke"]
    assert json.loads(script.requests[0].content) == {"session_token": SESSION}
    with pytest.raises(ProviderError) as failure:
        ask(Script(refused(404, "session_not_found", f"{SESSION} is unknown")),
            lambda provider: provider.revoke_session(SESSION))  # fmt: skip
    assert SESSION not in str(failure.value)


def test_the_start_holds_no_secret() -> None:
    url = start_url("https://test.stytch.com", "public-token-test-1", "c/1", "http://127.0.0.1:1/c", VERIFIER)
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://test.stytch.com/v1/public/sso/start?")
    assert query["connection_id"] == ["c/1"]
    assert query["login_redirect_url"] == query["signup_redirect_url"] == ["http://127.0.0.1:1/c"]
    assert len(query["pkce_code_challenge"][0]) == 43
    assert VERIFIER not in url
