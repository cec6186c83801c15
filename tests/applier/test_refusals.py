"""What the service refuses, does not take or does not show ends in a sentence that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.connection import INFERRED_FIELDS
from reconciler.core.outcome import Applied, Failed
from tests.applier.conftest import DECLARED, absent, declare, present

if TYPE_CHECKING:
    from reconciler.core.state import DesiredConnection
    from tests.support.estate import Estate

CLEARED = present("okta", replace(DECLARED, custom_scopes=()))


@pytest.fixture
def lives(estate: Estate) -> Estate:
    assert estate.apply(estate.plan(declare(present()))).is_complete
    return estate


def failure(estate: Estate, connection: DesiredConnection = CLEARED) -> Failed:
    (outcome,) = estate.apply(estate.plan(declare(connection))).outcomes
    assert isinstance(outcome, Failed)
    return outcome


def test_a_refused_update_names_what_was_sent_and_the_reason(lives: Estate) -> None:
    lives.emulator.set_switch("empty-string", "rejected")
    failed = failure(lives)
    assert failed.message.startswith("did not converge: the service refuses custom_scopes: PUT connection ")
    assert "custom_scopes is empty" in failed.message
    assert (failed.status, failed.error_type) == (400, "bad_request")
    assert lives.calls["update"] == 1


def test_a_refused_create_says_so_and_leaves_nothing_behind(estate: Estate) -> None:
    estate.emulator.set_switch("duplicate-display-name", "rejected")
    estate.emulator.add_connection("acme", "saml", display_name=DECLARED.display_name)
    failed = failure(estate, connection=present())
    assert failed.message.startswith(
        "did not converge: the service refuses to create it: POST new connection "
    )
    assert failed.error_type == "invalid_display_name"
    assert estate.connections() == ()


def test_a_refused_delete_says_so_and_is_not_repeated(lives: Estate) -> None:
    (connection,) = lives.connections()
    lives.emulator.set_switch("jit-list", "rejected")
    lives.emulator.edit_organization(
        "acme", sso_jit_provisioning_allowed_connections=[connection["connection_id"]]
    )
    failed = failure(lives, connection=absent())
    assert failed.message.startswith("did not converge: the service refuses to delete it: DELETE connection ")
    assert lives.calls["delete"] == 1
    assert len(lives.connections()) == 1


def test_a_delete_that_was_answered_is_not_repeated_because_the_list_lags(lives: Estate) -> None:
    plan = lives.plan(declare(absent()))
    lives.emulator.set_switch("read-lag", "9")
    (outcome,) = lives.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "is still listed after it was deleted; the list lags" in outcome.message
    assert lives.calls["delete"] == 1
    assert lives.connections() == ()


@pytest.mark.parametrize(
    ("behavior", "declared", "kept"),
    [
        ("keeps", {}, "authorization_url, token_url, userinfo_url, jwks_url"),
        ("keeps", {"token_url": "https://new.acme.com/t"}, "authorization_url, userinfo_url, jwks_url"),
        ("clears", {}, ""),
    ],
)
def test_urls_that_a_new_issuer_has_not_changed_are_told(
    lives: Estate, behavior: str, declared: dict[str, str], kept: str
) -> None:
    lives.emulator.set_switch("failed-discovery", behavior)
    urls: dict[str, Any] = {**dict.fromkeys(INFERRED_FIELDS), **declared}
    moved = replace(DECLARED, issuer="https://new.acme.com", **urls)
    (outcome,) = lives.apply(lives.plan(declare(present("okta", moved)))).outcomes
    assert isinstance(outcome, Applied)
    warnings = [warning for warning in outcome.warnings if "the issuer changed" in warning]
    sentence = f"the issuer changed, but the service kept {kept}: check them, or declare them"
    assert warnings == ([sentence] if kept else [])
