"""A plan becomes a comment on the pull request, and drift an issue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_the_pull_request_and_an_issue_show_the_reports(open_page: OpenPage) -> None:
    with open_page("publish-reports.md") as story, FakeGitHub() as github:
        event = story.place.write("event.json", json.dumps({"pull_request": {"number": 7}}))
        story.place.setenv("GITHUB_API_URL", github.api_url)
        story.place.setenv("GITHUB_REPOSITORY", REPOSITORY)
        story.place.setenv("GITHUB_EVENT_PATH", str(event))
        story.place.setenv("GITHUB_TOKEN", TOKEN)
        story.play("")
        (comment,) = github.pull_request.comments
        assert "4 to add, 0 to change, 0 to destroy" in comment["body"]
        (issue,) = github.issues()
        assert "acme/okta-workforce" in issue.body
