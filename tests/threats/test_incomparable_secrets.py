"""Secrets that look like masks are compared; secrets that the service hides are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

LOOKS_MASKED = "Pa***word"
AT_ACME = {
    "issuer": "https://acme.example.com",
    **{
        f"{name}_url": f"https://acme.example.com/{name}"
        for name in ("authorization", "token", "userinfo", "jwks")
    },
}
HIDDEN = ("masked", "empty", "absent")


@pytest.fixture
def acme(connected: Workplace) -> Workplace:
    """One active connection that is as declared."""
    connected.emulator.add_connection("acme", **okta("sso", **AT_ACME))
    connected.declare("acme", issuer="https://acme.example.com", client_id="0oa1b2c3")
    connected.setenv("ACME_CLIENT_SECRET", "s3cr3t~sso")
    return connected


def test_a_secret_that_looks_like_a_mask_is_equal_to_itself(acme: Workplace) -> None:
    """Case 6: live secret and variable are both `Pa***word`."""
    (live,) = acme.live("acme")
    acme.emulator.edit_connection(live["connection_id"], client_secret=LOOKS_MASKED)
    acme.setenv("ACME_CLIENT_SECRET", LOOKS_MASKED)
    run = acme.run("plan", "--detailed-exitcode")
    assert (run.code, NO_CHANGES in run.out) == (0, True), run.output
    assert "cannot be compared" not in run.output


@pytest.mark.parametrize("after", ["hidden-acme-value", "Pa***words", "********"])
def test_a_secret_that_looks_like_a_mask_is_replaced(acme: Workplace, after: str) -> None:
    """Case 6: then the variable changes."""
    (live,) = acme.live("acme")
    acme.emulator.edit_connection(live["connection_id"], client_secret=LOOKS_MASKED)
    acme.setenv("ACME_CLIENT_SECRET", after)
    assert acme.run("plan", "--detailed-exitcode").code == 2
    run = acme.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    assert acme.live("acme")[0]["client_secret"] == after
    assert acme.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("setting", HIDDEN)
def test_a_hidden_secret_of_an_active_connection_is_not_planned(acme: Workplace, setting: str) -> None:
    """Case 7: an active connection whose `client_secret` is masked, absent or empty in every answer."""
    acme.emulator.set_switch("client-secret", setting)
    acme.setenv("ACME_CLIENT_SECRET", "another-value")
    for words in (("plan", "--detailed-exitcode"), ("apply", "--auto-approve"), ("drift",)):
        run = acme.run(*words)
        assert run.code == 0, run.output
        assert "cannot be compared" in run.output
    assert not acme.emulator.request_log.writes


@pytest.mark.parametrize("setting", HIDDEN)
def test_a_hidden_secret_is_sent_on_request(acme: Workplace, setting: str) -> None:
    """Case 7: `--rotate` sends it once, and the run succeeds."""
    acme.emulator.set_switch("client-secret", setting)
    acme.setenv("ACME_CLIENT_SECRET", "another-value")
    run = acme.run("apply", "--auto-approve", "--rotate", "acme/sso")
    assert run.code == 0, run.output
    assert len(acme.emulator.request_log.writes) == 1
    assert acme.live("acme")[0]["client_secret"] == "another-value"


@pytest.mark.parametrize("setting", HIDDEN)
def test_a_connection_with_a_hidden_secret_is_created_once(connected: Workplace, setting: str) -> None:
    """Case 7: a create sends the secret, and the next run has nothing to do."""
    connected.emulator.set_switch("client-secret", setting)
    run = connected.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    assert connected.live("acme")[0]["client_secret"] == "hidden-acme-value"
    connected.emulator.request_log.clear()
    assert connected.run("apply", "--auto-approve").code == 0
    assert not connected.emulator.request_log.writes


def test_the_secret_of_a_pending_connection_is_still_missing(acme: Workplace) -> None:
    """Case 7, the other side: only an active connection has a secret although none is returned."""
    (live,) = acme.live("acme")
    acme.emulator.edit_connection(live["connection_id"], client_secret="", status="pending")
    run = acme.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    assert acme.live("acme")[0]["client_secret"] == "s3cr3t~sso"


@pytest.mark.parametrize("setting", HIDDEN)
def test_an_imported_connection_refers_to_its_hidden_secret(acme: Workplace, setting: str) -> None:
    """Case 7: an active connection has a secret, so its manifest has a reference."""
    acme.emulator.set_switch("client-secret", setting)
    (acme.root / "organizations/acme.yaml").unlink()
    assert acme.run("import", "acme").code == 0
    (manifest,) = (acme.root / "organizations").iterdir()
    assert "client_secret: ${env:" in manifest.read_text()
