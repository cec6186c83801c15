"""A session that ends midway stops the run with a summary, and after a new login a later run finishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.session_api.conftest import NAMES, log_in
from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

DEAD = "session_not_found"
LOG_IN = "log in again"
SESSIONS = ("member token", "member jwt", "session")


def fault(login: str, operation: str, nth: int) -> str:
    prefix = "frontend-" if login == "session" else ""
    return f"{prefix}{operation}:{DEAD}:nth={nth}"


@pytest.mark.parametrize("login", SESSIONS)
def test_what_was_done_is_told_and_the_next_login_finishes(place: Workplace, login: str) -> None:
    log_in(place, login)
    place.emulator.add_fault(fault(login, "create-oidc-connection", 2))
    ended = place.run("apply", "--auto-approve", "--format", "json")
    assert ended.code == 1
    outcomes = {one["address"]: one["status"] for one in ended.document["outcomes"]}
    assert outcomes == {"acme/first": "applied", "acme/second": "failed", "acme/third": "skipped"}
    assert LOG_IN in ended.out
    assert [connection["display_name"] for connection in place.live("acme")] == ["first"]
    log_in(place, login)
    finished = place.run("apply", "--auto-approve")
    assert "Resources: 2 added, 0 changed, 0 destroyed." in finished.out
    assert [connection["display_name"] for connection in place.live("acme")] == list(NAMES)
    assert place.run("plan").out == f"{place.headline}{NO_CHANGES}\n{NOT_COMPARED}\n"


@pytest.mark.parametrize("login", SESSIONS)
def test_a_create_cut_in_two_is_completed_not_doubled(place: Workplace, login: str) -> None:
    log_in(place, login)
    place.emulator.add_fault(fault(login, "update-oidc-connection", 1))
    ended = place.run("apply", "--auto-approve")
    assert (ended.code, LOG_IN in ended.out) == (1, True)
    assert "exists, and the next apply completes it" in ended.out
    assert "Apply incomplete! Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 2 skipped." in ended.out
    assert "acme/second: Skipped, not created: access was denied, so the run stopped" in ended.out
    log_in(place, login)
    finished = place.run("apply", "--auto-approve")
    assert "which an interrupted create left behind" in finished.out
    assert [connection["display_name"] for connection in place.live("acme")] == list(NAMES)


@pytest.mark.parametrize("login", SESSIONS)
def test_a_session_that_really_expires_between_plan_and_apply(place: Workplace, login: str) -> None:
    log_in(place, login)
    assert place.run("plan", "--out", "saved.json").code == 0
    place.emulator.context.clock_offset += 366 * 24 * 3600
    ended = place.run("apply", "saved.json")
    assert (ended.code, LOG_IN in ended.output) == (1, True), ended.output
    assert not place.emulator.request_log.writes
    log_in(place, login)
    assert place.run("apply", "saved.json").code == 0
    assert len(place.live("acme")) == 3


def test_a_jwt_lives_five_minutes_and_its_token_longer(place: Workplace) -> None:
    log_in(place, "member jwt")
    place.emulator.context.clock_offset += 301
    ended = place.run("plan")
    assert (ended.code, LOG_IN in ended.output) == (1, True)
    place.delenv("STYTCH_SESSION_JWT")
    log_in(place, "member token")
    place.emulator.context.clock_offset += 301
    assert place.run("plan").code == 0
