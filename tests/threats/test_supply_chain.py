"""threats.md 5: what installs sees no secret, and what a pull request starts sees no secret of a customer.

Reads every workflow, pipeline and example that is shipped, and every YAML block of the pages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.init import FILES, find_original
from tests.docs.pages import PAGES, blocks, name_of

ROOT = Path(__file__).parents[2]
PROJECT_SECRETS = {"STYTCH_PROJECT_ID", "STYTCH_SECRET"}
WEBHOOK_SECRETS = {"RECONCILER_WEBHOOK_URL", "RECONCILER_WEBHOOK_SECRET"}
INSTALLS = re.compile(r"\b(pip|pipx|uv|install\.py)\b")
ACTION = "./.github/actions/reconciler"
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "examples/gitlab-ci/.gitlab-ci.yml").read_text("utf-8"))


def workflows() -> dict[str, dict[Any, Any]]:
    """Return every GitHub workflow: of this repository, of the examples, of `init`, and on the pages."""
    files = {*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/**/github-actions/*.yml")}
    files |= {find_original(original) for name, original in FILES.items() if "/workflows/" in name}
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    texts |= {
        f"{name_of(page)}:{block.line}": block.text
        for page in PAGES
        for block in blocks(page, "yaml")
        if re.search(r"^jobs:", block.text, re.MULTILINE)
    }
    documents = {name: yaml.safe_load(text) for name, text in texts.items()}
    assert {"plan.yml", "apply.yml", "drift.yml", "ci.yml"} <= documents.keys()
    return documents


WORKFLOWS = workflows()
every_workflow = pytest.mark.parametrize("name", sorted(WORKFLOWS))


def secrets_of(part: Any) -> set[str]:
    """Return the names of the secrets that a part of a workflow uses."""
    text = yaml.safe_dump(part)
    assert not re.search(r"toJSON\(secrets\)|secrets\[|secrets:\s*inherit", text), "all secrets at once"
    return set(re.findall(r"\bsecrets\.(\w+)", text))


def triggers(workflow: dict[Any, Any]) -> set[str]:
    """Return what starts a workflow; YAML reads the key `on` as true. Blocks of pages may leave it out."""
    return set(workflow.get(True, workflow.get("on", {"pull_request": None})))


@every_workflow
def test_a_job_of_a_pull_request_names_no_secret_of_a_customer(name: str) -> None:
    """threats.md 5, row 2."""
    workflow = WORKFLOWS[name]
    assert not triggers(workflow) & {"pull_request_target", "workflow_run"}
    if "pull_request" in triggers(workflow):
        assert secrets_of(workflow) <= PROJECT_SECRETS
        assert "apply" not in {job.get("environment") for job in workflow["jobs"].values()}


@every_workflow
def test_secrets_are_used_in_the_environment_that_holds_them(name: str) -> None:
    """threats.md 5, row 2: `plan` has the credentials of the project, `apply` those of customers, too.

    `notify` has those of the webhook alone, and no other environment has them.
    """
    for job in WORKFLOWS[name]["jobs"].values():
        names = secrets_of(job)
        assert (job.get("environment") == "notify") is bool(names & WEBHOOK_SECRETS)
        if names & WEBHOOK_SECRETS:
            assert names == WEBHOOK_SECRETS
        elif names - PROJECT_SECRETS:
            assert job.get("environment") == "apply"
        elif names and not name.startswith("docs/"):  # pages show parts of workflows
            assert job.get("environment") in {"plan", "apply"}


@every_workflow
def test_a_plan_and_a_drift_report_do_not_resolve_customers_secrets(name: str) -> None:
    """threats.md 5, row 2: they work without these secrets."""
    for job in WORKFLOWS[name]["jobs"].values():
        for step in job["steps"]:
            inputs = step.get("with", {})
            if inputs.get("command") in {"plan", "drift"}:
                assert inputs["no-secrets"] == "true"


@every_workflow
def test_a_step_that_installs_sees_no_secret(name: str) -> None:
    """threats.md 5, row 1: GitHub passes `env` of a workflow and of a job to each of its steps."""
    workflow = WORKFLOWS[name]
    assert not secrets_of(workflow.get("env", {}))
    for job in workflow["jobs"].values():
        assert not secrets_of(job.get("env", {}))
        for step in job["steps"]:
            if step.get("with", {}).get("command") == "install" or INSTALLS.search(step.get("run", "")):
                assert not secrets_of(step)
                assert "token" not in yaml.safe_dump(step.get("env", {}))


@every_workflow
def test_each_job_installs_before_its_first_command(name: str) -> None:
    """threats.md 5, row 1: the installing step is one of its own."""
    for job in WORKFLOWS[name]["jobs"].values():
        commands = [step["with"]["command"] for step in job["steps"] if step.get("uses", "") == ACTION]
        assert [command == "install" for command in commands] == [True] * bool(commands) + [False] * (
            len(commands) - 1
        )


@pytest.mark.parametrize(
    "job", [name for name, job in PIPELINE.items() if isinstance(job, dict) and "script" in job]
)
def test_gitlab_jobs_use_the_environment_that_holds_what_they_need(job: str) -> None:
    """threats.md 5, row 2: a variable is limited to an environment."""
    environment = PIPELINE[job].get("environment", {})
    name = environment if isinstance(environment, str) else environment.get("name")
    rules = yaml.safe_dump(PIPELINE[job]["rules"])
    assert (name == "apply") is (job == "apply")
    assert "merge_request_event" not in rules or name in {None, "plan", "publish"}
    if any(re.search(r"reconciler (plan|drift)\b", line) for line in PIPELINE[job]["script"]):
        assert name == "plan"
        assert all("--no-secrets" in line for line in PIPELINE[job]["script"] if "reconciler " in line)


def test_gitlab_installs_without_the_variables_of_the_pipeline() -> None:
    """threats.md 5, row 1: `env -i` starts the installation with an empty environment."""
    (install, _) = PIPELINE["default"]["before_script"]
    assert install.startswith("env -i ")
    assert install.endswith("python -I .github/actions/reconciler/install.py")
    passed = set(re.findall(r"(\w+)=", install))
    assert passed == {"PATH", "HOME", "RUNNER_TEMP", "GITHUB_WORKSPACE", "EXTRAS"}
    scripts = [job["script"] for job in PIPELINE.values() if isinstance(job, dict) and "script" in job]
    assert not [script for script in scripts if INSTALLS.search(yaml.safe_dump(script))]
