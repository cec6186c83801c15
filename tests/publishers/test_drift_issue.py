"""Drift has one issue: opened, kept up to date, and closed when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.github import GitHub
from reconciler.publishers.sticky import DriftNotice, marker, publish_drift, with_marker
from tests.publishers.fake_forge import Fault
from tests.publishers.fake_github import REPOSITORY, TOKEN, Conversation

if TYPE_CHECKING:
    from reconciler.publishers.gitlab import GitLab
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab

LINE = marker("drift", "live")
DRIFT = DriftNotice(title="Drift in live", body="2 findings")
OVER = DriftNotice(title="Drift in live", body="none", has_drift=False, is_over=True)
UNSURE = replace(OVER, is_over=False)


def test_it_is_opened_then_updated_then_closed(github: FakeGitHub, forge: GitHub) -> None:
    assert publish_drift(forge, LINE, DRIFT)[0] == "opened"
    assert publish_drift(forge, LINE, replace(DRIFT, body="3 findings"))[0] == "updated"
    (issue,) = github.issues()
    assert (issue.title, issue.body, issue.state) == ("Drift in live", f"{LINE}\n3 findings", "open")
    assert publish_drift(forge, LINE, OVER)[0] == "closed"
    assert (issue.state, issue.body) == ("closed", f"{LINE}\nnone")


def test_new_drift_opens_a_new_issue(github: FakeGitHub, forge: GitHub) -> None:
    for notice in (DRIFT, OVER, DRIFT):
        publish_drift(forge, LINE, notice)
    assert [issue.state for issue in github.issues()] == ["closed", "open"]


def test_no_drift_and_no_issue_need_nothing(github: FakeGitHub, forge: GitHub) -> None:
    assert publish_drift(forge, LINE, OVER) == ("not needed", "")
    assert github.issues() == []


def test_an_incomplete_report_closes_nothing(github: FakeGitHub, forge: GitHub) -> None:
    publish_drift(forge, LINE, DRIFT)
    assert publish_drift(forge, LINE, UNSURE)[0] == "updated"
    assert github.issues()[0].state == "open"


def test_only_news_notify(github: FakeGitHub, forge: GitHub) -> None:
    publish_drift(forge, LINE, DRIFT)
    publish_drift(forge, LINE, DRIFT)
    publish_drift(forge, LINE, replace(DRIFT, news="1 new finding"))
    assert [issue["body"] for issue in github.issues()[0].comments] == ["1 new finding"]


def test_issues_of_others_and_pull_requests_are_never_touched(github: FakeGitHub, forge: GitHub) -> None:
    body = with_marker(LINE, "imitation")
    github.conversations[8] = Conversation(8, "mallory", "Drift in live", body)
    github.conversations[9] = Conversation(9, forge.author(), "Drift", body, is_pull_request=True)
    publish_drift(forge, LINE, OVER)
    assert publish_drift(forge, LINE, DRIFT)[0] == "opened"
    assert {one.state for one in github.conversations.values()} == {"open"}
    assert github.conversations[8].body == github.conversations[9].body == body


def test_it_is_found_on_a_later_page(github: FakeGitHub, forge: GitHub) -> None:
    github.page_size = 1
    for number in range(20, 24):
        github.conversations[number] = Conversation(number, forge.author(), "another")
    publish_drift(forge, LINE, DRIFT)
    assert publish_drift(forge, LINE, DRIFT)[0] == "updated"


def test_an_answer_that_is_lost_leaves_one_issue(github: FakeGitHub) -> None:
    github.accounts[TOKEN] = "dev"
    forge = GitHub(TOKEN, REPOSITORY, api_url=github.api_url)
    github.faults = [Fault("POST", after_the_work=True)]
    publish_drift(forge, LINE, DRIFT)
    assert len(github.issues()) == 1
    github.conversations.clear()
    github.faults = [Fault("POST")] * 3
    with pytest.raises(UnknownPublication):
        publish_drift(forge, LINE, DRIFT)
    forge.close()


def test_gitlab_has_one_as_well(gitlab: FakeGitLab, gitlab_forge: GitLab) -> None:
    assert publish_drift(gitlab_forge, LINE, DRIFT)[0] == "opened"
    publish_drift(gitlab_forge, LINE, replace(DRIFT, body="3 findings", news="1 new"))
    (issue,) = gitlab.issues
    assert (issue["description"], issue["notes"]) == (f"{LINE}\n3 findings", ["1 new"])
    assert publish_drift(gitlab_forge, LINE, OVER)[0] == "closed"
    assert issue["state"] == "closed"
