"""Codes about logins, which a person starts on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.codes.provoking import provokes
from tests.idp.logging_in import logging_in, login_place
from tests.support.workplace import CompletedRun

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def log_in(place: Workplace, *words: str, comes_back: bool = True) -> CompletedRun:
    with logging_in(place, "--output", "json=result.json", *words) as login:
        if comes_back:
            login.log_in()
        code, _ = login.end()
    return CompletedRun(code, (place.root / "result.json").read_text(), "")


@provokes("login-failed")
def _(place: Workplace) -> CompletedRun:
    with login_place(place):
        return log_in(place, "--login-timeout", "1", comes_back=False)


@provokes("login-incomplete")
def _(place: Workplace) -> CompletedRun:
    with login_place(place, mfa_policy="REQUIRED_FOR_ALL"):
        return log_in(place)


@provokes("claim-missing", "session-not-revoked")
def _(place: Workplace) -> CompletedRun:
    with login_place(place):
        (connection,) = place.emulator.oidc_connections("acme")
        place.emulator.edit_connection(connection["connection_id"], attribute_mapping={"team": "team"})
        place.emulator.add_fault("revoke-sessions:500")
        return log_in(place)
