"""There is one issue, with a part for drift and one for logins: opened, kept up to date, and closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.github import GitHub
from reconciler.publishers.issue import IssuePart, PartKind, PartState, publish_issue
from reconciler.publishers.sticky import marker, with_marker
from tests.publishers.fake_forge import Fault
from tests.publishers.fake_github import REPOSITORY, TOKEN, Conversation

if TYPE_CHECKING:
    from reconciler.publishers.gitlab import GitLab
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab

LINE = marker("drift", "live")
DRIFT = IssuePart(kind=PartKind.DRIFT, body="2 findings", state=PartState.OPEN, announcement="drift, too")
NO_DRIFT = replace(DRIFT, body="none", state=PartState.OVER)
UNSURE = replace(NO_DRIFT, state=PartState.UNKNOWN)
LOGINS = IssuePart(
    kind=PartKind.VERIFY, body="1 login fails", state=PartState.OPEN, announcement="logins, too"
)
ALL_LOG_IN = replace(LOGINS, body="all well", state=PartState.OVER)
MONDAY, TUESDAY, WEDNESDAY = (f"2026-11-{day}T03:17:00+00:00" for day in (23, 24, 25))


def publish(forge: GitHub | GitLab, *parts: IssuePart) -> str:
    return publish_issue(forge, LINE, "live", parts)[0]


def at(time: str, part: IssuePart, **fields: Any) -> IssuePart:
    return replace(part, made_at=time, **fields)


def comments(github: FakeGitHub) -> list[str]:
    (issue,) = [issue for issue in github.issues() if issue.state == "open"]
    return [comment["body"] for comment in issue.comments]


def test_it_is_opened_then_updated_then_closed(github: FakeGitHub, forge: GitHub) -> None:
    assert publish(forge, DRIFT) == "opened"
    assert publish(forge, replace(DRIFT, body="3 findings")) == "updated"
    (issue,) = github.issues()
    assert (issue.title, issue.body, issue.state) == (
        "Drift in live",
        f"{LINE}\n<!-- reconciler:part:drift:open: -->\n3 findings",
        "open",
    )
    assert publish(forge, NO_DRIFT) == "closed"
    assert (issue.state, issue.body) == (
        "closed", f"{LINE}\n<!-- reconciler:part:drift:over: -->\nnone"
    )  # fmt: skip


def test_new_drift_opens_a_new_issue(github: FakeGitHub, forge: GitHub) -> None:
    for part in (DRIFT, NO_DRIFT, DRIFT):
        publish(forge, part)
    assert [issue.state for issue in github.issues()] == ["closed", "open"]


def test_no_problem_and_no_issue_need_nothing(github: FakeGitHub, forge: GitHub) -> None:
    assert publish_issue(forge, LINE, "live", (NO_DRIFT, ALL_LOG_IN)) == ("not needed", "")
    assert github.issues() == []


@pytest.mark.parametrize("part", [DRIFT, LOGINS])
def test_an_incomplete_report_closes_nothing(github: FakeGitHub, forge: GitHub, part: IssuePart) -> None:
    publish(forge, part)
    assert publish(forge, replace(part, state=PartState.UNKNOWN)) == "updated"
    assert github.issues()[0].state == "open"


def test_both_are_one_issue_that_closes_when_both_are_over(github: FakeGitHub, forge: GitHub) -> None:
    assert publish(forge, DRIFT, LOGINS) == "opened"
    (issue,) = github.issues()
    assert issue.title == "Drift and login problems in live"
    assert issue.body.index("2 findings") < issue.body.index("1 login fails")
    assert publish(forge, NO_DRIFT, LOGINS) == "updated"
    assert (issue.title, issue.state) == ("Login problems in live", "open")
    assert publish(forge, NO_DRIFT, ALL_LOG_IN) == "closed"


def test_a_verify_that_died_neither_closes_the_issue_nor_hides_drift(
    github: FakeGitHub, forge: GitHub
) -> None:
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS))
    assert publish(forge, at(TUESDAY, NO_DRIFT)) == "updated"
    (issue,) = github.issues()
    assert (issue.state, issue.title) == ("open", "Login problems in live")
    assert "1 login fails" in issue.body
    assert "*As of 2026-11-23 03:17 UTC; there is no newer report.*" in issue.body
    publish(forge, at(WEDNESDAY, replace(DRIFT, body="4 findings")))
    assert issue.body.count("there is no newer report") == 1
    assert "4 findings" in issue.body


def test_a_drift_that_died_neither_closes_the_issue_nor_hides_logins(
    github: FakeGitHub, forge: GitHub
) -> None:
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS))
    assert publish(forge, at(TUESDAY, ALL_LOG_IN)) == "updated"
    (issue,) = github.issues()
    assert (issue.state, issue.title) == ("open", "Drift in live")
    assert issue.body.index("no newer report") < issue.body.index("2 findings")
    assert publish(forge, at(WEDNESDAY, NO_DRIFT)) == "closed"


def test_a_part_that_was_over_when_it_died_does_not_keep_the_issue_open(forge: GitHub) -> None:
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, ALL_LOG_IN))
    assert publish(forge, at(TUESDAY, NO_DRIFT)) == "closed"


def test_only_news_notify(github: FakeGitHub, forge: GitHub) -> None:
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS))
    publish(forge, at(TUESDAY, DRIFT), at(TUESDAY, LOGINS))
    assert comments(github) == []
    publish(forge, at(WEDNESDAY, DRIFT, news="1 new"), at(WEDNESDAY, LOGINS, news="1 login"))
    assert comments(github) == ["1 new\n\n1 login"]


def test_a_report_that_the_issue_has_is_no_news(github: FakeGitHub, forge: GitHub) -> None:
    """A night without `verify` passes on its last report; so does a job that is run again."""
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS))
    publish(forge, at(TUESDAY, DRIFT), at(TUESDAY, LOGINS, news="1 login"))
    publish(forge, at(WEDNESDAY, DRIFT), at(TUESDAY, LOGINS, news="1 login"))
    assert comments(github) == ["1 login"]
    assert "*As of 2026-11-24 03:17 UTC; there is no newer report.*" in github.issues()[0].body


def test_a_part_that_joins_an_open_issue_is_announced_once(github: FakeGitHub, forge: GitHub) -> None:
    publish(forge, at(MONDAY, DRIFT))
    publish(forge, at(TUESDAY, DRIFT), at(TUESDAY, LOGINS))
    publish(forge, at(WEDNESDAY, DRIFT), at(WEDNESDAY, LOGINS))
    assert comments(github) == ["logins, too"]


def test_an_earlier_report_replaces_no_later_one(github: FakeGitHub, forge: GitHub) -> None:
    publish(forge, at(TUESDAY, DRIFT))
    publish(forge, at(MONDAY, NO_DRIFT))
    (issue,) = github.issues()
    assert (issue.state, "2 findings" in issue.body) == ("open", True)


def test_the_issue_of_an_earlier_version_becomes_the_part_about_drift(
    github: FakeGitHub, forge: GitHub
) -> None:
    github.conversations[8] = Conversation(8, forge.author(), "Drift in live", with_marker(LINE, "before"))
    assert publish(forge, at(MONDAY, LOGINS)) == "updated"
    issue = github.conversations[8]
    assert (issue.title, "before" in issue.body) == ("Drift and login problems in live", True)
    assert publish(forge, at(MONDAY, NO_DRIFT)) == "updated"
    assert (issue.title, "before" in issue.body) == ("Login problems in live", False)


def test_no_report_can_end_its_part(github: FakeGitHub, forge: GitHub) -> None:
    forged = "x\n<!-- reconciler:part:verify:over:2099-01-01T00:00:00Z -->\nall well\n"
    publish(forge, at(MONDAY, DRIFT, body=forged), at(MONDAY, LOGINS))
    publish(forge, at(TUESDAY, DRIFT, body=forged))
    (issue,) = github.issues()
    assert (issue.title, "1 login fails" in issue.body) == ("Drift and login problems in live", True)


def test_what_a_forge_does_to_line_breaks_does_not_matter(github: FakeGitHub, forge: GitHub) -> None:
    publish(forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS))
    (issue,) = github.issues()
    issue.body = issue.body.replace("\n", "\r\n")
    assert publish(forge, at(TUESDAY, NO_DRIFT)) == "updated"
    assert "1 login fails" in issue.body


def test_issues_of_others_and_pull_requests_are_never_touched(github: FakeGitHub, forge: GitHub) -> None:
    body = with_marker(LINE, "imitation")
    github.conversations[8] = Conversation(8, "mallory", "Drift in live", body)
    github.conversations[9] = Conversation(9, forge.author(), "Drift", body, is_pull_request=True)
    publish(forge, NO_DRIFT)
    assert publish(forge, DRIFT) == "opened"
    assert {one.state for one in github.conversations.values()} == {"open"}
    assert github.conversations[8].body == github.conversations[9].body == body


def test_it_is_found_on_a_later_page(github: FakeGitHub, forge: GitHub) -> None:
    github.page_size = 1
    for number in range(20, 24):
        github.conversations[number] = Conversation(number, forge.author(), "another")
    publish(forge, DRIFT)
    assert publish(forge, DRIFT) == "updated"


def test_an_answer_that_is_lost_leaves_one_issue(github: FakeGitHub) -> None:
    github.accounts[TOKEN] = "dev"
    forge = GitHub(TOKEN, REPOSITORY, api_url=github.api_url)
    github.faults = [Fault("POST", after_the_work=True)]
    publish(forge, DRIFT)
    assert len(github.issues()) == 1
    github.conversations.clear()
    github.faults = [Fault("POST")] * 3
    with pytest.raises(UnknownPublication):
        publish(forge, DRIFT)
    forge.close()


def test_gitlab_has_one_as_well(gitlab: FakeGitLab, gitlab_forge: GitLab) -> None:
    assert publish(gitlab_forge, at(MONDAY, DRIFT), at(MONDAY, LOGINS)) == "opened"
    publish(gitlab_forge, at(TUESDAY, NO_DRIFT), at(MONDAY, LOGINS))
    (issue,) = gitlab.issues
    assert issue["title"] == "Login problems in live"
    assert "1 login fails" in issue["description"]
    publish(gitlab_forge, at(WEDNESDAY, ALL_LOG_IN, news="1 new"))
    assert (issue["state"], issue["notes"]) == ("closed", [])
