"""`reconciler publish` as a workflow runs it: files, environment, what is said, what is there afterwards."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.cli.main import main
from reconciler.publishers.github import MAX_SUMMARY_BYTES, pull_request_of_event
from reconciler.reports import DRIFT_FORMATS, PLAN_FORMATS, VERIFY_FORMATS
from tests.publishers import fake_github, fake_gitlab
from tests.reports.published import (
    ORDINARY,
    QUIET,
    REFUSED,
    drift_of,
    hostile_plan,
    hostile_verification,
    large_plan,
    large_verification,
)
from tests.support.values import WHEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.plan import Plan
    from reconciler.core.verification import Verification
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab

LATER = "2026-11-22T12:00:00Z"
RUN = "https://github.example/acme/identity/actions/runs/99"


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Plan], str]:
    def save(plan: Plan) -> str:
        file = tmp_path / "plan.json"
        file.write_text(PLAN_FORMATS["json"](plan), encoding="utf-8")
        return str(file)

    return save


@pytest.fixture
def saved_drift(tmp_path: Path) -> Callable[[Plan], str]:
    def save(plan: Plan, at: str = WHEN) -> str:
        file = tmp_path / "drift.json"
        report = replace(drift_of(plan), created_at=at)
        file.write_text(DRIFT_FORMATS["json"](report), encoding="utf-8")
        return str(file)

    return save


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    return tmp_path / "summary.md"


@pytest.fixture
def workflow(
    monkeypatch: pytest.MonkeyPatch, github: FakeGitHub, tmp_path: Path, summary: Path
) -> pytest.MonkeyPatch:
    """The environment that GitHub gives to a step of a pull request's workflow."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "pull_request": {"number": 7}}), encoding="utf-8")
    environment = {
        "GITHUB_TOKEN": fake_github.TOKEN,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_REPOSITORY": fake_github.REPOSITORY,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "99",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_plan_is_published(
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved: Callable[[Plan], str],
    summary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 0
    (comment,) = github.pull_request.comments
    first, made, target, _, verdict, *_, last = comment["body"].strip().split("\n")
    assert first.startswith("<!-- reconciler:plan:live-")
    assert made == "<!-- made 2026-11-21T12:00:00Z -->"
    assert target == "### 🔴 LIVE · project `project-live-0c2f` at `api.stytch.com`"
    assert verdict == "**⚠️ Plan: 2 to add, 1 to change, 1 to destroy.**"
    assert last == f"[Details]({RUN})"
    assert github.pull_request.labels == ["reconciler live: destroys", "reconciler live: risks"]
    assert verdict in summary.read_text(encoding="utf-8")
    assert capsys.readouterr().out.splitlines() == [
        "job summary: written",
        f"comment created: {comment['html_url']}",
        "labels: reconciler live: destroys, reconciler live: risks",
    ]


@pytest.mark.parametrize(
    ("sha", "commit", "shown"),
    [
        ("c0ffee00" * 5, "5f2a9c1d0b7e4a66", "c0ffee0"),
        ("c0ffee00" * 5, "1" * 40, "5f2a9c1"),  # the plan is not of the workflow's commit
        ("`](javascript:", "5f2a9c1d0b7e4a66", "5f2a9c1"),
        (7, "5f2a9c1d0b7e4a66", "5f2a9c1"),
    ],
)
def test_the_commit_is_the_one_that_was_pushed(
    *,
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved: Callable[[Plan], str],
    tmp_path: Path,
    sha: object,
    commit: str,
    shown: str,
) -> None:
    """A workflow of a pull request runs on a merge that GitHub makes, and that nobody can find there."""
    event = {"pull_request": {"number": 7, "head": {"sha": sha}}}
    (tmp_path / "event.json").write_text(json.dumps(event), encoding="utf-8")
    workflow.setenv("GITHUB_SHA", commit)
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 0
    (comment,) = github.pull_request.comments
    assert f"at commit `{shown}`" in comment["body"]


def test_an_event_with_a_byte_order_mark_names_the_pull_request(
    workflow: pytest.MonkeyPatch, github: FakeGitHub, saved: Callable[[Plan], str]
) -> None:
    event = Path(os.environ["GITHUB_EVENT_PATH"])
    event.write_text(event.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 0
    assert len(github.pull_request.comments) == 1


def test_publishing_again_edits_the_same_comment(
    workflow: pytest.MonkeyPatch, github: FakeGitHub, saved: Callable[[Plan], str]
) -> None:
    for plan in (ORDINARY, REFUSED, QUIET):
        assert main(["publish", "github", "--plan", saved(plan)]) == 0
    (comment,) = github.pull_request.comments
    assert "✅ No changes. Your infrastructure matches the configuration." in comment["body"]
    assert github.pull_request.labels == []


def test_named_environments_keep_apart(
    workflow: pytest.MonkeyPatch, github: FakeGitHub, saved: Callable[[Plan], str]
) -> None:
    for name in ("staging", "production", "staging"):
        assert main(["publish", "github", "--plan", saved(ORDINARY), "--name", name, "--no-labels"]) == 0
    beginnings = [comment["body"].split("\n")[0] for comment in github.pull_request.comments]
    assert beginnings == ["<!-- reconciler:plan:staging -->", "<!-- reconciler:plan:production -->"]
    assert github.pull_request.labels == []


def test_drift_opens_updates_and_closes_one_issue(
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved_drift: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for plan in (ORDINARY, REFUSED, QUIET, QUIET):
        assert main(["publish", "github", "--drift", saved_drift(plan), "--name", "live"]) == 0
    (issue,) = github.issues()
    assert (issue.title, issue.state) == ("Drift in live", "closed")
    target = "**🔴 LIVE · project `project-live-0c2f` at `api.stytch.com`**"
    lines = ["<!-- reconciler:drift:live -->", f"<!-- reconciler:part:drift:over:{WHEN} -->", target]
    assert issue.body.startswith("\n".join(lines) + ": ✅ No drift.")
    assert issue.comments == []
    said = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if "issue" in line[:6]]
    assert said == ["issue opened", "issue updated", "issue closed", "issue not needed"]


def test_new_drift_is_told_in_a_comment(
    workflow: pytest.MonkeyPatch, github: FakeGitHub, saved_drift: Callable[..., str]
) -> None:
    for at in (WHEN, LATER, LATER):
        main(["publish", "github", "--drift", saved_drift(ORDINARY, at)])
    (comment,) = github.issues()[0].comments
    assert comment["body"].startswith("**New since** `2026-11-14T12:00:00Z`: 3 findings")


@pytest.mark.parametrize("plan", [large_plan(3_000), hostile_plan()], ids=["large", "hostile"])
def test_what_is_large_or_hostile_is_accepted(
    *,
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    plan: Plan,
    saved: Callable[[Plan], str],
    saved_drift: Callable[[Plan], str],
    summary: Path,
) -> None:
    assert main(["publish", "github", "--plan", saved(plan), "--drift", saved_drift(plan)]) == 0
    assert len(github.pull_request.comments[0]["body"]) <= fake_github.LONGEST_BODY
    assert len(github.issues()[0].body) <= fake_github.LONGEST_BODY
    assert summary.stat().st_size <= MAX_SUMMARY_BYTES


@pytest.mark.parametrize("result", [large_verification(3_000), hostile_verification("|`<\n#" * 99)],
                         ids=["large", "hostile"])  # fmt: skip
def test_an_issue_with_both_parts_is_accepted_however_large_they_are(
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved_drift: Callable[..., str],
    result: Verification,
    tmp_path: Path,
) -> None:
    """Each night, also on one of them alone; the most severe is shown, and the rest is counted."""
    file = tmp_path / "verify.json"
    result = replace(result, scope=drift_of(ORDINARY).scope)
    file.write_text(VERIFY_FORMATS["json"](result), encoding="utf-8")
    drift = saved_drift(large_plan(3_000))
    for files in (["--drift", drift, "--verify", str(file)], ["--drift", drift], ["--verify", str(file)]):
        assert main(["publish", "github", *files]) == 0
        (issue,) = github.issues()
        assert len(issue.body) <= fake_github.LONGEST_BODY
        assert issue.body.count("<!-- reconciler:part:") == 2
        assert "## Logins" in issue.body


def test_where_there_is_no_pull_request_the_summary_is_enough(
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow.delenv("GITHUB_EVENT_PATH")
    workflow.delenv("GITHUB_TOKEN")
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 0
    assert capsys.readouterr().out == "job summary: written\nno pull request to comment on\n"
    assert github.calls == []


def test_a_full_summary_is_an_error(
    workflow: pytest.MonkeyPatch,
    saved: Callable[[Plan], str],
    summary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary.write_bytes(b"x" * MAX_SUMMARY_BYTES)
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 1
    assert "the job summary would exceed 1,048,576 bytes" in capsys.readouterr().err


def test_a_summary_that_cannot_be_written_is_an_error(
    workflow: pytest.MonkeyPatch,
    tmp_path: Path,
    saved: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 1
    assert "cannot write the job summary" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ([], {}, "nothing to publish"),
        (["--no-result", "--plan"], {}, "give one of the two"),
        (["--plan"], {"GITHUB_TOKEN": ""}, "set GITHUB_TOKEN or GH_TOKEN"),
        (["--plan"], {"GITHUB_REPOSITORY": ""}, "--repository is required"),
        (["--plan"], {"GITHUB_API_URL": "http://github.example"}, "must be an https URL"),
        (["--plan"], {"GITHUB_TOKEN": "wrong"}, "401: Bad credentials"),
        (["--plan"], {"GITHUB_REPOSITORY": "acme/other"}, "404: Not Found"),
        (["--name", "No Good", "--plan"], {}, "unfit"),
        (["--details-url", "javascript:alert(1)", "--plan"], {}, "plain http or https URL"),
        (["--details-url", "https://x/) [y](https://z", "--plan"], {}, "plain http or https URL"),
    ],
)
def test_what_is_wrong_is_said(
    *,
    workflow: pytest.MonkeyPatch,
    saved: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environment: dict[str, str],
    words: str,
) -> None:
    for name, value in environment.items():
        workflow.setenv(name, value)
    file = [saved(ORDINARY)] if "--plan" in arguments else []
    assert main(["publish", "github", *arguments, *file]) == 1
    said = "".join(capsys.readouterr())
    assert words in " ".join(said.replace("│", " ").split())
    assert fake_github.TOKEN not in said


def test_the_token_is_in_no_byte_of_the_output(
    workflow: pytest.MonkeyPatch,
    github: FakeGitHub,
    saved: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
    summary: Path,
) -> None:
    github.is_read_only = True
    assert main(["publish", "github", "--plan", saved(ORDINARY)]) == 1
    captured = capsys.readouterr()
    assert "pull-requests: write" in captured.err
    assert fake_github.TOKEN not in captured.out + captured.err + summary.read_text(encoding="utf-8")


def test_gitlab_gets_the_same(
    monkeypatch: pytest.MonkeyPatch,
    gitlab: FakeGitLab,
    saved: Callable[[Plan], str],
    saved_drift: Callable[[Plan], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = {
        "GITLAB_TOKEN": fake_gitlab.TOKEN,
        "CI_API_V4_URL": gitlab.api_url,
        "CI_PROJECT_ID": fake_gitlab.PROJECT,
        "CI_MERGE_REQUEST_IID": "3",
        "CI_JOB_URL": "https://gitlab.example/acme/identity/-/jobs/5",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    call = ["publish", "gitlab", "--plan", saved(ORDINARY), "--drift", saved_drift(ORDINARY)]
    assert main(call) == main(call) == 0
    (note,) = gitlab.notes
    assert note["body"].strip().endswith("[Details](https://gitlab.example/acme/identity/-/jobs/5)")
    assert gitlab.labels == ["reconciler live: destroys", "reconciler live: risks"]
    assert len(gitlab.issues) == 1
    assert capsys.readouterr().out.splitlines()[-3].startswith("comment unchanged: note ")


@pytest.mark.parametrize(
    ("event", "number"),
    [
        ({"pull_request": {"number": 7}}, 7),
        ({"issue": {"number": 7, "pull_request": {}}}, 7),
        ({"issue": {"number": 7}}, None),
        ({"workflow_run": {"pull_requests": [{"number": 7}]}}, 7),
        ({"workflow_run": {"pull_requests": []}}, None),
        ({"workflow_run": {"pull_requests": [{"number": 7}, {"number": 8}]}}, None),
        ({"ref": "refs/heads/main"}, None),
        ({"pull_request": {"number": "7"}}, None),
        ([], None),
    ],
)
def test_the_event_tells_the_pull_request(event: Any, number: int | None) -> None:
    assert pull_request_of_event(json.dumps(event)) == number


def test_an_event_that_is_no_json_tells_nothing() -> None:
    assert pull_request_of_event("{") is None
