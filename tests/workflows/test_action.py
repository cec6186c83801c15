"""The action's scripts, executed as a runner executes them, against the emulator."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler import __version__
from tests.workflows.conftest import OKTA_SECRET

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.runner import Runner, StepEnded

ROOT = Path(__file__).parent.parent.parent
_ANNOTATION = re.compile(r"::(error|warning|notice) file=organizations/\w+\.yaml,line=\d")
ACTION = ROOT / ".github/actions/reconciler/action.yml"


def test_the_action_installs_the_version_it_came_with() -> None:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert action["inputs"]["version"]["default"] == __version__


def test_another_version_is_installed_into_a_place_of_its_own(runner: Runner, tmp_path: Path) -> None:
    said = tmp_path / "said"
    stub = tmp_path / "stubs/python"
    stub.parent.mkdir()
    stub.write_text(_INSTALLING.format(said=said))
    stub.chmod(0o755)
    path = f"{stub.parent}:/usr/bin:/bin"
    runner.run_action({"command": "validate", "version": "9.9.9", "extras": "aws,vault"}, {"PATH": path})
    home = runner.home / "reconciler-9.9.9"
    assert said.read_text().splitlines()[:2] == [
        f"python -m venv {home}",
        "python -m pip install --quiet --disable-pip-version-check oidc-reconciler[aws,vault]==9.9.9",
    ]


def test_valid_manifests_pass(runner: Runner) -> None:
    ended = runner.run_action({"command": "validate"})
    assert ended.code == 0, ended.out
    assert "Success! The configuration is valid." in ended.out
    assert ended.outputs["exit-code"] == "0"
    assert ended.outputs["has-changes"] == ""


def test_a_finding_is_annotated_at_its_line(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    ended = runner.run_action({"command": "validate"})
    assert ended.code == 1
    assert ended.outputs["exit-code"] == "1"
    assert any("file=organizations/acme.yaml,line=5," in one for one in _instructions(ended.out))


def test_paths_limit_what_is_looked_at(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    paths = "\norganizations/globex.yaml\n\n"
    assert runner.run_action({"command": "validate", "paths": paths}).code == 0
    both = "organizations/globex.yaml\norganizations/acme.yaml"
    assert runner.run_action({"command": "validate", "paths": both}).code == 1


def test_a_path_is_no_option(runner: Runner) -> None:
    ended = runner.run_action({"command": "validate", "paths": "--help"})
    assert ended.code == 1
    assert "--help: no such file or folder" in ended.out


def test_a_plan_tells_what_there_is_to_do(runner: Runner) -> None:
    ended = runner.run_action({"command": "plan"}, runner.secrets)
    assert ended.code == 0, ended.out
    outputs = dict(ended.outputs)
    assert (outputs["has-changes"], outputs["adds"], outputs["changes"], outputs["destroys"]) == (
        "true", "2", "0", "0",
    )  # fmt: skip
    plan = json.loads(Path(outputs["plan-file"]).read_text(encoding="utf-8"))
    assert [one["address"] for one in plan["resource_changes"]] == ["acme/okta", "globex/okta"]
    assert OKTA_SECRET not in ended.out + json.dumps(plan)


def test_a_plan_without_secrets_needs_none_of_them(runner: Runner) -> None:
    credentials = {name: runner.secrets[name] for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET")}
    assert runner.run_action({"command": "plan"}, credentials).code == 1
    assert runner.run_action({"command": "plan", "no-secrets": "true"}, credentials).code == 0


def test_a_plan_that_fails_leaves_no_plan_behind(runner: Runner) -> None:
    assert runner.run_action({"command": "plan"}, runner.secrets).outputs["plan-file"]
    ended = runner.run_action({"command": "plan"}, runner.secrets | {"STYTCH_SECRET": "wrong-secret"})
    assert ended.code == 1
    assert (ended.outputs["plan-file"], ended.outputs["has-changes"]) == ("", "")


def test_what_was_planned_is_applied_and_nothing_else(runner: Runner, running: RunningEmulator) -> None:
    plan = runner.run_action({"command": "plan", "paths": "organizations/acme.yaml"}, runner.secrets)
    ended = runner.run_action({"command": "apply", "plan-file": plan.outputs["plan-file"]}, runner.secrets)
    assert ended.code == 0, ended.out
    assert ended.outputs["adds"] == "1"
    assert len(running.emulator.oidc_connections("acme")) == 1
    assert not running.emulator.oidc_connections("globex")
    assert OKTA_SECRET not in ended.out


def test_without_a_plan_apply_plans_anew(runner: Runner, running: RunningEmulator) -> None:
    ended = runner.run_action({"command": "apply"}, runner.secrets)
    assert (ended.code, ended.outputs["adds"], ended.outputs["has-changes"]) == (0, "2", "true")
    again = runner.run_action({"command": "apply"}, runner.secrets)
    assert (again.code, again.outputs["adds"], again.outputs["has-changes"]) == (0, "0", "false")
    assert len(running.emulator.oidc_connections("globex")) == 1


def test_drift_is_an_output_and_no_failure(runner: Runner, running: RunningEmulator) -> None:
    runner.run_action({"command": "apply"}, runner.secrets)
    calm = runner.run_action({"command": "drift"}, runner.secrets)
    assert (calm.code, calm.outputs["has-changes"], calm.outputs["exit-code"]) == (0, "false", "0")
    _edit(running)
    ended = runner.run_action({"command": "drift"}, runner.secrets)
    assert (ended.code, ended.outputs["exit-code"]) == (0, "2")
    assert (ended.outputs["has-changes"], ended.outputs["changes"]) == ("true", "1")


def test_the_report_before_is_kept_until_there_is_a_new_one(runner: Runner, running: RunningEmulator) -> None:
    runner.run_action({"command": "apply"}, runner.secrets)
    _edit(running)
    inputs = {"command": "drift", "previous": "report.json", "report-file": "report.json"}
    first = _report(runner.run_action(inputs, runner.secrets))
    broken = runner.run_action(inputs, runner.secrets | {"STYTCH_SECRET": "wrong-secret"})
    assert (broken.code, broken.outputs["report-file"]) == (1, "")
    second = _report(runner.run_action(inputs, runner.secrets))
    assert [one["standing"] for one in first["findings"]] == ["new"]
    assert [one["standing"] for one in second["findings"]] == ["known"]
    assert second["previous_timestamp"] == first["timestamp"]


def test_further_words_are_passed_on(runner: Runner) -> None:
    ended = runner.run_action({"command": "plan", "arguments": "--target\nacme/*"}, runner.secrets)
    assert ended.outputs["adds"] == "1"


def test_a_folder_of_its_own(runner: Runner, repository: Repository) -> None:
    repository.git("mv", "reconciler.yaml", "organizations/reconciler.yaml")
    repository.replace("organizations/reconciler.yaml", "organizations/**/*.yaml", "'*.yaml'")
    ended = runner.run_action({"command": "validate", "working-directory": "organizations"})
    assert ended.code == 0
    assert "2 files" in ended.out


@pytest.mark.parametrize("command", ["", "emulator", "plan; true", "--help"])
def test_an_unknown_command_is_refused(runner: Runner, command: str) -> None:
    ended = runner.run_action({"command": command})
    assert ended.code == 1
    assert "known: validate, plan, apply, drift, publish" in ended.out


@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_no_live_name_passes_for_an_instruction(
    runner: Runner, running: RunningEmulator, command: str
) -> None:
    running.emulator.add_connection("acme", display_name="x\r\n::error::boo\n::set-output name=a::b")
    ended = runner.run_action({"command": command}, runner.secrets)
    assert command != "plan" or "::error::boo" in ended.out
    assert all(_ANNOTATION.match(one) for one in _instructions(ended.out))


def test_no_declared_name_passes_for_an_instruction(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "acme Okta", r'"x\n::error::boo\n::add-mask::a"')
    ended = runner.run_action({"command": "validate"})
    assert ended.code == 1
    assert _instructions(ended.out)
    assert all(_ANNOTATION.match(one) for one in _instructions(ended.out))


def _report(ended: StepEnded) -> dict[str, list[dict[str, str]]]:
    report: dict[str, list[dict[str, str]]] = json.loads(
        Path(ended.outputs["report-file"]).read_text(encoding="utf-8")
    )
    return report


def _edit(running: RunningEmulator) -> None:
    victim = running.emulator.oidc_connections("acme")[0]
    running.emulator.edit_connection(victim["connection_id"], token_url="https://evil.example/token")


def _instructions(printed: str) -> list[str]:
    """Return what the runner takes for instructions: nothing of what stands between stop and resume."""
    heard = re.sub(r"^::stop-commands::(\w+)\n.*?^::\1::$", "", printed, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^[ \t]*::.*$", heard, re.MULTILINE)


_INSTALLING = """#!/bin/bash
# stands for Python: notes what it is told, and makes the folder that a virtual environment would be
echo "python $*" >> {said}
if [[ "$1 $2" == "-m venv" ]]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
fi
"""
