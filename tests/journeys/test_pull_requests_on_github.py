"""A pull request changes one organization, and only that one is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_only_what_changed_is_planned(open_page: OpenPage) -> None:
    with open_page("pull-requests-on-github.md") as story:
        place = story.place.applied()
        place.git("init", "--quiet", "--initial-branch", "main")
        place.commit()
        place.git("checkout", "--quiet", "-b", "scopes-for-globex")
        story.play("Plan only what changed")
        operations = [request.operation for request in place.emulator.request_log]
        assert operations == ["get-organization", "list-connections"]
