"""A runner of workflows, small but real: it executes every script with the files and variables of GitHub's.

Actions from elsewhere are played: checkout and Python are there already, artefacts and caches are folders.
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
class StepEnded:
    """What one script printed, and what it handed to the runner."""

    code: int
    out: str
    outputs: dict[str, str]
    summary: str


@dataclass
class JobEnded:
    """How a job ended: success, failure or skipped; and its outputs."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepEnded] = field(default_factory=list)


@dataclass
class Runner:
    """One repository's runner; ``workspace`` is the checkout, ``home`` what lies outside of it."""

    workspace: Path
    home: Path
    github: Context = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def run_workflow(self, file: Path) -> dict[str, JobEnded]:
        """Run all jobs of a workflow, in the order in which they stand."""
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        ended: dict[str, JobEnded] = {}
        for name, job in workflow["jobs"].items():
            ended[name] = self._run_job(job, ended)
        return ended

    def run_action(self, inputs: dict[str, str], environment: dict[str, str] | None = None) -> StepEnded:
        """Run the scripts of the repository's own action."""
        folder = self.workspace / ".github/actions/reconciler"
        action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
        unknown = inputs.keys() - action["inputs"].keys()
        assert not unknown, unknown
        given = {name: inputs.get(name, one.get("default", "")) for name, one in action["inputs"].items()}
        context: Context = {"inputs": given, "steps": {}}
        ended = StepEnded(0, "", {}, "")
        for step in action["runs"]["steps"]:
            if "uses" in step:
                assert step["uses"].startswith(_SETUP)
                continue
            ended = self._run_script(
                step, context, {"GITHUB_ACTION_PATH": str(folder), **(environment or {})}
            )
            context["steps"][step["id"]] = {"outputs": ended.outputs}
            if ended.code:
                break
        outputs = {name: expand(one["value"], context) for name, one in action["outputs"].items()}
        return StepEnded(ended.code, ended.out, outputs, ended.summary)

    def _run_job(self, job: Context, before: dict[str, JobEnded]) -> JobEnded:
        needs = {name: before[name] for name in _as_list(job.get("needs", []))}
        context: Context = {
            "github": self.github,
            "secrets": self.secrets,
            "runner": {"temp": str(self.home)},
            "needs": {name: {"outputs": one.outputs} for name, one in needs.items()},
            "steps": {},
        }
        condition = job.get("if", "true")
        are_fine = all(one.result == "success" for one in needs.values())
        if not (are_fine or "!cancelled()" in condition) or not holds(condition, context):
            return JobEnded("skipped")
        ended = self._run_steps(job, context)
        outputs = {name: expand(value, context) for name, value in job.get("outputs", {}).items()}
        return JobEnded(ended.result, outputs, ended.steps)

    def _run_steps(self, job: Context, context: Context) -> JobEnded:
        ended = JobEnded("success")
        for step in job["steps"]:
            condition = step.get("if", "true")
            if ended.result == "failure" and "!cancelled()" not in condition:
                continue
            if not holds(condition, context):
                continue
            given = {name: expand(str(value), context) for name, value in step.get("with", {}).items()}
            if step["uses"].startswith("./"):
                variables = {name: expand(value, context) for name, value in step.get("env", {}).items()}
                done = self.run_action(given, variables)
                ended.steps.append(done)
                context["steps"][step.get("id", "")] = {"outputs": done.outputs}
                ended.result = "failure" if done.code else ended.result
            else:
                self._play(step["uses"], given)
        return ended

    def _play(self, uses: str, given: dict[str, str]) -> None:
        """Do what an action from elsewhere does."""
        action = uses.partition("@")[0]
        kept = self.home / "kept"
        kept.mkdir(exist_ok=True)
        match action:
            case "actions/upload-artifact":
                shutil.copy(self.workspace / given["path"], kept / f"artifact-{given['name']}")
                (kept / f"name-{given['name']}").write_text(Path(given["path"]).name)
            case "actions/download-artifact":
                folder = Path(given["path"])
                folder.mkdir(parents=True, exist_ok=True)
                name = (kept / f"name-{given['name']}").read_text()
                shutil.copy(kept / f"artifact-{given['name']}", folder / name)
            case "actions/cache/save":
                shutil.copy(self.workspace / given["path"], kept / "cache")
            case "actions/cache/restore":
                if (kept / "cache").exists():
                    shutil.copy(kept / "cache", self.workspace / given["path"])
            case _:
                assert uses.startswith(_SETUP), uses

    def _run_script(self, step: Context, context: Context, variables: dict[str, str]) -> StepEnded:
        """Run a script as a runner does: its environment, and files for what it hands back."""
        assert step["shell"] == "bash"
        files = {name: self.home / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        given = {name: expand(str(value), context) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
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
                **given,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        summary = files["GITHUB_STEP_SUMMARY"].read_text()
        return StepEnded(done.returncode, done.stdout + done.stderr, outputs, summary)

    def _event(self) -> Path:
        file = self.home / "event.json"
        file.write_text(json.dumps(self.github.get("event", {})), encoding="utf-8")
        return file


def expand(text: str, context: Context) -> str:
    """Replace the expressions in a text by their values."""
    return _EXPRESSION.sub(lambda found: _text(_value(found[1], context)), text)


def holds(condition: str, context: Context) -> bool:
    """Evaluate a condition of the few forms that the workflows use."""
    bare = _EXPRESSION.sub(lambda found: found[1], condition)
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
    found: Any = context
    for name in expression.split("."):
        found = found.get(name, "") if isinstance(found, dict) else ""
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
