"""Shares of an estate: every organization is in exactly one, and stays there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.run_selection import Limits, Shard

COUNTS = st.integers(min_value=1, max_value=64)


@given(st.text(), COUNTS)
def test_every_organization_is_in_exactly_one_shard(organization: str, count: int) -> None:
    shards = [Shard(index, count) for index in range(1, count + 1)]
    assert sum(shard.holds(organization) for shard in shards) == 1


def test_shards_are_about_equally_large() -> None:
    names = [f"customer-{number}" for number in range(10_000)]
    sizes = [sum(Shard(index, 4).holds(name) for name in names) for index in range(1, 5)]
    assert sum(sizes) == 10_000
    assert min(sizes) > 2_300


@pytest.mark.parametrize(
    ("organization", "index"), [("acme", 1), ("globex", 4), ("initech", 4), ("organization-test-1", 4)]
)
def test_the_shard_of_an_organization_never_changes(organization: str, index: int) -> None:
    """These are facts of this program's past: plans of different machines and versions fit together."""
    assert [one for one in range(1, 5) if Shard(one, 4).holds(organization)] == [index]


@pytest.mark.parametrize(("index", "count"), [(0, 4), (5, 4), (1, 0), (-1, 4)])
def test_a_shard_that_does_not_exist_is_refused(index: int, count: int) -> None:
    with pytest.raises(ValueError, match="there is no shard"):
        Shard(index, count)


def test_the_pace_is_divided_and_the_limits_on_deletes_are_not() -> None:
    limits = Limits(requests_per_second=10, concurrency=8, max_deletes=3).among(4)
    assert (limits.requests_per_second, limits.concurrency, limits.max_deletes) == (2.5, 2, 3)
    assert Limits(concurrency=2).among(4).concurrency == 1
