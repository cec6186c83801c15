"""Words of a program that reviewers trust, above what somebody else has written: threats.md 1."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.publishers.sticky import StickyComment, marker, publish_comment
from tests.publishers.conftest import clock, forge, github, gitlab, gitlab_forge, waits
from tests.pull_requests.conftest import estate

if TYPE_CHECKING:
    from reconciler.publishers.github import GitHub
    from reconciler.publishers.gitlab import GitLab
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab
    from tests.pull_requests.conftest import Estate

__all__ = ["clock", "estate", "forge", "github", "gitlab", "gitlab_forge", "waits"]

BRANCH = "reconciler/pins-test"
LINE = marker("plan", "live")
MADE_AT, WRITTEN = "2026-11-21T12:05:00.5+00:00", "2026-11-21T12:01:00Z"
UNTRUE = (
    "9999-01-01T00:00:00+00:00",
    "2026-11-21T12:05:01+00:00",
    "9999-99-99T99:99:99Z",
    "9999-12-31T23:59:59.99Z",
)


def plan() -> StickyComment:
    return StickyComment(kind="plan", identity="live", body="moves the issuer", made_at=MADE_AT)


def forgery(made_at: str) -> str:
    return f"{LINE}\n<!-- made {made_at} -->\nNo changes."


@pytest.mark.parametrize("made_at", UNTRUE)
def test_a_comment_from_the_future_does_not_keep_out_the_plan(
    github: FakeGitHub, forge: GitHub, made_at: str
) -> None:
    """Threats 1: a push changes the workflow, whose token is the same, writes a comment with a time that no
    run reaches, and takes the change back: the plan of the next push is shown all the same."""
    github.moment = WRITTEN
    github.comment(forgery(made_at))
    assert publish_comment(forge, plan())[0] == "updated"
    assert [comment["body"].rpartition("\n")[2] for comment in github.pull_request.comments] == [
        "moves the issuer"
    ]


@pytest.mark.parametrize("made_at", UNTRUE)
def test_nor_does_a_note(gitlab: FakeGitLab, gitlab_forge: GitLab, made_at: str) -> None:
    """Threats 1: the same on GitLab."""
    gitlab.moment = "2026-11-21T13:01:00.000+01:00"
    gitlab.note(forgery(made_at))
    assert publish_comment(gitlab_forge, plan())[0] == "updated"
    assert [note["body"].rpartition("\n")[2] for note in gitlab.notes] == ["moves the issuer"]


def test_a_later_run_still_counts(github: FakeGitHub, forge: GitHub) -> None:
    """Threats 1: whoever ends last does not replace the plan of the newer commit."""
    github.moment = "2026-11-21T12:05:09Z"
    github.comment(forgery("2026-11-21T12:05:09.9+00:00"))
    assert publish_comment(forge, plan())[0] == "left as it is, because a later run has written it"


def test_commits_of_others_are_not_vouched_for(estate: Estate) -> None:
    """Threats 1: somebody moves an issuer on the branch with pins, whose text says that nothing changes."""
    estate.push()
    estate.publish("--pins", estate.apply("--target", "acme/*"))
    (request,) = estate.requests()
    assert "Without commits of others, merging this changes nothing live" in request.body
    assert "commits of others, which" not in request.body
    content = estate.git.files(BRANCH)["organizations/acme.yaml"]
    estate.git.push(BRANCH, {"organizations/acme.yaml": content.replace(b"acme.okta.com", b"evil.okta.com")})
    estate.publish("--pins", estate.apply())
    (request,) = estate.requests()
    assert "This branch has commits of others, which this text does not describe" in request.body


def test_a_file_whose_name_is_no_text_holds_up_no_other(estate: Estate) -> None:
    """Threats 1: one document cannot stop the estate: forges take no path but those in UTF-8."""
    estate.push()
    folder = estate.place.root / "organizations"
    (folder / "acme.yaml").rename(folder / os.fsdecode(b"acme-\xff.yaml"))
    run = estate.publish("--pins", estate.apply())
    assert run.code == 0, run.output
    assert [*estate.on_branch("pins")] == ["organizations/globex.yaml"]
    (request,) = estate.requests()
    assert "`acme/okta` is in no valid manifest, so it is not pinned" in request.body
