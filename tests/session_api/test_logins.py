"""One manifest, four kinds of credentials: the commands do the same with each, and send what it needs."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN
from tests.session_api.conftest import LOGINS, NAMES, log_in, manifest
from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


@pytest.mark.parametrize("login", LOGINS)
def test_an_organization_is_reconciled_with_every_login(place: Workplace, login: str) -> None:
    session = log_in(place, login)
    assert place.run("plan", "--detailed-exitcode").code == 2
    applied = place.run("apply", "--auto-approve")
    assert (applied.code, "Resources: 3 added, 0 changed, 0 destroyed." in applied.out) == (0, True)
    assert [connection["display_name"] for connection in place.live("acme")] == list(NAMES)
    assert {connection["status"] for connection in place.live("acme")} == {"active"}
    again = place.run("plan", "--detailed-exitcode")
    assert (again.code, again.out) == (0, f"{place.headline}{NO_CHANGES}\n{NOT_COMPARED}\n")
    assert place.run("drift").code == 0
    for secret in (value for name, value in session.items() if name.startswith("session_")):
        assert secret not in applied.output


@pytest.mark.parametrize("login", LOGINS)
def test_what_is_changed_and_buried_with_a_login_holds(place: Workplace, login: str) -> None:
    log_in(place, login)
    place.applied()
    text = manifest("acme", *NAMES).replace("client-second", "other-client")
    place.write("organizations/acme.yaml", f"{text}    state: absent\n")
    ended = place.run("apply", "--auto-approve", "--allow-deletes", "1")
    assert "Resources: 0 added, 1 changed, 1 destroyed." in ended.out, ended.output
    assert [connection["client_id"] for connection in place.live("acme")] == ["client-first", "other-client"]


def test_session_mode_calls_the_session_api_only(place: Workplace) -> None:
    session = log_in(place, "session")
    place.run("apply", "--auto-approve")
    for entry in place.emulator.request_log.entries:
        assert entry.path.startswith("/sdk/v1/b2b/")
        assert "acme" not in entry.path
        user, _, token = (
            b64decode(entry.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        )
        assert (user, token) == (DEFAULT_PUBLIC_TOKEN, session["session_token"])


@pytest.mark.parametrize(
    ("login", "header", "value"),
    [
        ("member token", "x-stytch-member-session", "session_token"),
        ("member jwt", "x-stytch-member-sessionjwt", "session_jwt"),
    ],
)
def test_a_member_s_session_goes_with_every_call(
    place: Workplace, login: str, header: str, value: str
) -> None:
    session = log_in(place, login)
    place.run("apply", "--auto-approve")
    requests = place.emulator.request_log.entries
    assert len(requests) > 6
    assert {request.headers.get(header) for request in requests} == {session[value]}


def test_a_jwt_may_be_declared_in_the_project_file(place: Workplace) -> None:
    jwt = log_in(place, "member jwt")["session_jwt"]
    place.delenv("STYTCH_SESSION_JWT")
    place.setenv("STYTCH_MEMBER", jwt)
    place.write("reconciler.yaml", "target: {session_jwt: '${env:STYTCH_MEMBER}'}")
    assert place.run("plan").code == 0
    assert {entry.headers["x-stytch-member-sessionjwt"] for entry in place.emulator.request_log.entries} == {
        jwt
    }


def test_a_token_and_a_jwt_at_once_are_refused(place: Workplace) -> None:
    log_in(place, "member jwt")
    log_in(place, "member token")
    ended = place.run("plan")
    assert ended.code == 1
    assert "both a session token and a session JWT are given" in ended.err
    assert not place.emulator.request_log.entries


@pytest.mark.parametrize("words", [("plan",), ("apply", "--auto-approve")])
def test_another_organization_is_refused_in_session_mode_before_any_write(
    place: Workplace, words: tuple[str, ...]
) -> None:
    log_in(place, "session", organization="globex")
    ended = place.run(*words)
    assert ended.code == 1
    assert "the session belongs to organization 'globex' (organization-test-" in ended.output
    assert "log in to 'acme', or use project credentials" in ended.output
    assert [entry.path for entry in place.emulator.request_log.entries] == ["/sdk/v1/b2b/organizations/me"]
    assert place.live("acme") == place.live("globex") == ()


def test_beside_another_s_manifest_the_session_s_own_is_still_carried_out(place: Workplace) -> None:
    log_in(place, "session")
    place.write("organizations/globex.yaml", manifest("globex", "only"))
    ended = place.run("apply", "--auto-approve")
    assert ended.code == 1
    assert "the session belongs to organization 'acme' (organization-test-" in ended.output
    assert "Apply incomplete! Resources: 3 added" in ended.out
    own = place.emulator.organization("acme")["organization_id"]
    assert {entry.organization_id for entry in place.emulator.request_log.writes} == {own}
    assert place.live("globex") == ()


@pytest.mark.parametrize("reference", ["organization_id", "organization_external_id"])
def test_the_session_s_own_organization_may_be_named_by_any_of_its_names(
    place: Workplace, reference: str
) -> None:
    place.emulator.edit_organization("acme", organization_external_id="crm|1")
    log_in(place, "session")
    place.write("organizations/acme.yaml", manifest(place.emulator.organization("acme")[reference], "only"))
    assert place.run("apply", "--auto-approve").code == 0
    assert [connection["display_name"] for connection in place.live("acme")] == ["only"]


@pytest.mark.parametrize("login", ["member token", "member jwt"])
def test_a_member_s_session_does_not_open_another_organization(place: Workplace, login: str) -> None:
    log_in(place, login, organization="globex")
    ended = place.run("apply", "--auto-approve")
    assert ended.code == 1
    assert "the member session is of another organization" in ended.output
    assert not place.emulator.request_log.writes


def test_import_takes_over_the_session_s_organization(place: Workplace) -> None:
    log_in(place, "session")
    place.applied()
    ended = place.run("import", "--all")
    assert (ended.code, "acme" in ended.output, "globex" in ended.output) == (0, True, False), ended.output
