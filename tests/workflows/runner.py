"""Runs workflows like GitHub's runner: executes every script with the same files and variables.

Third-party actions are simulated: checkout and Python are already there, artifacts and caches are folders.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.workflows.expressions import Context, as_text, expand, holds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

ROOT = Path(__file__).parents[2]
OWN_ACTION = ".github/actions/reconciler"
PROJECT_SECRETS = ("STYTCH_PROJECT_ID", "STYTCH_SECRET")
"""What the environment `plan` holds; the environment `apply` holds all secrets, and other jobs see none."""

WEBHOOK_SECRETS = ("RECONCILER_WEBHOOK_URL", "RECONCILER_WEBHOOK_SECRET")
"""What the environment `notify` holds."""


@dataclass
class StepResult:
    """Exit code, output, step outputs and summary of a script."""

    code: int
    out: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass
class JobResult:
    """The result of a job (success, failure or skipped), its outputs and its steps."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepResult] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What the page of the run shows below the job."""
        return "".join(step.summary for step in self.steps)

    @property
    def out(self) -> str:
        """The log of the job."""
        return "".join(step.out for step in self.steps)


@dataclass
class Runner:
    """A runner for one repository.

    ``workspace`` is the checkout, ``home`` the folder for temporary files, artifacts and caches. ``granted``
    is told the permissions of each job before it runs. ``records`` is all that scripts printed or wrote.
    """

    workspace: Path
    home: Path
    github: Context = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    programs: Path = Path(sys.executable).parent
    actions: dict[str, Path] = field(default_factory=dict)
    granted: Callable[[dict[str, str]], None] = lambda _permissions: None
    records: list[StepResult] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    """Jobs that end before their first step: no runner, no installation, a reviewer who refuses."""

    @property
    def temporary(self) -> Path:
        """The folder that each job finds empty."""
        return self.home / "temporary"

    def artifact(self, name: str) -> Path:
        """Return the only file of an artifact."""
        (file,) = (self.home / "artifacts" / name).iterdir()
        return file

    def cache(self, key: str) -> Path:
        """Return the file that is kept under the latest key with this beginning."""
        return self.home / f"cache-of-{key.rpartition('-')[0]}"

    def run_workflow(self, file: Path, *, without: Collection[str] = ()) -> dict[str, JobResult]:
        """Run the jobs of a workflow, in order; ``without`` are jobs that a test is not about."""
        shutil.rmtree(self.home / "artifacts", ignore_errors=True)
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        results: dict[str, JobResult] = {}
        for name, job in workflow["jobs"].items():
            if name not in without:
                results[name] = self._run_job(job, results, is_lost=name in self.lost)
        return results

    def run_action(
        self, inputs: dict[str, str], environment: dict[str, str] | None = None, folder: Path | None = None
    ) -> StepResult:
        """Run the scripts of the repository's own action, or of the one in ``folder``."""
        folder = folder or self.workspace / OWN_ACTION
        action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
        unknown = inputs.keys() - action["inputs"].keys()
        assert not unknown, unknown
        inputs = {name: inputs.get(name, spec.get("default", "")) for name, spec in action["inputs"].items()}
        context: Context = {"inputs": inputs, "steps": {}, "status": "success"}
        result = StepResult(0)
        for step in action["runs"]["steps"]:
            if not holds(step.get("if", "true"), context):
                continue
            if "uses" in step:
                assert step["uses"].startswith("actions/setup-python@")
                continue
            result = self._run_script(
                step, context, {"GITHUB_ACTION_PATH": str(folder), **(environment or {})}
            )
            context["steps"][step["id"]] = {"outputs": result.outputs}
            if result.code:
                break
        outputs = {name: expand(spec["value"], context) for name, spec in action["outputs"].items()}
        return StepResult(result.code, result.out, outputs, result.summary)

    def _run_job(self, job: Context, before: dict[str, JobResult], *, is_lost: bool) -> JobResult:
        needs = {name: before[name] for name in _as_list(job.get("needs", []))}
        have_succeeded = all(job_result.result == "success" for job_result in needs.values())
        context: Context = {
            "github": self.github,
            "secrets": self._secrets_for(job),
            "vars": self.variables,
            "inputs": self.inputs if self.github.get("event_name") == "workflow_dispatch" else {},
            "runner": {"temp": str(self.temporary)},
            "needs": {
                name: {"outputs": job_result.outputs, "result": job_result.result}
                for name, job_result in needs.items()
            },
            "steps": {},
            "status": "success" if have_succeeded else "failure",
        }
        if not holds(job.get("if", "true"), context):
            return JobResult("skipped")
        if is_lost:
            return JobResult("failure")
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        self.granted(job.get("permissions", {}))
        context["status"] = "success"
        steps = self._run_steps(job, context)
        outputs = {name: expand(value, context) for name, value in job.get("outputs", {}).items()}
        return JobResult(context["status"], outputs, steps)

    def _secrets_for(self, job: Context) -> dict[str, str]:
        secrets = self.secrets if self.github.get("has_secrets", True) else {}
        if job.get("environment") in {"plan", "notify"}:
            names = PROJECT_SECRETS if job["environment"] == "plan" else WEBHOOK_SECRETS
            return {name: value for name, value in secrets.items() if name in names}
        return secrets if job.get("environment") == "apply" else {}

    def _run_steps(self, job: Context, context: Context) -> list[StepResult]:
        results = []
        for step in job["steps"]:
            if not holds(step.get("if", "true"), context):
                continue
            result = self._run_step(step, context)
            results.append(result)
            outcome = "failure" if result.code else "success"
            context["steps"][step.get("id", "")] = {"outputs": result.outputs, "outcome": outcome}
            if result.code and not step.get("continue-on-error", False):
                context["status"] = "failure"
        return results

    def _run_step(self, step: Context, context: Context) -> StepResult:
        inputs = {name: expand(as_text(value), context) for name, value in step.get("with", {}).items()}
        variables = {name: expand(str(value), context) for name, value in step.get("env", {}).items()}
        if "run" in step:
            return self._run_script(step, context, {})
        if step["uses"] in self.actions:
            return self.run_action(inputs, variables, self.actions[step["uses"]])
        if step["uses"] == f"./{OWN_ACTION}":
            return (
                self._install(inputs)
                if inputs["command"] == "install"
                else self.run_action(inputs, variables)
            )
        return self._simulate(step["uses"], inputs)

    def _install(self, inputs: dict[str, str]) -> StepResult:
        """Run the install step of the first job; later jobs have what it wrote."""
        installed, kept = self.temporary / "reconciler-command.json", self.home / "installed.json"
        if kept.exists():
            shutil.copy(kept, installed)
            return StepResult(0)
        result = self.run_action(inputs)
        shutil.copy(installed, kept)
        return result

    def _simulate(self, uses: str, inputs: dict[str, str]) -> StepResult:
        """Simulate a third-party action."""
        match uses.partition("@")[0]:
            case "actions/checkout":
                subprocess.run(["git", "clean", "-fdxq"], cwd=self.workspace, check=True)
            case "actions/upload-artifact":
                folder = self.home / "artifacts" / inputs["name"]
                folder.mkdir(parents=True, exist_ok=True)
                for path in inputs["path"].split():
                    shutil.copy(self.workspace / path, folder)
            case "actions/download-artifact":
                return self._download(inputs)
            case "actions/cache/save":
                shutil.copy(self.workspace / inputs["path"], self.cache(inputs["key"]))
            case "actions/cache/restore":
                target = self.workspace / inputs["path"]
                if (kept := self.cache(inputs["restore-keys"])).exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(kept, target)
            case action:
                assert action == "actions/setup-python", uses
        return StepResult(0)

    def _download(self, inputs: dict[str, str]) -> StepResult:
        """Copy one artifact, which must be there, or all that match a pattern, if there are any."""
        if "pattern" in inputs:
            assert inputs["merge-multiple"] == "true"
        names = inputs.get("name") or inputs["pattern"]
        folders = sorted((self.home / "artifacts").glob(names))
        for folder in folders:
            shutil.copytree(folder, inputs["path"], dirs_exist_ok=True)
        return StepResult(0 if folders or "pattern" in inputs else 1)

    def _run_script(self, step: Context, context: Context, variables: dict[str, str]) -> StepResult:
        """Run a script with the environment and the files that GitHub's runner provides."""
        assert step.get("shell", "bash") == "bash"
        self.temporary.mkdir(parents=True, exist_ok=True)
        files = {name: self.home / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        step_variables = {name: expand(str(value), context) for name, value in step.get("env", {}).items()}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={
                "PATH": f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(self.temporary),
                **self._github_variables(),
                **{name: str(file) for name, file in files.items()},
                **self.environment,
                **variables,
                **step_variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        summary = files["GITHUB_STEP_SUMMARY"].read_text()
        result = StepResult(process.returncode, process.stdout + process.stderr, outputs, summary)
        self.records.append(result)
        return result

    def _github_variables(self) -> dict[str, str]:
        event = self.home / "event.json"
        event.write_text(json.dumps(self.github.get("event", {})), encoding="utf-8")
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.github.get("event_name", ""),
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": self.github.get("repository", ""),
            "GITHUB_RUN_ID": "1",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": self.github.get("sha", ""),
            "GITHUB_WORKSPACE": str(self.workspace),
        }


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
