"""A CI system validates, plans, applies that plan, and looks for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_the_commands_of_each_stage_work_together(open_page: OpenPage) -> None:
    with open_page("gitlab-and-other-ci.md") as story:
        story.play("Other systems")
        assert sum(len(story.live(name)) for name in ("acme", "globex", "initech")) == 4
        files = {path.name for path in story.place.root.iterdir()}
        assert {"plan.json", "plan.md", "result.json", "drift.json"} <= files
