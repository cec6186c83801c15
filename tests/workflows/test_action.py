"""Runs the action's scripts against the emulator, as GitHub's runner would."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.workflows.conftest import OKTA_CLIENT_SECRET, ask_no_other_host, use_provider

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.runner import Runner, StepResult

_ANNOTATION = re.compile(r"::(error|warning|notice) file=organizations/\w+\.yaml,line=\d")


def test_valid_manifests_pass(runner: Runner) -> None:
    result = runner.run_action({"command": "validate"})
    assert result.code == 0, result.out
    assert "Success! The configuration is valid." in result.out
    assert result.outputs["exit-code"] == "0"
    assert result.outputs["has-changes"] == ""


def test_a_finding_is_annotated_at_its_line(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    result = runner.run_action({"command": "validate"})
    assert result.code == 1
    assert result.outputs["exit-code"] == "1"
    assert any(
        "file=organizations/acme.yaml,line=5," in command for command in _workflow_commands(result.out)
    )


def test_paths_select_manifests(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    paths = "\norganizations/globex.yaml\n\n"
    assert runner.run_action({"command": "validate", "paths": paths}).code == 0
    both = "organizations/globex.yaml\norganizations/acme.yaml"
    assert runner.run_action({"command": "validate", "paths": both}).code == 1


def test_a_path_is_not_taken_for_an_option(runner: Runner) -> None:
    result = runner.run_action({"command": "validate", "paths": "--help"})
    assert result.code == 1
    assert "--help: no such file or folder" in result.out


def test_a_plan_outputs_the_number_of_changes(runner: Runner) -> None:
    result = runner.run_action({"command": "plan"}, runner.secrets)
    assert result.code == 0, result.out
    outputs = dict(result.outputs)
    assert (outputs["has-changes"], outputs["adds"], outputs["changes"], outputs["destroys"]) == (
        "true", "2", "0", "0",
    )  # fmt: skip
    plan = json.loads(Path(outputs["plan-file"]).read_text(encoding="utf-8"))
    assert [change["address"] for change in plan["resource_changes"]] == ["acme/okta", "globex/okta"]
    assert OKTA_CLIENT_SECRET not in result.out + json.dumps(plan)


def test_a_plan_without_secrets_needs_no_client_secret(runner: Runner) -> None:
    credentials = {name: runner.secrets[name] for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET")}
    assert runner.run_action({"command": "plan"}, credentials).code == 1
    assert runner.run_action({"command": "plan", "no-secrets": "true"}, credentials).code == 0


def test_the_secret_of_a_rotated_connection_is_sent_without_comparing_it(
    runner: Runner, running: RunningEmulator
) -> None:
    """Only the step that applies has the customers' secrets."""
    runner.run_action({"command": "apply"}, runner.secrets)
    credentials = {name: runner.secrets[name] for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET")}
    inputs = {"command": "plan", "no-secrets": "true", "rotate": "acme/okta\n"}
    plan = runner.run_action(inputs, credentials)
    assert plan.outputs["changes"] == "1", plan.out
    rotated = runner.secrets | {"EXAMPLE_OKTA_CLIENT_SECRET": "another-secret-8c1d"}
    result = runner.run_action({"command": "apply", "plan-file": plan.outputs["plan-file"]}, rotated)
    assert result.code == 0, result.out
    secrets = {
        slug: running.emulator.oidc_connections(slug)[0]["client_secret"] for slug in ("acme", "globex")
    }
    assert secrets == {"acme": "another-secret-8c1d", "globex": OKTA_CLIENT_SECRET}


def test_an_address_to_rotate_is_not_taken_for_an_option(runner: Runner) -> None:
    result = runner.run_action({"command": "plan", "rotate": "--help"}, runner.secrets)
    assert result.code == 1
    assert "--help" in result.out


def test_a_failed_plan_removes_the_previous_plan(runner: Runner) -> None:
    assert runner.run_action({"command": "plan"}, runner.secrets).outputs["plan-file"]
    result = runner.run_action({"command": "plan"}, runner.secrets | {"STYTCH_SECRET": "wrong-secret"})
    assert result.code == 1
    assert (result.outputs["plan-file"], result.outputs["has-changes"]) == ("", "")


def test_only_the_saved_plan_is_applied(runner: Runner, running: RunningEmulator) -> None:
    plan = runner.run_action({"command": "plan", "paths": "organizations/acme.yaml"}, runner.secrets)
    result = runner.run_action({"command": "apply", "plan-file": plan.outputs["plan-file"]}, runner.secrets)
    assert result.code == 0, result.out
    assert result.outputs["adds"] == "1"
    assert len(running.emulator.oidc_connections("acme")) == 1
    assert not running.emulator.oidc_connections("globex")
    assert OKTA_CLIENT_SECRET not in result.out


def test_apply_without_a_plan_file_makes_a_new_plan(runner: Runner, running: RunningEmulator) -> None:
    result = runner.run_action({"command": "apply"}, runner.secrets)
    assert (result.code, result.outputs["adds"], result.outputs["has-changes"]) == (0, "2", "true")
    again = runner.run_action({"command": "apply"}, runner.secrets)
    assert (again.code, again.outputs["adds"], again.outputs["has-changes"]) == (0, "0", "false")
    assert len(running.emulator.oidc_connections("globex")) == 1


def test_drift_does_not_fail_the_step(runner: Runner, running: RunningEmulator) -> None:
    runner.run_action({"command": "apply"}, runner.secrets)
    unchanged = runner.run_action({"command": "drift"}, runner.secrets)
    assert (unchanged.code, unchanged.outputs["has-changes"], unchanged.outputs["exit-code"]) == (
        0,
        "false",
        "0",
    )
    _edit(running)
    result = runner.run_action({"command": "drift"}, runner.secrets)
    assert (result.code, result.outputs["exit-code"]) == (0, "2")
    assert (result.outputs["has-changes"], result.outputs["changes"]) == ("true", "1")


def test_a_failed_run_keeps_the_previous_report(runner: Runner, running: RunningEmulator) -> None:
    runner.run_action({"command": "apply"}, runner.secrets)
    _edit(running)
    file = str(runner.home / "report.json")
    inputs = {"command": "drift", "previous": file, "report-file": file}
    first = _report(runner.run_action(inputs, runner.secrets))
    broken = runner.run_action(inputs, runner.secrets | {"STYTCH_SECRET": "wrong-secret"})
    assert (broken.code, broken.outputs["report-file"]) == (1, "")
    second = _report(runner.run_action(inputs, runner.secrets))
    assert {finding["standing"] for finding in first["findings"]} == {"new"}
    assert {finding["standing"] for finding in second["findings"]} == {"known"}
    assert second["previous_timestamp"] == first["timestamp"]


@pytest.mark.parametrize("command", ["drift", "verify"])
@pytest.mark.parametrize("kind", ["file", "link", "link to its folder"])
def test_a_file_of_the_repository_is_no_previous_report(
    runner: Runner, repository: Repository, command: str, kind: str
) -> None:
    """Threats 1: a merged report would make new findings known, on a night without a cached one."""
    previous = repository.folder / "report.json"
    previous.write_text("{}", encoding="utf-8")
    if kind == "link":
        previous = runner.home / "report.json"
        previous.symlink_to(repository.folder / "report.json")
    if kind == "link to its folder":
        (runner.home / "reports").symlink_to(repository.folder)
        previous = runner.home / "reports/report.json"
    result = runner.run_action({"command": command, "previous": str(previous)}, runner.secrets)
    assert result.code == 1
    assert "previous: the file must be outside of the checkout" in result.out
    assert not result.outputs["report-file"]


def test_verify_fails_the_step_unless_findings_are_allowed(
    runner: Runner, repository: Repository, running: RunningEmulator
) -> None:
    ask_no_other_host(repository)
    use_provider(repository, running, "acme", clients={})
    runner.run_action({"command": "apply"}, runner.secrets)
    strict = runner.run_action({"command": "verify"}, runner.secrets)
    assert (strict.code, strict.outputs["exit-code"], strict.outputs["errors"]) == (1, "1", "1")
    assert json.loads(Path(strict.outputs["report-file"]).read_text(encoding="utf-8"))["complete"] is True
    allowed = {"command": "verify", "allow-findings": "true"}
    tolerant = runner.run_action(allowed, runner.secrets)
    assert (tolerant.code, tolerant.outputs["exit-code"], tolerant.outputs["is-new"]) == (0, "1", "true")
    running.emulator.edit_organization("globex", organization_slug="renamed")
    incomplete = runner.run_action(allowed, runner.secrets)
    assert (incomplete.code, bool(incomplete.outputs["report-file"])) == (1, True)


def test_verify_runs_only_every_so_many_days(
    runner: Runner, repository: Repository, running: RunningEmulator
) -> None:
    ask_no_other_host(repository)
    use_provider(repository, running, "acme")
    file = runner.home / "reports/verify.json"
    inputs = {"command": "verify", "previous": str(file), "report-file": str(file), "every-days": "7"}
    first = runner.run_action(inputs, runner.secrets)
    assert first.outputs["is-new"] == "true"
    written = file.read_bytes()
    early = runner.run_action(inputs, runner.secrets)
    assert (early.code, early.outputs["is-new"], early.outputs["report-file"]) == (0, "false", str(file))
    assert file.read_bytes() == written
    for age, is_new in ((timedelta(days=6, hours=12), "false"), (timedelta(days=6, hours=19), "true")):
        document = json.loads(written)
        document["timestamp"] = (datetime.now(UTC) - age).isoformat()
        file.write_text(json.dumps(document), encoding="utf-8")
        assert runner.run_action(inputs, runner.secrets).outputs["is-new"] == is_new
    file.write_text("{}", encoding="utf-8")
    assert runner.run_action(inputs, runner.secrets).code == 1


def test_a_report_is_not_written_through_a_link(runner: Runner, repository: Repository) -> None:
    """Threats 1 and 5: the repository holds a link of that name, which leads to any file of the runner."""
    outside = repository.folder.parent / "outside.json"
    outside.write_text("untouched", encoding="utf-8")
    (repository.folder / "report.json").symlink_to(outside)
    result = runner.run_action({"command": "drift", "report-file": "report.json"}, runner.secrets)
    assert result.outputs["report-file"]
    assert outside.read_text(encoding="utf-8") == "untouched"


def test_inputs_are_checked(runner: Runner, running: RunningEmulator) -> None:
    """Whatever is typed into the form of the workflow is refused, or the name of nothing."""
    values = [
        "'; touch injected; '",
        '"$(touch injected)"',
        "`touch injected`",
        "acme/okta\n::error::boo\n::add-mask::a",
        "acme/okta\r\n::set-output name=can-apply::true",
        "%0A::error::boo",
        "${{ secrets.STYTCH_SECRET }}",
        "--auto-approve /",
        "-C/",
        "\u202eacme/okta",
    ]
    tries = {"target": values, "accept-risk": values[:5], "allow-deletes": values[:4], "rotate": values[:2]}
    for name, tried in tries.items():
        for value in tried:
            result = runner.run_action({"command": "plan", name: value}, runner.secrets)
            assert result.code == 1, (name, value)
            commands = _workflow_commands(result.out)
            assert all(command.startswith("::error::") for command in commands), (name, value)
            assert len(commands) <= 1, (name, value)
    assert not (runner.workspace / "injected").exists()
    assert not list(running.emulator.request_log)


def test_inputs_take_several_values_in_lines_or_words(runner: Runner) -> None:
    result = runner.run_action({"command": "plan", "target": "acme/*  globex/okta\n"}, runner.secrets)
    assert result.outputs["adds"] == "2"
    result = runner.run_action({"command": "plan", "target": "acme/* nobody/okta"}, runner.secrets)
    assert result.code == 1


def test_additional_arguments_are_passed_on(runner: Runner) -> None:
    result = runner.run_action({"command": "plan", "arguments": "--target\nacme/*"}, runner.secrets)
    assert result.outputs["adds"] == "1"


def test_the_working_directory_can_be_a_subdirectory(runner: Runner, repository: Repository) -> None:
    repository.git("mv", "reconciler.yaml", "organizations/reconciler.yaml")
    repository.replace("organizations/reconciler.yaml", "organizations/**/*.yaml", "'*.yaml'")
    result = runner.run_action({"command": "validate", "working-directory": "organizations"})
    assert result.code == 0
    assert "2 files" in result.out


def test_the_project_file_can_be_named(runner: Runner, repository: Repository) -> None:
    """Two environments have a project file each."""
    repository.git("mv", "reconciler.yaml", "live.yaml")
    repository.replace("live.yaml", "organizations/**/*.yaml", "organizations/acme.yaml")
    result = runner.run_action({"command": "validate", "config": "live.yaml"})
    assert result.code == 0
    assert "1 file," in result.out


@pytest.mark.parametrize("command", ["", "emulator", "plan; true", "--help"])
def test_an_unknown_command_is_refused(runner: Runner, command: str) -> None:
    result = runner.run_action({"command": command})
    assert result.code == 1
    assert "known: validate, plan, apply, drift, verify, publish" in result.out


@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_live_names_cannot_issue_workflow_commands(
    runner: Runner, running: RunningEmulator, command: str
) -> None:
    running.emulator.add_connection("acme", display_name="x\r\n::error::boo\n::set-output name=a::b")
    result = runner.run_action({"command": command}, runner.secrets)
    assert command != "plan" or "::error::boo" in result.out
    assert all(_ANNOTATION.match(command) for command in _workflow_commands(result.out))


def test_declared_names_cannot_issue_workflow_commands(runner: Runner, repository: Repository) -> None:
    repository.replace("organizations/acme.yaml", "acme Okta", r'"x\n::error::boo\n::add-mask::a"')
    result = runner.run_action({"command": "validate"})
    assert result.code == 1
    assert _workflow_commands(result.out)
    assert all(_ANNOTATION.match(command) for command in _workflow_commands(result.out))


def _report(result: StepResult) -> dict[str, list[dict[str, str]]]:
    report: dict[str, list[dict[str, str]]] = json.loads(
        Path(result.outputs["report-file"]).read_text(encoding="utf-8")
    )
    return report


def _edit(running: RunningEmulator) -> None:
    connection = running.emulator.oidc_connections("acme")[0]
    running.emulator.edit_connection(connection["connection_id"], token_url="https://evil.example/token")


def _workflow_commands(output: str) -> list[str]:
    """Return the workflow commands that the runner would execute: none between stop and resume."""
    executed = re.sub(r"^::stop-commands::(\w+)\n.*?^::\1::$", "", output, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^[ \t]*::.*$", executed, re.MULTILINE)
