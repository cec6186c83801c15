"""What a run does where the update of an organization's default connection goes wrong."""

from __future__ import annotations

import pytest

from reconciler.applier import ReadBackPolicy
from reconciler.core.errors import AccessDenied, RequestRejected
from reconciler.core.outcome import Applied, Failed, Skipped
from tests.applier.conftest import declare
from tests.support.estate import Estate, complete, wanted
from tests.support.faulty import Fault

OLD, NEW = complete("acme", "old"), complete("acme", "new", default=True)


@pytest.fixture
def ids(estate: Estate) -> dict[str, str]:
    """Two connections are live, of which the first one is the default."""
    live = {
        desired.address.connection: str(
            estate.emulator.add_connection("acme", **wanted(desired))["connection_id"]
        )
        for desired in (OLD, NEW)
    }
    estate.emulator.edit_organization("acme", sso_default_connection_id=live["old"])
    return live


def default(estate: Estate) -> str:
    return str(estate.emulator.organization("acme")["sso_default_connection_id"])


def test_a_lost_answer_that_took_effect_is_not_sent_again(estate: Estate, ids: dict[str, str]) -> None:
    (outcome,) = estate.apply(estate.plan(declare(OLD, NEW)), Fault("default", after_effect=True)).outcomes
    assert isinstance(outcome, Applied)
    assert outcome.history[0].startswith("the response to update 1 was lost")
    assert default(estate) == ids["new"]
    assert estate.calls["default"] == 1


def test_a_lost_answer_without_effect_is_sent_again_after_several_readings(
    estate: Estate, ids: dict[str, str]
) -> None:
    (outcome,) = estate.apply(estate.plan(declare(OLD, NEW)), Fault("default")).outcomes
    assert isinstance(outcome, Applied)
    assert default(estate) == ids["new"]
    assert estate.calls["default"] == 2
    assert estate.took >= sum(ReadBackPolicy().waits)


def test_what_somebody_else_chose_while_the_answer_was_lost_stays(
    estate: Estate, ids: dict[str, str]
) -> None:
    third = str(estate.emulator.add_connection("acme", display_name="third")["connection_id"])

    def choose() -> None:
        estate.emulator.edit_organization("acme", sso_default_connection_id=third)

    (outcome,) = estate.apply(estate.plan(declare(OLD, NEW)), Fault("default", meanwhile=choose)).outcomes
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith(f"changed since the plan: the default connection is {third} now")
    assert default(estate) == third
    assert estate.calls["default"] == 1


@pytest.mark.parametrize("lag", ["1", "4"])
def test_an_organization_that_lags_is_waited_for(estate: Estate, ids: dict[str, str], lag: str) -> None:
    estate.emulator.set_switch("read-lag", lag)
    plan = estate.plan(declare(OLD, NEW))
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Applied)
    assert default(estate) == ids["new"]
    assert estate.calls["default"] == 1


def test_an_organization_that_lags_for_longer_did_not_converge_and_says_so(
    estate: Estate, ids: dict[str, str]
) -> None:
    estate.emulator.set_switch("read-lag", "12")
    (outcome,) = estate.apply(estate.plan(declare(OLD, NEW))).outcomes
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith(
        f"did not converge: the default connection is {ids['old']}, not {ids['new']}, although it was sent"
    )
    assert estate.calls["default"] == 1


def test_a_run_that_was_frozen_before_the_update_reads_the_organization_again(
    estate: Estate, ids: dict[str, str]
) -> None:
    """It stood still for longer than its reading is good for, and somebody else chose another default."""
    third = str(estate.emulator.add_connection("acme", display_name="third")["connection_id"])
    plan = estate.plan(declare(OLD, NEW))
    readings = iter([0.0, 5.0])

    def frozen() -> float:
        seconds = next(readings, 0.0)
        if seconds:
            estate.emulator.edit_organization("acme", sso_default_connection_id=third)
        return seconds

    estate.frozen = frozen
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert f"the default connection is {third} now" in outcome.message
    assert default(estate) == third
    assert estate.emulator.request_log.of("update-organization") == ()


def test_a_refused_default_fails_alone_and_deletes_are_left_for_later(
    estate: Estate, ids: dict[str, str]
) -> None:
    absent = complete("acme", "old", absent=True)
    refusal = RequestRejected("no", status=400, error_type="invalid_sso_default_connection_id")
    result = estate.apply(estate.plan(declare(absent, NEW)), Fault("default", error=refusal))
    failed, skipped = result.outcomes
    assert isinstance(failed, Failed)
    assert failed.error_type == "invalid_sso_default_connection_id"
    assert isinstance(skipped, Skipped)
    assert "deletes come last" in skipped.reason
    assert default(estate) == ids["old"]


def test_a_default_that_is_denied_stops_the_run(estate: Estate, ids: dict[str, str]) -> None:
    absent = complete("acme", "old", absent=True)
    denied = AccessDenied("no", status=403, error_type="unauthorized_action")
    result = estate.apply(estate.plan(declare(absent, NEW)), Fault("default", error=denied))
    failed, skipped = result.outcomes
    assert isinstance(failed, Failed)
    assert isinstance(skipped, Skipped)
    assert "access was denied" in skipped.reason
    assert len(estate.connections()) == len(ids)


def test_a_create_that_fails_skips_the_default_that_depends_on_it(
    estate: Estate, ids: dict[str, str]
) -> None:
    created = complete("acme", "third", default=True)
    refusal = RequestRejected("no", status=400, error_type="invalid_display_name")
    plan = estate.plan(declare(OLD, complete("acme", "new"), created))
    failed, skipped = estate.apply(plan, Fault("create", error=refusal)).outcomes
    assert isinstance(failed, Failed)
    assert isinstance(skipped, Skipped)
    assert str(skipped.address) == "acme"
    assert "could not be created or updated" in skipped.reason
    assert default(estate) == ids["old"]
    assert estate.calls["default"] == 0
