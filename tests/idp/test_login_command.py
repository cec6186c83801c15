"""`verify --login`: a person logs in through a connection; the emulator is service and provider."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET
from tests.docs.pages import ROOT
from tests.idp.logging_in import ADDRESS, SIGN_IN, Login, browser, free_port, logging_in, login_place
from tests.support.json_documents import check_document
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.workplace import Workplace

PKCE = "the token is not of the login that this run started"


@pytest.fixture
def site(bare: Workplace) -> Iterator[Workplace]:
    with login_place(bare) as place:
        yield place


def the_connection(site: Workplace) -> dict[str, Any]:
    (connection,) = site.emulator.oidc_connections("acme")
    return connection


def edit(site: Workplace, **fields: object) -> None:
    site.emulator.edit_connection(the_connection(site)["connection_id"], **fields)


def operations(site: Workplace) -> list[str]:
    return [entry.operation for entry in site.emulator.request_log.entries]


def sessions(site: Workplace) -> list[Any]:
    return list(site.emulator.context.state.all("sessions"))


def test_a_login_names_the_claims_and_revokes_the_session(site: Workplace) -> None:
    with logging_in(site, "-v", "--output", "json=result.json") as login:
        page = login.log_in()
        code, text = login.end()
    assert code == 0, text
    assert (page.status_code, str(page.url)) == (200, login.page("done"))
    assert "this writes" in text.lower()
    assert f"http://127.0.0.1:{login.port}/callback must be registered" in text
    assert f"{DEFAULT_PROJECT_ID} (test) at 127.0.0.1" in text
    assert "alice@example.com logged in to acme through this connection; the session was revoked" in text
    assert "aud, auth_time, email, email_verified, exp, given_name, iat, iss, name, nonce, sub" in text
    assert "Logged in through 1 connection. No problems found." in text
    assert "Alice Liddell" not in login.session.screen
    assert "path=/v1/b2b/sso/authenticate status=200" in login.session.screen
    written = (site.root / "result.json").read_text()
    check_document("verify", json.loads(written))
    assert [item["purpose"] for item in json.loads(written)["connections"][0]["asked"]] == ["login", "claims"]
    for secret in login.secrets:
        assert secret not in written
    assert len(login.secrets) == 2
    assert operations(site)[-1] == "revoke-sessions"
    assert sessions(site) == []
    ticket = login.first_url.rpartition("/")[2]
    hosts = {f"127.0.0.1:{login.port}": "127.0.0.1:8976", site.base_url[7:]: "127.0.0.1:8080"}
    check_guide(text, {f"/start/{ticket}": "/start/…", **hosts})


def check_guide(text: str, hosts: Mapping[str, str]) -> None:
    """Make sure that a person sees what the guide shows, line by line."""
    page = (ROOT / "docs/how-to/verify-logins.md").read_text()
    block = page.partition("$ reconciler verify --login acme/sso\n")[2].partition("```")[0]
    for host, name in hosts.items():
        text = text.replace(host, name)
    lines = iter(text.splitlines())
    for line in block.splitlines():
        assert any(item.startswith(line.removesuffix("…")) for item in lines), line


@pytest.mark.proofs
def test_the_exchange_is_bound_to_the_run(site: Workplace) -> None:
    with logging_in(site) as login:
        query = parse_qs(urlsplit(login.start_url).query)
        login.log_in()
        login.end()
    redirect_url = f"http://127.0.0.1:{login.port}/callback"
    assert (query["login_redirect_url"], query["signup_redirect_url"]) == ([redirect_url], [redirect_url])
    assert query["pkce_code_challenge"][0]
    (exchange,) = site.emulator.request_log.of("authenticate-sso")
    assert exchange.body["session_duration_minutes"] == 5
    assert exchange.body["pkce_code_verifier"]


def test_nothing_happens_unless_the_answer_is_yes(site: Workplace) -> None:
    with logging_in(site, answer="no") as login:
        code, text = login.end()
    assert code == 1
    assert "Cancelled." in text
    assert not {"start-login", "authenticate-sso"} & {*operations(site)}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "use it on a terminal"),
        (("--target", "acme/*"), "cannot be combined"),
        (("--probe-credentials",), "cannot be combined"),
        (("--probe-declared", ADDRESS), "cannot be combined"),
    ],
)
def test_it_is_for_a_person_and_alone(site: Workplace, words: tuple[str, ...], message: str) -> None:
    run = site.run("verify", "--login", ADDRESS, *words)
    assert run.code == 1
    assert message in run.err
    assert operations(site) == []


def refusal(site: Workplace, *words: str, address: str = ADDRESS, on_screen: bool = True) -> str:
    """Return the one line of an error that comes without a question."""
    command = ("verify", "--login", address, "--no-browser", *words)
    with terminal(site, *command, columns=200, result_on_screen=on_screen) as session:
        code, _ = session.end()
    assert code == 1
    assert "Enter a value" not in session.text
    assert "start-login" not in operations(site)
    return message(session.text)


def message(text: str) -> str:
    """Return the text of the one error that is shown, on one line."""
    assert text.count("Error: ") == 1
    box = text.partition("Error: ")[2].partition("╵")[0]
    return " ".join(box.replace("│", " ").split())


@pytest.mark.proofs
def test_the_result_goes_to_a_terminal_too(site: Workplace) -> None:
    assert "use it on a terminal" in refusal(site, on_screen=False)


def test_it_is_refused_in_ci(site: Workplace) -> None:
    site.setenv("CI", "true")
    run = site.run("verify", "--login", ADDRESS)
    assert (run.code, "not for CI" in run.err) == (1, True)


@pytest.mark.proofs
@pytest.mark.parametrize("address", ["acme/*", "acme", "acme/ssso"])
def test_the_address_names_one_connection(site: Workplace, address: str) -> None:
    assert "no connection has the address" in refusal(site, address=address)


@pytest.mark.proofs
def test_a_connection_that_is_not_live(site: Workplace) -> None:
    site.emulator.remove_connection(the_connection(site)["connection_id"])
    assert "acme/sso does not exist yet" in refusal(site)


@pytest.mark.proofs
def test_a_connection_that_is_pending(site: Workplace) -> None:
    edit(site, client_secret="", status="pending")
    assert "acme/sso is pending, not active" in refusal(site)


def test_the_public_token_is_needed(site: Workplace) -> None:
    site.delenv("STYTCH_PUBLIC_TOKEN")
    assert "set STYTCH_PUBLIC_TOKEN" in refusal(site)


@pytest.mark.proofs
def test_a_session_of_a_member_cannot_log_somebody_in(site: Workplace) -> None:
    for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
        site.delenv(name)
    session = site.emulator.add_session("acme", "stytch_admin")
    site.setenv("STYTCH_SESSION_TOKEN", session["session_token"])
    assert "set STYTCH_PROJECT_ID and STYTCH_SECRET" in refusal(site)


@pytest.mark.proofs
def test_a_port_that_is_in_use(site: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        text = refusal(site, "--login-port", port)
    assert text.startswith(f"cannot listen on 127.0.0.1:{port}: Address already in use")


def failure(login: Login) -> str:
    """Return the one line that says why a login failed."""
    code, text = login.end()
    assert code == 1, text
    line = message(text)
    assert line.endswith(" [login-failed]")
    return line.removeprefix("acme/sso: ").removesuffix(" [login-failed]")


@pytest.mark.proofs
def test_an_error_of_the_service(site: Workplace) -> None:
    site.emulator.set_switch("failed-login", "redirect")
    edit(site, client_secret="wrong")
    with logging_in(site) as login:
        login.log_in()
        reason = failure(login)
    assert reason == "the service answered `login_failed`: `the token_url answered 401: invalid_client`"


def test_an_error_is_shown_escaped_and_shortened(site: Workplace) -> None:
    hostile = {"error": "\x1b[31mred\u202e", "error_description": "x" * 5000}
    with logging_in(site) as login:
        login.client.get(login.first_url, follow_redirects=False)
        login.client.get(login.page("callback"), params=hostile)
        code, text = login.end()
    assert code == 1
    assert "[31mred" in text, repr(text)
    assert "\x1b[31mred" not in login.session.screen
    assert "x" * 201 not in login.session.screen.replace("\n", "")


@pytest.mark.proofs
@pytest.mark.parametrize(
    "query", [{}, {"stytch_token_type": "oauth", "token": "t"}, {"stytch_token_type": "sso"}]
)
def test_a_redirect_without_a_token(site: Workplace, query: dict[str, str]) -> None:
    with logging_in(site) as login:
        login.client.get(login.first_url, follow_redirects=False)
        login.client.get(login.page("callback"), params=query)
        assert failure(login) == "the redirect has no token of an SSO login"


def test_a_wrong_state_is_ignored(site: Workplace) -> None:
    with logging_in(site) as login, browser() as other:
        callback = login.page("callback?stytch_token_type=sso&token=of-somebody")
        assert other.get(callback).status_code == 400
        other.cookies.set("reconciler_login", "guessed", domain="127.0.0.1", path="/callback")
        assert other.get(callback).status_code == 400
        login.log_in()
        code, text = login.end()
    assert code == 0
    assert text.count("ignored a redirect with a wrong state") == 1  # any web page can send thousands


@pytest.mark.proofs
def test_a_second_redirect_is_ignored(site: Workplace) -> None:
    site.emulator.add_fault("authenticate-sso:latency:seconds=1")
    with logging_in(site) as login:
        callback = login.to_receiver()
        assert login.client.get(callback).status_code == 200
        assert login.client.get(callback).status_code == 409
        code, text = login.end()
    assert code == 0
    assert text.count("ignored a second redirect") == 1


@pytest.mark.proofs
def test_nobody_comes_back(site: Workplace) -> None:
    with logging_in(site, "--login-timeout", "1") as login:
        assert failure(login).startswith("no redirect arrived within 1 s")


@pytest.mark.proofs
def test_a_token_that_is_used(site: Workplace) -> None:
    with logging_in(site) as login:
        callback = login.to_receiver()
        url = f"{site.base_url}/v1/b2b/sso/authenticate"
        body = {"sso_token": login.secrets[-1]}
        assert httpx.post(url, auth=(DEFAULT_PROJECT_ID, DEFAULT_SECRET), json=body).status_code == 400
        login.client.get(callback)
        reason = failure(login)
    assert reason.startswith(
        "the token could not be exchanged: POST token of the login: SSO token could not be found"
    )


def test_a_token_of_another_login(site: Workplace) -> None:
    with logging_in(site) as login, browser() as other:
        start = login.start_url.replace("pkce_code_challenge=", "pkce_code_challenge=of-another-")
        page = other.get(start)
        back = other.post(str(page.url), data=SIGN_IN, follow_redirects=False)
        back = other.get(back.headers["location"], follow_redirects=False)
        login.client.get(login.first_url, follow_redirects=False)
        login.client.get(back.headers["location"])
        reason = failure(login)
    assert PKCE in reason
    assert sessions(site) == []


def log_in_elsewhere(site: Workplace, organization: str) -> str:
    """Log in through another connection, with the challenge of the run, and return why that is wrong."""
    fields = {**the_connection(site), "connection_id": "oidc-connection-test-other"}
    fields["redirect_url"] = f"{site.base_url}/v1/b2b/sso/callback/oidc-connection-test-other"
    fields["display_name"] = "other"
    del fields["organization_id"]
    site.emulator.add_connection(organization, **fields)
    site.emulator.add_identity_provider("acme", redirect_uris=None)
    with logging_in(site) as login:
        login.client.get(login.first_url, follow_redirects=False)
        connection_id = parse_qs(urlsplit(login.start_url).query)["connection_id"][0]
        page = login.client.get(login.start_url.replace(connection_id, fields["connection_id"]))
        response = login.client.post(str(page.url), data=SIGN_IN)
        assert str(response.url) == login.page("done"), response.text
        return failure(login)


@pytest.mark.proofs
def test_a_login_into_another_organization(site: Workplace) -> None:
    site.emulator.add_organization("globex")
    assert log_in_elsewhere(site, "globex").startswith("the login was into organization")
    assert sessions(site) == []


@pytest.mark.proofs
def test_a_login_through_another_connection(site: Workplace) -> None:
    reason = log_in_elsewhere(site, "acme")
    assert reason.startswith("the login was through `oidc-connection-test-other`, not")
    assert sessions(site) == []


@pytest.mark.proofs
def test_a_second_factor(bare: Workplace) -> None:
    with login_place(bare, mfa_policy="REQUIRED_FOR_ALL") as site, logging_in(site) as login:
        login.log_in()
        code, text = login.end()
    assert code == 0
    assert "a second factor" in text
    assert "[login-incomplete]" in text
    assert "authenticate-sso" in operations(site)
    assert "revoke-sessions" not in operations(site)


@pytest.mark.proofs
def test_a_claim_that_is_mapped_and_missing(site: Workplace) -> None:
    edit(site, attribute_mapping={"team": "department", "mail": "email"})
    with logging_in(site) as login:
        login.log_in()
        code, text = login.end()
    assert code == 0
    assert "acme/sso: the claim `department`, mapped to `team`, did not arrive [claim-missing]" in text
    assert "`email`" not in text


@pytest.mark.proofs
def test_a_session_that_cannot_be_revoked(site: Workplace) -> None:
    site.emulator.add_fault("revoke-sessions:500")
    with logging_in(site) as login:
        login.log_in()
        code, text = login.end()
    assert code == 0
    assert "the session of the login was not revoked" in text
    assert "[session-not-revoked]" in text
    assert "the session was revoked" not in text


def test_ctrl_c_while_it_waits(site: Workplace) -> None:
    with logging_in(site) as login:
        login.session.type("\x03")
        code, text = login.end()
    assert code == 130
    assert "Interrupted." in text
    assert "Traceback" not in text


@pytest.mark.proofs
def test_ctrl_c_during_the_exchange_leaves_no_session(site: Workplace) -> None:
    site.emulator.add_fault("authenticate-sso:latency:seconds=1")
    with logging_in(site) as login:
        login.log_in()
        login.session.type("\x03")
        code, _ = login.end()
    assert code == 130
    assert operations(site)[-1] == "revoke-sessions"
    assert sessions(site) == []


def test_ctrl_c_at_the_question(site: Workplace) -> None:
    with terminal(site, "verify", "--login", ADDRESS, result_on_screen=True) as session:
        session.wait_for("Enter a value:")
        session.type("\x03")
        code, _ = session.end()
    assert code == 130
    assert "Interrupted." in session.text
    assert "Traceback" not in session.text


BROWSER = """
import sys, httpx
with httpx.Client(follow_redirects=True) as client:
    page = client.get(sys.argv[1])
    client.post(str(page.url), data={"username": "alice", "password": "wonderland"})
"""


def test_the_browser_is_opened(site: Workplace) -> None:
    script = site.write("browser.py", BROWSER)
    site.setenv("BROWSER", f"{sys.executable} {script} %s")
    port = str(free_port())
    with terminal(site, "verify", "--login", ADDRESS, "--login-port", port, result_on_screen=True) as session:
        session.wait_for("Enter a value:")
        session.type("yes\n")
        code, _ = session.end()
    assert code == 0
    assert "alice@example.com logged in to acme" in session.text
