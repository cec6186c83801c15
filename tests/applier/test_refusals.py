"""What the service refuses, does not take or does not show ends in a sentence that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.connection import INFERRED_FIELDS
from reconciler.core.outcome import Applied, Failed
from tests.applier.conftest import DECLARED, absent, declare, present
from tests.support.faulty import Fault

if TYPE_CHECKING:
    from reconciler.core.state import DesiredConnection
    from tests.support.estate import Estate

CLEARED = present("okta", replace(DECLARED, custom_scopes=()))
STAYS = 'did not converge: custom_scopes is "email groups openid profile", declared ""'


@pytest.fixture
def lives(estate: Estate) -> Estate:
    assert estate.apply(estate.plan(declare(present()))).is_complete
    return estate


def failure(estate: Estate, *faults: Fault, connection: DesiredConnection = CLEARED) -> Failed:
    (outcome,) = estate.apply(estate.plan(declare(connection)), *faults).outcomes
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


def test_what_the_service_ignores_is_corrected_once(lives: Estate) -> None:
    assert failure(lives).message == f"{STAYS}, after one correction"
    assert lives.calls["update"] == 2


def test_what_was_sent_again_because_its_answer_was_lost_is_not_sent_a_third_time(lives: Estate) -> None:
    failed = failure(lives, Fault("update", 1, after_effect=True))
    assert failed.message == f"{STAYS}, although it was sent twice"
    assert lives.calls["update"] == 2


def test_a_service_that_never_answers_is_said_with_the_field(lives: Estate) -> None:
    failed = failure(lives, *(Fault("update", nth, after_effect=True) for nth in (1, 2, 3)))
    assert failed.message == f"{STAYS}, with no answer to 3 attempts to update it; apply again later"


@pytest.mark.parametrize(
    ("behaviour", "declared", "kept"),
    [
        ("keeps", {}, "authorization_url, token_url, userinfo_url, jwks_url"),
        ("keeps", {"token_url": "https://new.acme.com/t"}, "authorization_url, userinfo_url, jwks_url"),
        ("clears", {}, ""),
    ],
)
def test_urls_that_a_new_issuer_has_not_changed_are_told(
    lives: Estate, behaviour: str, declared: dict[str, str], kept: str
) -> None:
    lives.emulator.set_switch("failed-discovery", behaviour)
    urls: dict[str, Any] = {**dict.fromkeys(INFERRED_FIELDS), **declared}
    moved = replace(DECLARED, issuer="https://new.acme.com", **urls)
    (outcome,) = lives.apply(lives.plan(declare(present("okta", moved)))).outcomes
    assert isinstance(outcome, Applied)
    told = [one for one in outcome.warnings if "the issuer changed" in one]
    sentence = f"the issuer changed, but the service kept {kept}: check them, or declare them"
    assert told == ([sentence] if kept else [])


def test_a_new_connection_that_is_never_listed_is_said_and_not_doubled(estate: Estate) -> None:
    estate.emulator.set_switch("read-lag", "9")
    failed = failure(estate, connection=present())
    assert failed.message.startswith("did not converge: oidc-connection-test-")
    assert "is not listed; somebody deleted it, or the list lags: wait a while" in failed.message
    assert len(estate.connections()) == 1
