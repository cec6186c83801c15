"""A saved plan is applied exactly as shown, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import Workplace


@pytest.fixture
def saved(place: Workplace) -> Workplace:
    assert place.run("plan", "--out", "plan.json").code == 0
    place.emulator.request_log.clear()
    return place


def test_a_saved_plan_is_the_output_of_format_json(saved: Workplace) -> None:
    printed = saved.run("plan", "--format", "json", "--out", "again.json").document
    kept = json.loads(Path("again.json").read_text())
    assert kept == printed
    assert json.loads(Path("plan.json").read_text())["resource_changes"] == printed["resource_changes"]


def test_show_renders_it_as_plan_did(saved: Workplace) -> None:
    assert saved.run("show", "plan.json").out == saved.run("plan").out
    assert saved.run("show", "plan.json", "--format", "json").out == Path("plan.json").read_text()
    saved.emulator.request_log.clear()
    saved.delenv("STYTCH_SECRET")
    assert saved.run("show", "plan.json").code == 0
    assert not len(saved.emulator.request_log)


def test_a_saved_plan_can_be_applied_without_manifests(saved: Workplace) -> None:
    for file in Path("organizations").iterdir():
        file.unlink()
    run = saved.run("apply", "plan.json", "--any-inputs")
    assert run.code == 0
    assert "Resources: 2 added, 0 changed, 0 destroyed." in run.out


def test_a_saved_plan_can_be_applied_although_the_manifests_changed(saved: Workplace) -> None:
    saved.declare("acme", client_id="changed-later")
    assert saved.run("apply", "plan.json", "--any-inputs").code == 0
    assert saved.live("acme")[0]["client_id"] == "client-of-acme"


def test_applying_it_twice_changes_nothing(saved: Workplace) -> None:
    assert saved.run("apply", "plan.json").code == 0
    saved.emulator.request_log.clear()
    run = saved.run("apply", "plan.json", "--format", "json")
    assert run.code == 0
    assert run.document["summary"]["unneeded"] == 2
    assert not saved.emulator.request_log.writes
    assert len(saved.live("acme")) == 1


def test_only_connections_that_changed_since_are_refused(saved: Workplace) -> None:
    saved.applied()
    for slug in ("acme", "globex"):
        saved.declare(slug, client_id="new")
    saved.run("plan", "--out", "update.json")
    (acme,) = saved.live("acme")
    saved.emulator.edit_connection(acme["connection_id"], client_id="edited in the dashboard")
    run = saved.run("apply", "update.json", "--format", "json")
    assert run.code == 1
    outcomes = {outcome["address"]: outcome for outcome in run.document["outcomes"]}
    assert outcomes["globex/sso"]["status"] == "applied"
    assert outcomes["acme/sso"]["status"] == "failed"
    assert "changed since the plan" in outcomes["acme/sso"]["error"]["message"]
    assert saved.live("acme")[0]["client_id"] == "edited in the dashboard"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("STYTCH_PROJECT_ID", "project-test-22222222-2222-4222-8222-222222222222", "project"),
        ("STYTCH_PROJECT_ID", "project-live-11111111-1111-4111-8111-111111111111", "project"),
        ("STYTCH_BASE_URL", "http://127.0.0.1:1", "base URL"),
    ],
)
def test_a_plan_for_another_project_is_refused(saved: Workplace, name: str, value: str, word: str) -> None:
    saved.setenv(name, value)
    refused(saved, f"the plan was made for {word}")


def test_it_is_refused_when_it_is_old(saved: Workplace) -> None:
    rewrite(lambda plan: plan.update(timestamp=ago(hours=25)))
    refused(saved, "--max-age")
    assert saved.run("apply", "plan.json", "--max-age", "2d").code == 0


def test_it_is_refused_when_it_is_from_the_future(saved: Workplace) -> None:
    rewrite(lambda plan: plan.update(timestamp=ago(hours=-2)))
    refused(saved, "the plan was made at")


@pytest.mark.parametrize("moment", ["yesterday", "", "0000-00-00T00:00:00Z"])
def test_it_is_refused_without_a_date(saved: Workplace, moment: str) -> None:
    rewrite(lambda plan: plan.update(timestamp=moment))
    refused(saved, "is not a date")


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "x.y"])
def test_it_is_refused_in_another_version(saved: Workplace, version: str) -> None:
    rewrite(lambda plan: plan.update(format_version=version))
    refused(saved, "version")


def test_an_edited_plan_is_refused(saved: Workplace) -> None:
    plan = json.loads(Path("plan.json").read_text())
    for change in (
        plan["resource_changes"].pop,
        lambda: plan["resource_changes"][0]["change"]["after"].update(issuer="https://evil.example.com"),
        lambda: plan.update(timestamp=ago(hours=1)),
        lambda: plan.pop("digest"),
        lambda: plan.update(extra=1),
    ):
        change()
        Path("plan.json").write_text(json.dumps(plan))
        refused(saved, "changed after it was written")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "42", '"x"', "{}", '{"format_version": 1}', "[" * 100_000, "\ufeff{}", "a: b"],
    ids=lambda text: text[:12] or "empty",
)
def test_another_document_is_refused(saved: Workplace, text: str) -> None:
    Path("plan.json").write_text(text)
    refused(saved, "plan.json")
    assert saved.run("show", "plan.json").code == 1


@pytest.mark.parametrize("words", [("show",), ("apply",), ("drift", "--previous")], ids=" ".join)
@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/dev/null"])
def test_pipes_and_devices_are_refused(bare: Workplace, words: tuple[str, ...], name: str) -> None:
    bare.write("reconciler.yaml", "organizations: ['*.yaml']")
    os.mkfifo("pipe")
    for key, value in {"PROJECT_ID": "project-test-1", "SECRET": "secret-test-1"}.items():
        bare.setenv(f"STYTCH_{key}", value)
    run = bare.run(*words, name)
    assert run.code == 1
    assert f"{name}: this is not a " in run.err
    assert "it is not a regular file" in run.err


@pytest.mark.parametrize("constant", ["NaN", "-Infinity"])
def test_almost_json_is_refused(saved: Workplace, constant: str) -> None:
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace('"errored": false', f'"errored": {constant}'))
    refused(saved, "it is not JSON")


def test_a_binary_file_is_refused(saved: Workplace) -> None:
    Path("plan.json").write_bytes(b"\x80\xff\0")
    refused(saved, "not a plan file")


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan.pop("resource_changes"),
        lambda plan: plan.update(resource_changes=[{}]),
        lambda plan: plan.update(resource_changes=7),
        lambda plan: plan["resource_changes"][0].pop("change"),
        lambda plan: plan["resource_changes"][0].update(change=None),
        lambda plan: plan["resource_changes"][0].update(name=3),
        lambda plan: scopes(plan, [1]),
        lambda plan: plan["resource_changes"][0]["declared"].append("attribute_mapping"),
        lambda plan: plan["resource_changes"][0]["change"].update(actions=["explode"]),
        lambda plan: plan["resource_changes"][0]["change"]["after"].update(issuer=4),
        lambda plan: plan["resource_changes"][0].update(secret_reference="x"),
        lambda plan: plan["resource_changes"][0].update(organization_id=None),
        lambda plan: plan.update(target=None),
        lambda plan: plan.update(summary={"add": "many"}),
        lambda plan: plan.update(diagnostics=[None]),
        lambda plan: plan.update(timestamp=5),
        lambda plan: plan["summary"].update(add=1),
        lambda plan: plan["summary"].update(add="2"),
    ],
)
def test_an_invalid_plan_with_a_valid_digest_is_refused(
    saved: Workplace, change: Callable[[dict[str, Any]], None]
) -> None:
    rewrite(change)
    run = saved.run("apply", "plan.json")
    assert run.code == 1
    assert "Traceback" not in run.err, run.err
    assert not saved.emulator.request_log.writes


def test_secrets_are_resolved_when_it_is_applied(saved: Workplace) -> None:
    saved.delenv("GLOBEX_CLIENT_SECRET")
    run = saved.run("apply", "plan.json")
    assert run.code == 1
    assert "GLOBEX_CLIENT_SECRET" in run.out
    assert "1 added, 0 changed, 0 destroyed. 0 failed, 1 skipped" in run.out
    assert not saved.live("globex")
    saved.setenv("GLOBEX_CLIENT_SECRET", "another value by now")
    assert saved.run("apply", "plan.json").code == 0
    assert saved.live("globex")[0]["client_secret"] == "another value by now"


def test_a_plan_cannot_refer_to_the_tools_credentials(saved: Workplace) -> None:
    def reach(plan: dict[str, Any]) -> None:
        plan["resource_changes"][0]["secret_reference"] = {
            "text": "${env:STYTCH_SECRET}",
            "parts": [{"scheme": "env", "path": "STYTCH_SECRET"}],
        }

    rewrite(reach)
    refused(saved, "STYTCH_SECRET")


def test_delete_limits_hold_when_it_is_applied(place: Workplace) -> None:
    place.applied()
    for slug in ("acme", "globex"):
        place.declare(slug, state="absent")
    place.write("reconciler.yaml", "limits: {max_deletes: 10, max_delete_percent: 100}")
    assert place.run("plan", "--out", "plan.json").code == 0
    place.write("reconciler.yaml", "limits: {max_deletes: 1}")
    run = place.run("apply", "plan.json", "--any-inputs")
    assert run.code == 1
    assert "--allow-deletes 2" in run.err
    assert place.run("apply", "plan.json", "--any-inputs", "--allow-deletes", "2").code == 0
    assert not place.live("acme")


def test_a_plan_cannot_hide_its_deletes_from_the_limits(place: Workplace) -> None:
    place.applied()
    for slug in ("acme", "globex"):
        place.declare(slug, state="absent")
    place.write("reconciler.yaml", "limits: {max_deletes: 1}")
    assert place.run("plan", "--out", "plan.json").code == 1

    def hide(plan: dict[str, Any]) -> None:
        plan["summary"]["destroy"], plan["blocks"] = 0, []

    rewrite(hide)
    refused(place, "says 0 to destroy, but holds 2")
    assert place.run("show", "plan.json").code == 1


def test_a_plan_made_without_secrets_applies_them(place: Workplace) -> None:
    place.delenv("ACME_CLIENT_SECRET")
    place.delenv("GLOBEX_CLIENT_SECRET")
    run = place.run("plan", "--no-secrets", "--out", "plan.json")
    assert run.code == 0
    assert "not resolved and not compared" in run.out
    place.setenv("ACME_CLIENT_SECRET", "one")
    place.setenv("GLOBEX_CLIENT_SECRET", "two")
    assert place.run("apply", "plan.json").code == 0
    assert place.run("plan").out == f"{place.headline}{NO_CHANGES}\n{NOT_COMPARED}\n"


def refused(place: Workplace, reason: str) -> None:
    run = place.run("apply", "plan.json", "--format", "json")
    assert run.code == 1
    assert run.document["errored"] is True
    assert reason in run.err
    assert "Traceback" not in run.err
    assert not place.emulator.request_log.writes


def rewrite(change: Callable[[dict[str, Any]], None]) -> None:
    """Change the plan and seal it again, as only somebody who means it would."""
    plan = json.loads(Path("plan.json").read_text())
    change(plan)
    plan.pop("digest", None)
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    plan["digest"] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    Path("plan.json").write_text(json.dumps(plan))


def scopes(plan: dict[str, Any], value: Any) -> None:
    plan["resource_changes"][0]["change"]["after"]["custom_scopes"] = value
    plan["resource_changes"][0]["declared"].append("custom_scopes")


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).replace(microsecond=0).isoformat()
