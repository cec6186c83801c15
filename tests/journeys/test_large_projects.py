"""A project is planned in shards, and their plans are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_the_merged_plan_is_that_of_a_single_run(open_page: OpenPage) -> None:
    with open_page("large-projects.md") as story:
        story.play("Shards")
        merged = story.place.run("show", "--merge", *(f"shard-{number}.json" for number in (1, 2, 3, 4)))
        assert merged.out.split("Plan: ")[1] == story.place.run("plan").out.split("Plan: ")[1]
        assert not story.place.emulator.request_log.writes
