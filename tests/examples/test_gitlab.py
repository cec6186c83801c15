"""Runs every script of the GitLab pipeline against the emulator and a fake GitLab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler import __version__
from tests.publishers.fake_gitlab import PROJECT, TOKEN, FakeGitLab
from tests.workflows.conftest import OKTA_CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository

FILE = Path(__file__).parent.parent.parent / "examples/gitlab-ci/.gitlab-ci.yml"
PIPELINE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
NOT_JOBS = {"variables", "stages", "default"}
JOBS = {name: job for name, job in PIPELINE.items() if name not in NOT_JOBS and not name.startswith(".")}


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with FakeGitLab() as fake:
        yield fake


@pytest.fixture
def pipeline(repository: Repository, running: RunningEmulator, gitlab: FakeGitLab) -> Pipeline:
    project = running.emulator.settings.project
    credentials = {
        "STYTCH_BASE_URL": running.base_url,
        "STYTCH_PROJECT_ID": project.project_id,
        "STYTCH_SECRET": project.secret,
        "EXAMPLE_OKTA_CLIENT_SECRET": OKTA_CLIENT_SECRET,
        "GITLAB_TOKEN": TOKEN,
        "CI_API_V4_URL": gitlab.api_url,
        "CI_PROJECT_ID": PROJECT,
    }
    return Pipeline(repository.folder, credentials)


class Pipeline:
    """Runs the scripts of jobs."""

    def __init__(self, folder: Path, credentials: dict[str, str]) -> None:
        self.folder = folder
        self.credentials = credentials

    def run(self, name: str, *, code: int = 0, **variables: str) -> str:
        job = JOBS[name]
        script = "\n".join(["set -eo pipefail", *PIPELINE["default"]["before_script"], *job["script"]])
        process = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                **PIPELINE["variables"],
                **job.get("variables", {}),
                **self.credentials,
                "CI_PROJECT_DIR": str(self.folder),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == code, process.stdout + process.stderr
        return process.stdout


def test_the_version_is_this_one() -> None:
    assert PIPELINE["variables"]["RECONCILER_VERSION"] == __version__


def test_a_merge_request_gets_its_note(
    pipeline: Pipeline, repository: Repository, gitlab: FakeGitLab, running: RunningEmulator
) -> None:
    base = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository.folder, text=True).strip()
    repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    repository.commit("change")
    assert "Success!" in pipeline.run("validate")
    pipeline.run("plan merge request", CI_MERGE_REQUEST_DIFF_BASE_SHA=base, EXAMPLE_OKTA_CLIENT_SECRET="")
    pipeline.run("comment", CI_MERGE_REQUEST_IID="3")
    (note,) = gitlab.notes
    assert "acme/okta" in note["body"]
    assert "globex/okta" not in note["body"]
    assert not [request for request in running.emulator.request_log if request.method != "GET"]


def test_the_default_branch_applies_what_it_planned(pipeline: Pipeline, running: RunningEmulator) -> None:
    pipeline.run("plan")
    assert "Resources: 2 added" in pipeline.run("apply")
    assert running.emulator.oidc_connections("acme")[0]["status"] == "active"


def test_a_schedule_keeps_one_issue(pipeline: Pipeline, running: RunningEmulator, gitlab: FakeGitLab) -> None:
    pipeline.run("plan")
    pipeline.run("apply")
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    pipeline.run("drift")
    pipeline.run("issue")
    assert "Since" in pipeline.run("drift")
    pipeline.run("issue")
    (issue,) = gitlab.issues
    assert "acme/okta" in issue["description"]


@pytest.mark.parametrize("is_first", [True, False], ids=["first night", "later night"])
def test_a_failed_night_is_followed_by_a_report(
    pipeline: Pipeline, running: RunningEmulator, gitlab: FakeGitLab, is_first: bool
) -> None:
    """Case 19: the document of a failed run is neither kept as a report nor published."""
    pipeline.run("plan")
    pipeline.run("apply")
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    if not is_first:
        pipeline.run("drift")
    pipeline.run("drift", code=1, STYTCH_SECRET="secret-test-of-somebody-else")
    pipeline.run("issue")
    assert not gitlab.issues
    assert ("Since" in pipeline.run("drift")) is not is_first
    pipeline.run("issue")
    (issue,) = gitlab.issues
    assert "acme/okta" in issue["description"]


def test_an_incomplete_report_opens_the_issue(
    pipeline: Pipeline, running: RunningEmulator, gitlab: FakeGitLab
) -> None:
    """Case 19: what is known is told, whatever the exit code, and the job after a failed one runs."""
    pipeline.run("plan")
    pipeline.run("apply")
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    running.emulator.edit_organization("globex", organization_slug="renamed")
    pipeline.run("drift", code=1)
    assert JOBS["issue"]["rules"][0]["when"] == "always"
    assert JOBS["drift"]["artifacts"]["when"] == JOBS["drift"]["cache"]["when"] == "always"
    pipeline.run("issue")
    (issue,) = gitlab.issues
    assert "acme/okta" in issue["description"]


def test_merge_requests_of_forks_get_no_credentials() -> None:
    """GitLab passes variables to whole pipelines, so rules limit a fork's merge request to one job."""
    for name, job in JOBS.items():
        rules = " ".join(rule["if"] for rule in job["rules"])
        if "merge_request_event" in rules and name != "validate":
            assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rules, name
    assert JOBS["apply"]["rules"][0]["when"] == "manual"
    assert JOBS["apply"]["resource_group"] == "reconciler"
    assert JOBS["apply"]["environment"] == "apply"


def test_every_job_has_a_stage_and_existing_needs() -> None:
    for job in JOBS.values():
        assert job["stage"] in PIPELINE["stages"]
        assert all(needed in JOBS for needed in job.get("needs", []))
