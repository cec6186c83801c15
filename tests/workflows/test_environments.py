"""Which job of every shipped workflow and pipeline sees which secret (threats.md 5)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROJECT = {"STYTCH_PROJECT_ID", "STYTCH_SECRET"}
SECRET = re.compile(r"\bsecrets(?:\.([\w-]+)|\[)")
WEBHOOK = {"RECONCILER_WEBHOOK_URL", "RECONCILER_WEBHOOK_SECRET"}
ENVIRONMENTS = {
    "plan": PROJECT,
    "apply": PROJECT | {"EXAMPLE_OKTA_CLIENT_SECRET"},
    "notify": WEBHOOK,
    None: set(),
}
"""What the jobs of each environment may name; of the customers' secrets there is an example."""


@pytest.fixture(scope="module", params=["examples", "copy", "by hash"])
def workflows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The workflows of the examples, and those that `init` writes in both ways."""
    folder = ROOT / "examples/github-actions"
    if request.param != "examples":
        project = tmp_path_factory.mktemp("project")
        action = "copy" if request.param == "copy" else f"acme/reconciler@{'0' * 40}"
        assert main(["init", str(project), "--action", action]) == 0
        folder = project / ".github/workflows"
    files = {file.stem.removeprefix("reconciler-"): file for file in folder.glob("*.yml")}
    assert files.keys() == {"plan", "apply", "drift"}
    return {name: yaml.safe_load(file.read_text(encoding="utf-8")) for name, file in files.items()}


def jobs_of(workflows: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for workflow, document in workflows.items():
        for name, job in document["jobs"].items():
            yield f"{workflow}: {name}", job


def secrets_of(node: object) -> set[str]:
    """Return the secrets that a part of a workflow names; an empty name stands for all of them."""
    return {match[1] or "" for match in SECRET.finditer(yaml.safe_dump(node, width=10_000))}


def test_a_job_sees_the_secrets_of_its_environment_only(workflows: dict[str, Any]) -> None:
    for name, job in jobs_of(workflows):
        assert secrets_of(job) <= ENVIRONMENTS[job.get("environment")], name
        assert "secrets" not in job, f"{name} passes secrets on to another workflow"


def test_no_job_of_a_pull_request_sees_the_secret_of_a_customer(workflows: dict[str, Any]) -> None:
    on_pull_requests = [
        document
        for document in workflows.values()
        if "pull_request" in (document.get("on") or document[True])
    ]
    assert len(on_pull_requests) == 1
    for document in on_pull_requests:
        assert secrets_of(document) <= PROJECT
        assert {job.get("environment") for job in document["jobs"].values()} == {"plan", None}


def test_only_the_job_that_applies_names_the_secrets_of_customers(workflows: dict[str, Any]) -> None:
    naming = [name for name, job in jobs_of(workflows) if secrets_of(job) - PROJECT - WEBHOOK]
    assert naming == ["apply: apply"]
    assert set(workflows["apply"].get("on") or workflows["apply"][True]) == {"push", "workflow_dispatch"}


def test_secrets_stand_in_the_step_that_needs_them(workflows: dict[str, Any]) -> None:
    """The step that installs, and every action of somebody else, sees none."""
    for name, job in jobs_of(workflows):
        assert not secrets_of({key: value for key, value in job.items() if key != "steps"}), name
        for step in job["steps"]:
            is_own = f"{'.github/actions/reconciler'}" in step["uses"]
            is_installing = step.get("with", {}).get("command") == "install"
            assert is_own or not secrets_of(step), name
            assert not (is_installing and "env" in step), name


def test_no_expression_stands_in_a_script(workflows: dict[str, Any]) -> None:
    for name, job in jobs_of(workflows):
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), name
            assert "github-script" not in step.get("uses", ""), name


def test_jobs_of_merge_requests_use_environments_without_secrets_of_customers() -> None:
    """GitLab gives a job the variables of its environment: only `apply` holds those of customers."""
    text = (ROOT / "examples/gitlab-ci/.gitlab-ci.yml").read_text(encoding="utf-8")
    pipeline = yaml.safe_load(text)
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    environments = {name: _gitlab_environment(job) for name, job in jobs.items()}
    applying = [name for name, environment in environments.items() if environment == "apply"]
    assert applying == ["apply"]
    assert "merge_request" not in yaml.safe_dump(jobs["apply"]["rules"])
    for name, job in jobs.items():
        if "merge_request" in yaml.safe_dump(job["rules"]):
            assert environments[name] in {"", "plan", "publish"}, name
    assert not re.findall(r"\w+_CLIENT_SECRET", yaml.safe_dump(pipeline))


def _gitlab_environment(job: dict[str, Any]) -> str:
    environment = job.get("environment", "")
    return environment if isinstance(environment, str) else str(environment["name"])
