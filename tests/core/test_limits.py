"""How many deletes a run may do, and what it takes to exceed that."""

from __future__ import annotations

import pytest

from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import PlanSummary
from reconciler.core.run_selection import Limits


@pytest.mark.parametrize(
    ("managed", "allowed"), [(0, 1), (1, 1), (4, 1), (5, 1), (9, 1), (10, 2), (15, 3), (1000, 3)]
)
def test_the_lower_limit_counts_and_a_share_is_never_less_than_one(managed: int, allowed: int) -> None:
    assert Limits(max_deletes=3, max_delete_percent=20).deletes_allowed(managed) == allowed


def test_no_deletes_at_all_can_be_asked_for() -> None:
    assert Limits(max_deletes=0).deletes_allowed(100) == 0


def test_within_the_limits_there_is_nothing_to_say() -> None:
    assert check_delete_limits(PlanSummary(destroy=3, managed=100), Limits()) == ()


def test_the_refusal_states_all_numbers_and_the_option() -> None:
    (found,) = check_delete_limits(PlanSummary(destroy=4, managed=100), Limits())
    assert found.is_error
    assert found.code == "too-many-deletes"
    assert found.summary == (
        "the plan deletes 4 of 100 managed connections, but the limits allow 3 "
        "(max_deletes 3, max_delete_percent 20)"
    )
    assert "`--allow-deletes 4`" in found.detail


def test_exactly_this_number_can_be_accepted_and_no_other() -> None:
    summary = PlanSummary(destroy=4, managed=100)
    assert check_delete_limits(summary, Limits(), accepted=4) == ()
    for other in (3, 5):
        (found,) = check_delete_limits(summary, Limits(), accepted=other)
        assert f"--allow-deletes {other} does not fit this plan" in found.detail
