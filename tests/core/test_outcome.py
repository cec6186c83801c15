"""What a run may say of itself."""

from __future__ import annotations

import pytest

from reconciler.core.outcome import ApplyResult
from tests.reports.samples import CREATED, DELETED, ERROR, FAILED, SKIPPED, UNNEEDED, UPDATED, WARNING


def test_only_what_took_effect_is_counted() -> None:
    result = ApplyResult((CREATED, CREATED, UPDATED, DELETED, FAILED, SKIPPED, UNNEEDED))
    assert (result.added, result.changed, result.destroyed) == (2, 1, 1)


@pytest.mark.parametrize(
    ("result", "is_complete"),
    [
        (ApplyResult(), True),
        (ApplyResult((CREATED, UNNEEDED)), True),
        (ApplyResult((CREATED,), diagnostics=(WARNING,)), True),
        (ApplyResult((CREATED, FAILED)), False),
        (ApplyResult((CREATED, SKIPPED)), False),
        (ApplyResult((CREATED,), diagnostics=(ERROR,)), False),
    ],
)
def test_complete_means_that_everything_planned_and_declared_holds(
    result: ApplyResult, is_complete: bool
) -> None:
    assert result.is_complete is is_complete
