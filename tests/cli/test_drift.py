"""`drift`: exit codes, formats, previous reports, and read-only requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

NO_DRIFT = "No drift. The live state matches the configuration."


def edit(place: Workplace, slug: str = "acme", **fields: Any) -> None:
    place.emulator.edit_connection(place.live(slug)[0]["connection_id"], **fields)


def standings(run: CompletedRun) -> dict[str, str]:
    document = run.document
    findings = [*document["findings"], *document["resolved"], *document["unchecked"]]
    return {
        f"{finding['address']} {finding['attribute'] or finding['kind']}": finding["standing"]
        for finding in findings
    }


def test_applied_connections_have_not_drifted(place: Workplace) -> None:
    run = place.applied().run("drift")
    assert (run.code, run.out) == (0, f"{place.headline}{NO_DRIFT}\n")


def test_an_edit_outside_of_git_is_drift(place: Workplace) -> None:
    place.applied()
    edit(place, client_id="somebody-elses", token_url="https://evil.example/token")
    run = place.run("drift")
    assert run.code == 2
    assert '            declared = "client-of-acme"\n            live     = "somebody-elses"\n' in run.out
    assert "Drift: 0 missing, 1 changed, 0 unexpected, 1 risk." in run.out  # token_url is declared nowhere


def test_drift_only_reads(place: Workplace) -> None:
    place.applied()
    edit(place, client_id="somebody-elses")
    place.declare("globex", name="another", client_id="another")
    place.emulator.request_log.clear()
    assert place.run("drift").code == 2
    sent = {(request.method, request.path.rpartition("/")[2]) for request in place.emulator.request_log}
    assert sent
    assert all(method == "GET" or path == "search" for method, path in sent), sent


def test_exit_code_and_json_agree(place: Workplace) -> None:
    run = place.applied().run("drift", "--format", "json")
    assert (run.code, run.document["drifted"], run.document["errored"]) == (0, False, False)
    edit(place, client_id="somebody-elses")
    run = place.run("drift", "--format", "json")
    assert (run.code, run.document["drifted"], run.document["errored"]) == (2, True, False)
    place.emulator.edit_organization("globex", organization_slug="renamed")
    run = place.run("drift", "--format", "json")
    assert (run.code, run.document["drifted"], run.document["errored"]) == (1, True, True)
    assert run.document["complete"] is False
    assert [finding["address"] for finding in run.document["findings"]] == ["acme/sso"]


def test_the_json_is_complete_with_every_exit_code(place: Workplace) -> None:
    place.write("organizations/broken.yaml", "organization: [")
    run = place.run("drift", "--format", "json")
    assert (run.code, run.document["errored"], run.document["complete"]) == (1, True, False)
    assert {finding["address"] for finding in run.document["findings"]} == {"acme/sso", "globex/sso"}


def test_the_json_matches_its_schema(place: Workplace) -> None:
    place.applied()
    edit(place, client_id="somebody-elses")
    place.emulator.add_connection("globex", display_name="nobody's")
    first = place.run("drift", "--format", "json", "--output", "first.json")
    edit(place, client_id="client-of-acme")
    place.declare("globex", name="another", client_id="another")
    run = place.run("drift", "--format", "json", "--previous", "first.json")
    schema = json.loads(place.run("schema", "drift").out)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(first.document)
    Draft202012Validator(schema).validate(run.document)
    assert {finding["kind"] for finding in first.document["findings"]} == {"changed"}
    assert {finding["kind"] for finding in run.document["findings"]} == {"missing", "undeclared"}
    assert {finding["kind"] for finding in run.document["resolved"]} == {"changed"}
    assert run.document["unmanaged"]


def test_the_published_schema_is_current(place: Workplace) -> None:
    kept = Path(__file__).parent.parent.parent / "schemas/drift.schema.json"
    assert place.run("schema", "drift").out == kept.read_text(encoding="utf-8")


def test_findings_are_followed_from_report_to_report(place: Workplace) -> None:
    place.applied()
    edit(place, client_id="somebody-elses")
    first = place.run("drift", "--format", "json", "--output", "1.json")
    assert standings(first) == {"acme/sso client_id": "new"}
    edit(place, "globex", issuer="https://sso.globex.example.com")
    second = place.run("drift", "--format", "json", "--previous", "1.json", "--output", "2.json")
    assert standings(second) == {"acme/sso client_id": "known", "globex/sso issuer": "new"}
    edit(place, client_id="client-of-acme")
    third = place.run("drift", "--format", "json", "--previous", "2.json")
    assert standings(third) == {"acme/sso client_id": "resolved", "globex/sso issuer": "known"}
    seen = {finding["fingerprint"]: finding["first_seen"] for finding in second.document["findings"]}
    assert all(
        seen[finding["fingerprint"]] == finding["first_seen"] for finding in third.document["findings"]
    )


@pytest.mark.parametrize("words", [("--target", "globex/*"), ("organizations/globex.yaml",)])
def test_findings_outside_the_selection_are_unchecked(place: Workplace, words: tuple[str, ...]) -> None:
    place.applied()
    edit(place, client_id="somebody-elses")
    place.run("drift", "--output", "json=first.json")
    run = place.run("drift", "--format", "json", "--previous", "first.json", *words)
    assert (run.code, standings(run)) == (0, {"acme/sso client_id": "unchecked"})


def test_no_secrets_needs_no_secret(place: Workplace) -> None:
    place.applied()
    edit(place, client_secret="another")
    assert place.run("drift", "--output", "json=first.json").code == 2
    place.delenv("ACME_CLIENT_SECRET")
    assert place.run("drift").code == 1
    run = place.run("drift", "--no-secrets", "--format", "json", "--previous", "first.json")
    assert (run.code, standings(run)) == (0, {"acme/sso client_secret": "unchecked"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON"),
        ("{}", "this is not a drift report"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"report": "drift", "format_version": "9.0"}', "has format_version '9.0'"),
        ('{"report": "drift", "format_version": "1.0"}', "not valid"),
    ],
)
def test_an_invalid_previous_report_is_an_error(place: Workplace, text: str, words: str) -> None:
    place.write("previous.json", text)
    run = place.run("drift", "--previous", "previous.json")
    assert run.code == 1
    assert f"previous.json: {words}" in run.err or words in run.err
    assert not list(place.emulator.request_log)


def test_a_missing_previous_report_is_an_error(place: Workplace) -> None:
    run = place.run("drift", "--previous", "nowhere.json")
    assert run.code == 1
    assert "nowhere.json: there is no such report: omit --previous until a run has written one" in run.err


def test_nothing_is_compared_with_the_report_of_a_failed_run(place: Workplace) -> None:
    """Its JSON is whole, but no report: nothing is known to be new, or taken for resolved."""
    place.applied()
    place.setenv("STYTCH_SECRET", "wrong-secret")
    assert place.run("drift", "--output", "json=failed.json").code == 1
    place.setenv("STYTCH_SECRET", place.emulator.settings.project.secret)
    run = place.run("drift", "--previous", "failed.json")
    assert run.code == 0
    assert "this is not a drift report to compare with: the run that wrote it failed" in run.out
    assert "Since" not in run.out
