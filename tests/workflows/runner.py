"""Runs workflows like GitHub's runner: executes every script with the same files and variables.

Third-party actions are simulated: checkout and Python are already there, artifacts and caches are folders.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_SETUP = ("actions/checkout@", "actions/setup-python@")

Context = dict[str, Any]


@dataclass
class StepResult:
    """Exit code, output, step outputs and summary of a script."""

    code: int
    out: str
    outputs: dict[str, str]
    summary: str


@dataclass
class JobResult:
    """The result of a job (success, failure or skipped), its outputs and its steps."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepResult] = field(default_factory=list)


@dataclass
class Runner:
    """A runner for one repository; ``workspace`` is the checkout, ``home`` the folder for temporary files."""

    workspace: Path
    home: Path
    github: Context = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def run_workflow(self, file: Path) -> dict[str, JobResult]:
        """Run all jobs of a workflow, in order."""
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        results: dict[str, JobResult] = {}
        for name, job in workflow["jobs"].items():
            results[name] = self._run_job(job, results)
        return results

    def run_action(self, inputs: dict[str, str], environment: dict[str, str] | None = None) -> StepResult:
        """Run the scripts of the repository's own action."""
        folder = self.workspace / ".github/actions/reconciler"
        action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
        unknown = inputs.keys() - action["inputs"].keys()
        assert not unknown, unknown
        inputs = {name: inputs.get(name, spec.get("default", "")) for name, spec in action["inputs"].items()}
        context: Context = {"inputs": inputs, "steps": {}}
        result = StepResult(0, "", {}, "")
        for step in action["runs"]["steps"]:
            if not holds(step.get("if", "true"), context):
                continue
            if "uses" in step:
                assert step["uses"].startswith(_SETUP)
                continue
            result = self._run_script(
                step, context, {"GITHUB_ACTION_PATH": str(folder), **(environment or {})}
            )
            context["steps"][step["id"]] = {"outputs": result.outputs}
            if result.code:
                break
        outputs = {name: expand(spec["value"], context) for name, spec in action["outputs"].items()}
        return StepResult(result.code, result.out, outputs, result.summary)

    def _run_job(self, job: Context, before: dict[str, JobResult]) -> JobResult:
        needs = {name: before[name] for name in _as_list(job.get("needs", []))}
        context: Context = {
            "github": self.github,
            "secrets": self.secrets,
            "inputs": self.inputs,
            "runner": {"temp": str(self.home)},
            "needs": {name: {"outputs": job_result.outputs} for name, job_result in needs.items()},
            "steps": {},
        }
        condition = job.get("if", "true")
        have_succeeded = all(job_result.result == "success" for job_result in needs.values())
        if not (have_succeeded or "!cancelled()" in condition) or not holds(condition, context):
            return JobResult("skipped")
        result = self._run_steps(job, context)
        outputs = {name: expand(value, context) for name, value in job.get("outputs", {}).items()}
        return JobResult(result.result, outputs, result.steps)

    def _run_steps(self, job: Context, context: Context) -> JobResult:
        result = JobResult("success")
        for step in job["steps"]:
            condition = step.get("if", "true")
            if result.result == "failure" and "!cancelled()" not in condition:
                continue
            if not holds(condition, context):
                continue
            inputs = {name: expand(str(value), context) for name, value in step.get("with", {}).items()}
            if step["uses"].startswith("./"):
                variables = {name: expand(value, context) for name, value in step.get("env", {}).items()}
                step_result = self.run_action(inputs, variables)
                result.steps.append(step_result)
                context["steps"][step.get("id", "")] = {"outputs": step_result.outputs}
                result.result = "failure" if step_result.code else result.result
            else:
                self._simulate(step["uses"], inputs)
        return result

    def _simulate(self, uses: str, inputs: dict[str, str]) -> None:
        """Simulate a third-party action."""
        action = uses.partition("@")[0]
        storage = self.home / "kept"
        storage.mkdir(exist_ok=True)
        match action:
            case "actions/upload-artifact":
                shutil.copy(self.workspace / inputs["path"], storage / f"artifact-{inputs['name']}")
                (storage / f"name-{inputs['name']}").write_text(Path(inputs["path"]).name)
            case "actions/download-artifact":
                folder = Path(inputs["path"])
                folder.mkdir(parents=True, exist_ok=True)
                name = (storage / f"name-{inputs['name']}").read_text()
                shutil.copy(storage / f"artifact-{inputs['name']}", folder / name)
            case "actions/cache/save":
                shutil.copy(self.workspace / inputs["path"], storage / "cache")
            case "actions/cache/restore":
                if (storage / "cache").exists():
                    shutil.copy(storage / "cache", self.workspace / inputs["path"])
            case _:
                assert uses.startswith(_SETUP), uses

    def _run_script(self, step: Context, context: Context, variables: dict[str, str]) -> StepResult:
        """Run a script with the environment and the files that GitHub's runner provides."""
        assert step["shell"] == "bash"
        files = {name: self.home / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        step_variables = {name: expand(str(value), context) for name, value in step.get("env", {}).items()}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_PATH": str(self._event()),
                "GITHUB_REPOSITORY": self.github.get("repository", ""),
                "GITHUB_RUN_ID": "1",
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(self.home),
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
        return StepResult(process.returncode, process.stdout + process.stderr, outputs, summary)

    def _event(self) -> Path:
        file = self.home / "event.json"
        file.write_text(json.dumps(self.github.get("event", {})), encoding="utf-8")
        return file


def expand(text: str, context: Context) -> str:
    """Replace the expressions in a text with their values."""
    return _EXPRESSION.sub(lambda match: _text(_value(match[1], context)), text)


def holds(condition: str, context: Context) -> bool:
    """Evaluate a condition; only the forms that the workflows use are supported."""
    bare = _EXPRESSION.sub(lambda match: match[1], condition)
    return all(_value(part.strip(), context) not in {False, ""} for part in bare.split("&&"))


def _value(expression: str, context: Context) -> Any:
    for sign, is_equal in ((" == ", True), (" != ", False)):
        if sign in expression:
            left, right = expression.split(sign)
            return (_value(left, context) == _value(right, context)) is is_equal
    if expression in {"true", "!cancelled()"}:
        return True
    if expression.startswith("'"):
        return expression.strip("'")
    value: Any = context
    for name in expression.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
