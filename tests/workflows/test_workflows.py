"""Runs the example workflows on the emulator, job by job."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub
from tests.workflows.conftest import OKTA_CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.runner import Runner

EXAMPLES = Path(__file__).parent.parent.parent / "examples/github-actions"


def pull_request(*, of: str = REPOSITORY) -> dict[str, Any]:
    head = {"repo": {"full_name": of}}
    request = {"number": 7, "head": head, "base": {"ref": "main"}}
    return {"repository": REPOSITORY, "event": {"pull_request": request}, "token": TOKEN}


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def on_github(runner: Runner, github: FakeGitHub) -> Runner:
    """A runner for a pull request from the same repository."""
    return replace(
        runner, github=pull_request(), environment=runner.environment | {"GITHUB_API_URL": github.api_url}
    )


@pytest.fixture
def topic(repository: Repository) -> Repository:
    """A branch that changes one of two organizations; ``origin/main`` is its merge base."""
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.git("checkout", "-q", "-b", "topic")
    repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    repository.commit("change")
    return repository


def test_a_pull_request_gets_one_comment_with_what_it_changes(
    on_github: Runner, running: RunningEmulator, github: FakeGitHub, topic: Repository
) -> None:
    on_github.run_workflow(EXAMPLES / "plan.yml")
    jobs = on_github.run_workflow(EXAMPLES / "plan.yml")
    assert [job.result for job in jobs.values()] == ["success"] * 3, jobs
    (comment,) = github.pull_request.comments
    assert "acme/okta" in comment["body"]
    assert "globex/okta" not in comment["body"]
    assert "acme/okta" in jobs["comment"].steps[-1].summary
    plan = json.loads(on_github.artifact("reconciler-plan").read_text(encoding="utf-8"))
    assert [change["address"] for change in plan["resource_changes"]] == ["acme/okta"]
    assert plan["secrets_compared"] is False
    assert not [request for request in running.emulator.request_log if request.method != "GET"]


def test_a_fork_gets_no_credentials_and_is_only_validated(
    on_github: Runner, running: RunningEmulator, github: FakeGitHub, topic: Repository
) -> None:
    fork = replace(on_github, github=pull_request(of="them/sso"), secrets={})
    jobs = fork.run_workflow(EXAMPLES / "plan.yml")
    assert {name: job.result for name, job in jobs.items()} == {
        "validate": "success",
        "plan": "skipped",
        "comment": "skipped",
    }
    assert not list(running.emulator.request_log)
    assert not github.calls


def test_a_broken_manifest_is_not_planned(
    on_github: Runner, running: RunningEmulator, topic: Repository
) -> None:
    topic.replace("organizations/globex.yaml", "issuer: https", "issuer: http")
    jobs = on_github.run_workflow(EXAMPLES / "plan.yml")
    assert [job.result for job in jobs.values()] == ["failure", "skipped", "skipped"]
    assert not list(running.emulator.request_log)


def test_a_merge_applies_what_was_planned(
    runner: Runner, running: RunningEmulator, repository: Repository
) -> None:
    jobs = runner.run_workflow(EXAMPLES / "apply.yml")
    assert [job.result for job in jobs.values()] == ["success", "success"], jobs
    assert "acme/okta" in jobs["plan"].steps[-1].summary
    live = running.emulator.oidc_connections("acme")[0]
    assert (live["client_id"], live["status"]) == ("client-of-acme", "active")
    again = runner.run_workflow(EXAMPLES / "apply.yml")
    assert [job.result for job in again.values()] == ["success", "skipped"]
    printed = "".join(step.out + step.summary for job in jobs.values() for step in job.steps)
    assert OKTA_CLIENT_SECRET not in printed


def test_what_changes_between_plan_and_apply_is_refused(
    runner: Runner, running: RunningEmulator, repository: Repository
) -> None:
    runner.run_workflow(EXAMPLES / "apply.yml")
    repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    plan = runner.run_action({"command": "plan"}, runner.secrets)
    connection = running.emulator.oidc_connections("acme")[0]
    running.emulator.edit_connection(connection["connection_id"], client_id="somebody-elses")
    result = runner.run_action({"command": "apply", "plan-file": plan.outputs["plan-file"]}, runner.secrets)
    assert result.code == 1
    assert running.emulator.oidc_connections("acme")[0]["client_id"] == "somebody-elses"


def test_drift_opens_one_issue_and_closes_it_again(
    on_github: Runner, running: RunningEmulator, github: FakeGitHub
) -> None:
    night = replace(on_github, github={"repository": REPOSITORY, "event": {}, "token": TOKEN})
    night.run_workflow(EXAMPLES / "apply.yml")
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    standings = []
    for _ in range(2):
        jobs = night.run_workflow(EXAMPLES / "drift.yml")
        assert [job.result for job in jobs.values()] == ["success"] * 2, jobs
        report = json.loads(night.artifact("reconciler-drift").read_text(encoding="utf-8"))
        standings += [finding["standing"] for finding in report["findings"]]
    assert standings == ["new", "known"]
    (issue,) = github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)
    running.emulator.edit_connection(connection_id, client_id="client-of-acme")
    night.run_workflow(EXAMPLES / "drift.yml")
    assert [issue.state for issue in github.issues()] == ["closed"]


def test_an_incomplete_report_opens_the_issue(
    on_github: Runner, running: RunningEmulator, github: FakeGitHub
) -> None:
    """Cases 15 and 19: a deleted connection is told of, although another organization cannot be read."""
    night = replace(on_github, github={"repository": REPOSITORY, "event": {}, "token": TOKEN})
    night.run_workflow(EXAMPLES / "apply.yml")
    running.emulator.remove_connection(running.emulator.oidc_connections("acme")[0]["connection_id"])
    running.emulator.edit_organization("globex", organization_slug="renamed")
    jobs = night.run_workflow(EXAMPLES / "drift.yml")
    assert {name: job.result for name, job in jobs.items()} == {"drift": "failure", "issue": "success"}
    (issue,) = github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)


def test_a_failed_night_is_followed_by_a_report(
    on_github: Runner, running: RunningEmulator, github: FakeGitHub
) -> None:
    """Case 19: the failed run neither replaces the report nor touches the issue."""
    night = replace(on_github, github={"repository": REPOSITORY, "event": {}, "token": TOKEN})
    night.run_workflow(EXAMPLES / "apply.yml")
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    night.run_workflow(EXAMPLES / "drift.yml")
    failed = replace(night, secrets=night.secrets | {"STYTCH_SECRET": "secret-test-of-somebody-else"})
    jobs = failed.run_workflow(EXAMPLES / "drift.yml")
    assert {name: job.result for name, job in jobs.items()} == {"drift": "failure", "issue": "skipped"}
    jobs = night.run_workflow(EXAMPLES / "drift.yml")
    assert [job.result for job in jobs.values()] == ["success"] * 2
    report = json.loads(night.artifact("reconciler-drift").read_text(encoding="utf-8"))
    assert [finding["standing"] for finding in report["findings"]] == ["known"]
    assert len(github.issues()) == 1
