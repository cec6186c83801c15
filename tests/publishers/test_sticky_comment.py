"""There is one comment per environment: written once, edited ever after, and only our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import PublishingFailed, UnknownPublication, UsageError
from reconciler.core.plan import Environment, Scope
from reconciler.publishers.github import GitHub
from reconciler.publishers.sticky import (
    StickyComment,
    check_name,
    default_identity,
    has_marker,
    marker,
    publish_comment,
    with_marker,
)
from tests.publishers.fake_forge import Answer, Fault
from tests.publishers.fake_github import APP, LONGEST_BODY, REPOSITORY, TOKEN, FakeGitHub

if TYPE_CHECKING:
    from reconciler.publishers.gitlab import GitLab
    from tests.publishers.fake_gitlab import FakeGitLab

LINE = marker("plan", "live")


def live(body: str, made_at: str = "") -> StickyComment:
    return StickyComment(kind="plan", identity="live", body=body, made_at=made_at)


def bodies(github: FakeGitHub) -> list[str]:
    return [comment["body"] for comment in github.pull_request.comments]


def test_the_first_time_it_is_written(github: FakeGitHub, forge: GitHub) -> None:
    done, url = publish_comment(forge, live("one change"))
    assert (done, bodies(github)) == ("created", [f"{LINE}\none change"])
    assert url == github.pull_request.comments[0]["html_url"]


def test_the_next_time_it_is_edited(github: FakeGitHub, forge: GitHub) -> None:
    publish_comment(forge, live("one change"))
    done, _ = publish_comment(forge, live("two changes"))
    assert (done, bodies(github)) == ("updated", [f"{LINE}\ntwo changes"])


def test_what_says_it_already_is_left_alone(github: FakeGitHub, forge: GitHub) -> None:
    publish_comment(forge, live("one change"))
    github.calls.clear()
    done, _ = publish_comment(forge, live("one change"))
    assert (done, github.writes()) == ("unchanged", [])


def test_each_environment_has_its_own(github: FakeGitHub, forge: GitHub) -> None:
    publish_comment(forge, live("live"))
    publish_comment(forge, StickyComment(kind="plan", identity="test", body="test"))
    publish_comment(forge, live("live again"))
    assert [body.partition("\n")[2] for body in bodies(github)] == ["live again", "test"]


def test_what_others_wrote_is_never_touched(github: FakeGitHub, forge: GitHub) -> None:
    """Anybody can write the hidden line; that does not make a comment ours."""
    imitation = github.comment(with_marker(LINE, "trust me"), author="mallory")
    nameless = github.comment(with_marker(LINE, "deleted account"))
    nameless["user"] = None
    done, _ = publish_comment(forge, live("one change"))
    assert done == "created"
    assert imitation["body"] == with_marker(LINE, "trust me")
    assert nameless["body"] == with_marker(LINE, "deleted account")


def test_the_hidden_line_counts_only_at_the_beginning(github: FakeGitHub, forge: GitHub) -> None:
    github.comment(f"quoting\n{LINE}\nsomething")
    assert publish_comment(forge, live("one change"))[0] == "created"


def test_it_is_found_on_a_later_page(github: FakeGitHub, forge: GitHub) -> None:
    github.page_size = 2
    for number in range(5):
        github.comment(f"comment {number}", author="dev")
    publish_comment(forge, live("one change"))
    assert publish_comment(forge, live("two changes"))[0] == "updated"
    assert len(bodies(github)) == 6


def test_two_left_by_runs_at_once_become_one(github: FakeGitHub, forge: GitHub) -> None:
    github.comment(with_marker(LINE, "first"))
    github.comment(with_marker(LINE, "second"))
    publish_comment(forge, live("now"))
    assert bodies(github) == [f"{LINE}\nnow"]


@pytest.mark.parametrize(
    "fault",
    [Fault("POST"), Fault("POST", after_the_work=True), Fault("POST", Answer(502), after_the_work=True)],
    ids=["lost before", "lost after", "gateway"],
)
def test_an_answer_that_is_lost_leaves_one_comment(github: FakeGitHub, fault: Fault) -> None:
    github.accounts[TOKEN] = "dev"  # a personal token asks no GraphQL, so the only POST is the comment
    forge = GitHub(TOKEN, REPOSITORY, 7, api_url=github.api_url)
    github.faults = [fault]
    publish_comment(forge, live("one change"))
    assert bodies(github) == [f"{LINE}\none change"]
    forge.close()


def test_it_does_not_look_again_for_ever(github: FakeGitHub) -> None:
    github.accounts[TOKEN] = "dev"
    forge = GitHub(TOKEN, REPOSITORY, 7, api_url=github.api_url)
    github.faults = [Fault("POST")] * 3
    with pytest.raises(UnknownPublication, match="was not answered"):
        publish_comment(forge, live("one change"))
    assert bodies(github) == []
    forge.close()


def test_the_longest_comment_is_accepted_and_a_longer_one_is_an_error(
    github: FakeGitHub, forge: GitHub
) -> None:
    publish_comment(forge, live("x" * (LONGEST_BODY - len(LINE) - 1)))
    assert len(bodies(github)[0]) == LONGEST_BODY
    with pytest.raises(PublishingFailed, match="422: Validation Failed"):
        publish_comment(forge, live("x" * LONGEST_BODY))


def test_an_apps_own_name_is_asked_of_graphql(github: FakeGitHub, forge: GitHub) -> None:
    assert forge.author() == APP
    assert [call.path for call in github.calls] == ["/user", "/graphql"]


def test_a_server_of_its_own_has_its_paths() -> None:
    with FakeGitHub(prefix="/api/v3") as github:
        forge = GitHub(TOKEN, REPOSITORY, 7, api_url=f"{github.api_url}/")
        publish_comment(forge, live("one change"))
        forge.close()
        assert bodies(github) == [f"{LINE}\none change"]
        assert github.calls[1].path == "/api/graphql"


def test_without_a_pull_request_it_says_which_option_is_missing(github: FakeGitHub) -> None:
    forge = GitHub(TOKEN, REPOSITORY, api_url=github.api_url)
    with pytest.raises(UsageError, match="--pull-request"):
        publish_comment(forge, live("x"))
    forge.close()


@pytest.mark.parametrize("repository", ["acme", "acme/", "acme/..", "a/b/c", "acme/x?y", "../acme", "a c/b"])
def test_a_repository_that_could_lead_elsewhere_is_refused(repository: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        GitHub(TOKEN, repository)


@pytest.mark.parametrize("name", ["", "Live", "a--b", "x -->", "a" * 25, "-a", "a\nb"])
def test_a_name_that_could_end_the_hidden_line_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="unfit"):
        check_name(name)


def test_projects_that_nobody_named_are_told_apart() -> None:
    one = Scope("https://api.stytch.com", "project-live-1", Environment.LIVE)
    other = Scope("https://api.stytch.com", "project-live-2", Environment.LIVE)
    assert default_identity(one) != default_identity(other)
    assert default_identity(one).startswith("live-")
    assert check_name(default_identity(one)) == default_identity(one)


def test_line_ends_of_another_system_do_not_hide_the_line() -> None:
    assert has_marker(f"{LINE}\r\nbody", LINE)
    assert not has_marker(f" {LINE}", LINE)


class TestGitLab:
    def test_it_is_written_then_edited(self, gitlab: FakeGitLab, gitlab_forge: GitLab) -> None:
        gitlab.page_size = 1
        gitlab.note(with_marker(LINE, "added a label"), system=True)
        imitation = gitlab.note(with_marker(LINE, "trust me"), author="mallory")
        assert publish_comment(gitlab_forge, live("one change"))[0] == "created"
        assert publish_comment(gitlab_forge, live("two changes"))[0] == "updated"
        assert [note["body"] for note in gitlab.notes[1:]] == [imitation["body"], f"{LINE}\ntwo changes"]

    def test_two_become_one(self, gitlab: FakeGitLab, gitlab_forge: GitLab) -> None:
        gitlab.note(with_marker(LINE, "first"))
        gitlab.note(with_marker(LINE, "second"))
        publish_comment(gitlab_forge, live("now"))
        assert [note["body"] for note in gitlab.notes] == [f"{LINE}\nnow"]


EARLY, LATE = "2026-11-21T12:00:00+00:00", "2026-11-21T12:05:00+00:00"


def dated(body: str, made_at: str) -> str:
    return f"{LINE}\n<!-- made {made_at} -->\n{body}"


def test_a_run_that_is_overtaken_leaves_the_later_report(github: FakeGitHub, forge: GitHub) -> None:
    """Two pushes, and the workflow of the first one ends last: the comment stays that of the second."""
    publish_comment(forge, live("second push", LATE))
    done, _ = publish_comment(forge, live("first push", EARLY))
    assert done == "left as it is, because a later run has written it"
    assert bodies(github) == [dated("second push", LATE)]


@pytest.mark.parametrize(("other", "stays"), [(EARLY, "ours"), (LATE, "theirs")])
def test_two_created_at_once_become_one_with_the_later_report(
    github: FakeGitHub, forge: GitHub, other: str, stays: str
) -> None:
    """6: both runs saw no comment, and both wrote one."""
    forge.author()
    github.comment(dated("theirs", other))
    github.faults.append(Fault("GET", Answer(200, [])))  # the other's comment is not there yet
    publish_comment(forge, live("ours", "2026-11-21T12:02:00+00:00"))
    assert [body.rpartition("\n")[2] for body in bodies(github)] == [stays]


def test_a_run_that_does_not_know_its_project_takes_the_only_comment(
    github: FakeGitHub, forge: GitHub
) -> None:
    """A push that breaks the project file replaces the plan, though nobody can say whose it is."""
    publish_comment(forge, live("a plan"))
    done, _ = publish_comment(forge, StickyComment(kind="plan", identity="", body="errors"))
    assert (done, bodies(github)) == ("updated", [f"{LINE}\nerrors"])
    publish_comment(forge, StickyComment(kind="plan", identity="test", body="another plan"))
    publish_comment(forge, StickyComment(kind="plan", identity="", body="whose?"))
    assert len(bodies(github)) == 3
    publish_comment(forge, live("a plan again"))
    assert [body.rpartition("\n")[2] for body in bodies(github)] == ["a plan again", "another plan"]


def test_a_conversation_that_is_locked_is_named(github: FakeGitHub, forge: GitHub) -> None:
    locked = Answer(403, {"message": "Unable to create comment because issue is locked."})
    github.faults.append(Fault("POST", locked))
    github.accounts = {TOKEN: "a-person"}
    with pytest.raises(PublishingFailed, match="issue is locked"):
        publish_comment(forge, live("a plan"))


def test_a_server_that_fails_for_two_minutes_is_named(
    github: FakeGitHub, forge: GitHub, waits: list[float]
) -> None:
    github.faults += [Fault("GET", Answer(500, {"message": "oops"}))] * 20
    with pytest.raises(PublishingFailed, match="500"):
        publish_comment(forge, live("a plan"))
    assert waits


def test_the_pull_request_of_a_merge_commit_is_found(github: FakeGitHub, forge: GitHub) -> None:
    assert forge.find_pull_request("c0ffee") is None
    github.pull_request.merged_as = "c0ffee"
    assert forge.find_pull_request("c0ffee") == 7
