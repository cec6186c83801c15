"""Runs jobs of the GitLab pipeline as GitLab does: which jobs there are, what each sees, and what it leaves.

GitLab decides by `rules`; it gives a job the variables of its environment, and those that are protected on a
protected branch only; every job begins with a clean checkout, the artifacts it needs, and the cache.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples/gitlab-ci/.gitlab-ci.yml"
PIPELINE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
NOT_JOBS = {"variables", "stages", "default", "workflow"}
JOBS: dict[str, dict[str, Any]] = {
    name: job for name, job in PIPELINE.items() if name not in NOT_JOBS and not name.startswith(".")
}
TARGET_PROJECT = "42"
FORK = "77"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of the project's settings."""

    value: str
    environments: tuple[str, ...]
    is_protected: bool = False


@dataclass
class Run:
    """What one job did."""

    code: int
    output: str
    artifacts: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Project:
    """A project on GitLab: its checkout, its variables, and the cache of its runner."""

    folder: Path
    settings: dict[str, Variable]
    server: Mapping[str, str]
    programs: Path
    cache: dict[str, bytes] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def merge_request(
        self, base: str, *, source: str = TARGET_PROJECT, runs_in: str = TARGET_PROJECT
    ) -> Pipeline:
        """Start the pipeline of merge request 3; a fork's has no variables where it runs in the fork."""
        predefined = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_ID": runs_in,
            "CI_MERGE_REQUEST_IID": "3",
            "CI_MERGE_REQUEST_PROJECT_ID": TARGET_PROJECT,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_COMMIT_REF_PROTECTED": "false",
        }
        return Pipeline(self, predefined, self.settings if runs_in == TARGET_PROJECT else {})

    def branch(
        self, source: str = "push", inputs: Mapping[str, str] | None = None, *, protected: bool = True
    ) -> Pipeline:
        """Start a pipeline of the default branch: by a push, by hand (`web`) or by the schedule."""
        head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=self.folder, text=True).strip()
        predefined = {
            "CI_PIPELINE_SOURCE": source,
            "CI_PROJECT_ID": TARGET_PROJECT,
            "CI_COMMIT_SHA": head,
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_REF_PROTECTED": str(protected).lower(),
        }
        return Pipeline(self, {**predefined, **(inputs or {})}, self.settings)


class Pipeline:
    """One pipeline, whose jobs run one after the other."""

    def __init__(
        self, project: Project, predefined: Mapping[str, str], settings: Mapping[str, Variable]
    ) -> None:
        defaults = {name: _value(variable) for name, variable in PIPELINE["variables"].items()}
        self.project = project
        self.settings = settings
        self.variables = {
            **defaults,
            **project.server,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PROJECT_DIR": str(project.folder),
            **predefined,
        }
        self.runs: dict[str, Run] = {}

    def jobs(self) -> dict[str, str]:
        """Return the jobs of this pipeline, each with when it runs."""
        chosen = {name: self._when(job) for name, job in JOBS.items()}
        return {name: when for name, when in chosen.items() if when}

    def run(self, name: str, *, code: int = 0, installs: bool = False) -> str:
        """Run a job of this pipeline, and return what it printed."""
        job = JOBS[name]
        assert name in self.jobs(), f"{name} is not part of this pipeline"
        environment = self.environment(name)
        self._prepare(job)
        before = PIPELINE["default"]["before_script"] if installs else []
        script = "\n".join(["set -eo pipefail", *before, *job["script"]])
        process = subprocess.run(
            ["bash", "-c", script],
            cwd=self.project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._finish(name, job, process)
        assert process.returncode == code, process.stdout
        return process.stdout

    def environment(self, name: str) -> dict[str, str]:
        """Return all variables that a job sees."""
        job = JOBS[name]
        scope = job.get("environment", "")
        scope = scope["name"] if isinstance(scope, dict) else scope
        is_protected = self.variables["CI_COMMIT_REF_PROTECTED"] == "true"
        settings = {
            name: variable.value
            for name, variable in self.settings.items()
            if scope in variable.environments and (is_protected or not variable.is_protected)
        }
        path = f"{self.project.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": path, **self.variables, **job.get("variables", {}), **settings}

    def _when(self, job: Mapping[str, Any]) -> str:
        for rule in job["rules"]:
            if holds(rule["if"], self.variables):
                when = str(rule.get("when", "on_success"))
                return "" if when == "never" else when
        return ""

    def _prepare(self, job: Mapping[str, Any]) -> None:
        folder = self.project.folder
        _clean(folder)
        subprocess.run(["git", "checkout", "-q", "--", "."], cwd=folder, check=True)
        if "cache" in job:
            cached = self.project.cache
            _write(folder, {name: cached[name] for name in job["cache"]["paths"] if name in cached})
        for needed in needs(job):
            if needed in self.runs:
                _write(folder, self.runs[needed].artifacts)

    def _finish(self, name: str, job: Mapping[str, Any], process: subprocess.CompletedProcess[str]) -> None:
        succeeded = process.returncode == 0
        self.project.outputs.append(process.stdout)
        artifacts = _collect(self.project.folder, job.get("artifacts", {}), succeeded=succeeded)
        self.runs[name] = Run(process.returncode, process.stdout, artifacts)
        self.project.outputs += [content.decode() for content in artifacts.values()]
        if "cache" in job:
            self.project.cache.update(_collect(self.project.folder, job["cache"], succeeded=succeeded))
        _clean(self.project.folder)


def needs(job: Mapping[str, Any]) -> list[str]:
    """Return the names of the jobs whose artifacts a job finds."""
    return [item if isinstance(item, str) else item["job"] for item in job.get("needs", ())]


def holds(expression: str, variables: Mapping[str, str]) -> bool:
    """Evaluate a condition of `rules`: comparisons that are joined by `&&`."""
    return all(_compare(part.strip(), variables) for part in expression.split("&&"))


def _compare(comparison: str, variables: Mapping[str, str]) -> bool:
    match = re.fullmatch(r'\$(\w+) (==|=~) (?:\$(\w+)|"([^"]*)"|/(.*)/)', comparison)
    assert match, comparison
    left = variables.get(match[1], "")
    if match[2] == "=~":
        return bool(re.search(match[5], left))
    return left == (variables.get(match[3], "") if match[3] else match[4])


def _value(variable: Any) -> str:
    return str(variable["value"] if isinstance(variable, dict) else variable)


def _clean(folder: Path) -> None:
    """Remove what no commit has, so that no test commits what a job has left."""
    subprocess.run(["git", "clean", "-ffdxq"], cwd=folder, check=True)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _collect(folder: Path, rule: Mapping[str, Any], *, succeeded: bool) -> dict[str, bytes]:
    """Return the files that GitLab keeps after a job."""
    if not succeeded and rule.get("when", "on_success") != "always":
        return {}
    paths = (folder / name for name in rule.get("paths", ()))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}
