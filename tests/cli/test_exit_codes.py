"""Exit codes 0, 1, 2 and 130 of every command agree with the JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from reconciler.cli.commands import VERBS
from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

WRONG_ARGUMENTS = (
    ("frobnicate",),
    ("--frobnicate",),
    ("plna",),
    ("-C", "nowhere", "plan"),
    ("--config",),
    ("--config", "nowhere.yaml", "validate"),
    ("--config", "nowhere.yaml", "plan"),
    ("validate", "--detailed-exitcode"),
    ("validate", "--format", "yaml"),
    ("validate", "--format"),
    ("validate", "--var", "novalue"),
    ("validate", "--var", "=x"),
    ("validate", "--output", "pdf=x"),
    ("validate", "--color", "sometimes"),
    ("plan", "--target", "nobody/nothing"),
    ("plan", "--rotate", "nobody/nothing"),
    ("plan", "--log-format", "xml"),
    ("plan", "nowhere.yaml"),
    ("apply", "--allow-deletes", "0"),
    ("apply", "--allow-deletes", "some"),
    ("apply", "--max-age", "yesterday"),
    ("apply", "--max-age", "٣h"),
    ("apply", "--detailed-exitcode"),
    ("apply", "nowhere.json"),
    ("apply", "plan.json", "--target", "acme/*"),
    ("apply", "plan.json", "--rotate", "acme/*"),
    ("apply", "plan.json", "--var", "a=b"),
    ("show",),
    ("show", "nowhere.json"),
    ("show", "a", "b"),
    ("schema",),
    ("schema", "nonsense"),
    ("init", "a", "b"),
    ("emulator", "--port", "70000"),
    ("emulator", "--switch", "nonsense=x"),
    ("emulator", "--seed", "nowhere.yaml", "--port", "0"),
    ("emulator", "surplus"),
    *((verb, "--frobnicate") for verb in VERBS),
    ("demo", "--keep", "."),
)


@pytest.mark.parametrize("words", WRONG_ARGUMENTS, ids=" ".join)
def test_a_usage_error_ends_with_1_in_text_and_in_json(place: Workplace, words: tuple[str, ...]) -> None:
    run = place.run(*words)
    assert run.code == 1, "2 means changes"
    assert (run.out == "") is (words[-1] != "validate"), "findings are the result of validate only"
    assert "Error" in run.output
    assert "Traceback" not in run.err

    if "--format" in words or words[0] in {"-C", "--config", "--frobnicate"}:
        words = ("--format", "json", *words)
    run = place.run(*words, "--format=json")
    assert run.code == 1
    assert run.document["errored"] is True
    assert run.document["error_count"] >= 1
    assert not place.emulator.request_log.writes


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "", "--auto-approve"),
        ("apply", "--auto-approve", "--target", ""),
        ("apply", "--auto-approve", "--changed-since="),
        ("--config", "", "apply", "--auto-approve"),
        ("plan", ""),
        ("plan", "organizations", ""),
        ("plan", "--out", ""),
        ("plan", "--output", ""),
        ("plan", "--output", "json="),
        ("validate", ""),
        ("drift", ""),
        ("drift", "--previous="),
        ("pin", ""),
        ("import", ""),
        ("import", "acme", "--into", ""),
        ("show", ""),
        ("init", ""),
        ("demo", "--keep", ""),
        ("emulator", "--seed", "", "--list-switches"),
        ("publish", "github", "--plan", ""),
    ],
    ids=" ".join,
)
def test_an_empty_value_is_an_error_rather_than_everything(place: Workplace, words: tuple[str, ...]) -> None:
    run = place.run(*words)
    assert run.code == 1
    assert "empty value" in run.err or "names no file" in run.err
    assert "see `reconciler" in run.err
    assert not len(place.emulator.request_log)
    assert {path.name for path in place.root.iterdir()} == {"organizations", "reconciler.yaml"}


@pytest.mark.parametrize("name", ["plan", "drift"])
@pytest.mark.parametrize("words", [("--frobnicate",), ("--target", "nobody/*"), ("nowhere",)], ids=" ".join)
def test_a_failed_run_writes_the_document_of_its_verb(
    place: Workplace, name: str, words: tuple[str, ...]
) -> None:
    schema = json.loads(place.run("schema", name).out)
    run = place.run(name, *words, "--format=json", "--output", "json=kept.json")
    assert (run.code, run.document["errored"], run.document["complete"]) == (1, True, False)
    assert not any(run.document["summary"].values())
    assert run.document["diagnostics"]
    Draft202012Validator(schema).validate(run.document)
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate(run.document | {"errored": False})


def test_the_document_of_a_failed_plan_cannot_be_applied(place: Workplace) -> None:
    run = place.run("plan", "--target", "nobody/*", "--output", "json=kept.json")
    assert run.code == 1
    for words in (("show", "kept.json"), ("apply", "kept.json")):
        run = place.run(*words, "--format", "json")
        assert (run.code, run.document["errored"]) == (1, True)
        assert "the run that wrote this file failed" in run.err
    assert "outcomes" in run.document
    assert run.document["summary"]["added"] == 0


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), *((verb, "--help") for verb in VERBS)])
def test_help_ends_with_0_and_is_a_result(bare: Workplace, words: tuple[str, ...]) -> None:
    run = bare.run(*words)
    if words:
        assert (run.code, run.err) == (0, "")
        assert run.out.startswith("Usage: reconciler")
    else:
        assert run.code == 1
        assert "Usage: reconciler" in run.output


@pytest.mark.parametrize("words", [(), ("publish",)])
def test_a_missing_command_prints_the_help(bare: Workplace, words: tuple[str, ...]) -> None:
    run = bare.run(*words)
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("Usage: reconciler")
    assert "\nCommands:\n" in run.err


def test_a_missing_schema_name_is_one_line(bare: Workplace) -> None:
    run = bare.run("schema")
    assert run.code == 1
    assert "Error: name one of organization, project, approvals, plan, drift, verify, " in run.err


def test_the_version_is_a_result(bare: Workplace) -> None:
    run = bare.run("--version")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("reconciler ")


def test_a_plan_with_changes_ends_with_0_or_2(place: Workplace) -> None:
    assert place.run("plan").code == 0
    assert place.run("plan", "--detailed-exitcode").code == 2
    place.applied()
    run = place.run("plan", "--detailed-exitcode")
    assert run.code == 0
    assert run.out == f"{place.headline}{NO_CHANGES}\n{NOT_COMPARED}\n"


def test_apply_ends_with_0_and_then_has_nothing_to_do(place: Workplace) -> None:
    first = place.run("apply", "--auto-approve")
    assert (first.code, "Resources: 2 added, 0 changed, 0 destroyed." in first.out) == (0, True)
    second = place.run("apply", "--auto-approve")
    assert second.code == 0
    assert NO_CHANGES in second.out
    assert "Resources: 0 added, 0 changed, 0 destroyed." in second.out


def test_apply_without_changes_needs_no_approval(place: Workplace) -> None:
    assert place.applied().run("apply").code == 0


def test_a_partly_applied_plan_ends_with_1(place: Workplace) -> None:
    place.emulator.add_fault("create-oidc-connection:too_many_sso_connections:first=1")
    run = place.run("apply", "--auto-approve", "--format", "json")
    assert run.code == 1
    agrees(run)
    assert run.document["summary"] | {"skipped": 0} == {
        "added": 1, "changed": 0, "destroyed": 0, "unneeded": 0, "failed": 1, "skipped": 0,
    }  # fmt: skip


def test_a_refused_organization_ends_with_1_and_others_are_planned(place: Workplace) -> None:
    place.declare("unknown")
    place.setenv("UNKNOWN_SECRET", "something")
    planned = place.run("plan", "--detailed-exitcode", "--format", "json")
    agrees(planned)
    assert planned.code == 1
    assert planned.document["complete"] is False
    assert len(planned.document["resource_changes"]) == 2
    applied = place.run("apply", "--auto-approve", "--format", "json")
    agrees(applied)
    assert applied.code == 1
    assert applied.document["summary"]["added"] == 2
    again = place.run("plan", "--detailed-exitcode")
    assert again.code == 1
    assert NO_CHANGES not in again.out


def test_a_plan_blocked_by_the_delete_limits(place: Workplace) -> None:
    place.write("reconciler.yaml", "limits: {max_deletes: 1, requests_per_second: 500}")
    place.applied()
    place.declare("acme", state="absent")
    place.declare("globex", state="absent")
    planned = place.run("plan", "--format", "json", "--detailed-exitcode")
    assert planned.code == 1
    agrees(planned)
    assert planned.document["applyable"] is False
    refused = place.run("apply", "--auto-approve", "--format", "json")
    assert refused.code == 1
    agrees(refused)
    assert set(refused.codes) == {"too-many-deletes"}
    assert place.run("apply", "--auto-approve", "--allow-deletes", "1").code == 1
    assert place.run("apply", "--auto-approve", "--allow-deletes", "3").code == 1
    assert not place.emulator.request_log.writes
    assert place.run("apply", "--auto-approve", "--allow-deletes", "2").code == 0
    assert not place.live("acme") + place.live("globex")


def test_bad_manifests_end_every_command_that_reads_them_with_1(place: Workplace) -> None:
    place.write("organizations/acme.yaml", "organization: acme\nconnections: {sso: {isuer: x}}\n")
    for words in (("validate",), ("plan",), ("apply", "--auto-approve")):
        text_run = place.run(*words)
        assert text_run.code == 1
        assert "organizations/acme.yaml:2:21" in text_run.output
        run = place.run(*words, "--format", "json")
        assert run.code == 1
        errors = [found for found in run.document["diagnostics"] if found["severity"] == "error"]
        assert [found["range"]["start"]["line"] for found in errors] == [2]
    assert not place.live("acme")


@pytest.mark.parametrize("name", ["STYTCH_PROJECT_ID", "STYTCH_SECRET"])
@pytest.mark.parametrize("words", [("plan",), ("apply", "--auto-approve")], ids=lambda words: words[0])
def test_a_missing_credential_is_named(place: Workplace, name: str, words: tuple[str, ...]) -> None:
    place.delenv(name)
    run = place.run(*words, "--format", "json")
    assert run.code == 1
    agrees(run)
    assert name in run.err
    assert name in run.out
    assert not place.emulator.request_log.writes


def test_a_wrong_secret_is_access_denied(place: Workplace) -> None:
    place.setenv("STYTCH_SECRET", "secret-test-wrong")
    run = place.run("plan", "--format", "json")
    assert run.code == 1
    agrees(run)
    assert run.document["diagnostics"][0]["code"] == "access-denied"
    assert "secret-test-wrong" not in run.output


def test_an_api_that_is_down(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.providers.stytch.client.FIRST_CONTACT_TIMEOUT", 0.5)
    place.setenv("STYTCH_BASE_URL", "http://127.0.0.1:9")
    run = place.run("plan", "--format", "json")
    assert run.code == 1
    agrees(run)
    assert "check base_url" in run.out
    assert NO_CHANGES not in place.run("plan").output


def test_apply_without_a_terminal_is_refused(place: Workplace) -> None:
    run = place.run("apply", "--format", "json")
    assert run.code == 1
    agrees(run)
    assert "--auto-approve" in run.err
    assert not place.emulator.request_log.writes


def test_show_exits_as_the_plan_did(place: Workplace) -> None:
    assert place.run("plan", "--out", "good.json").code == 0
    assert place.run("show", "good.json").code == 0
    place.declare("unknown", client_secret="${env:ACME_CLIENT_SECRET}")
    assert place.run("plan", "--out", "bad.json").code == 1
    run = place.run("show", "bad.json", "--format", "json")
    assert run.code == 1
    agrees(run)


def test_a_bug_prints_its_traceback_and_writes_json(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("reconciler.cli.wiring.project_of", broken)
    run = place.run("plan", "--format", "json")
    assert run.code == 1
    assert "ZeroDivisionError: surprise" in run.err
    agrees(run)


def agrees(run: CompletedRun) -> None:
    """The exit code and the JSON say the same."""
    document: dict[str, Any] = run.document
    assert document["errored"] is (run.code == 1), run.output
    if "complete" in document and document["complete"] is False:
        assert run.code in {1, 130}
