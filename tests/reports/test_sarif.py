"""SARIF as the standard's schema says, on the right lines, with fingerprints that survive moved lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from jsonschema import Draft4Validator

from reconciler.reports import DRIFT_FORMATS, FAILURE_FORMATS, PLAN_FORMATS, VALIDATION_FORMATS
from tests.reports.published import (
    BLOCKED,
    FINDINGS,
    ORDINARY,
    QUIET,
    REFUSED,
    WARNING,
    drift_of,
    hostile_plan,
    place,
    plan,
)
from tests.reports.test_markdown_safety import nasty_texts
from tests.support.generated import examples
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from reconciler.core.plan import Plan

SCHEMA = Path(__file__).parents[1].joinpath(
    "browser", "node_modules", "@microsoft", "jest-sarif", "lib", "schemas", "sarif-2.1.0-rtm.5.json"
)  # fmt: skip


def results(text: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(text)["runs"][0]["results"]
    return results


def sarif(plan: Plan) -> str:
    return PLAN_FORMATS["sarif"](plan)


@pytest.mark.parametrize("reported", [ORDINARY, QUIET, REFUSED, BLOCKED, hostile_plan()])
def test_it_is_as_the_schema_says(reported: Plan) -> None:
    if not SCHEMA.exists():
        skip_or_fail("the schema is missing: run `npm ci` in tests/browser")
    validator = Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    validator.validate(json.loads(sarif(reported)))
    validator.validate(json.loads(DRIFT_FORMATS["sarif"](drift_of(reported))))
    validator.validate(json.loads(FAILURE_FORMATS["sarif"](reported.diagnostics)))
    validator.validate(json.loads(VALIDATION_FORMATS["sarif"](FINDINGS)))


def test_a_finding_is_on_its_place() -> None:
    *decisive, warning, destroy = results(sarif(ORDINARY))
    assert [result["ruleId"] for result in decisive] == ["sign-in-change", "sign-in-change"]
    assert warning["ruleId"] == "issuer-host-change"
    assert warning["level"] == "warning"
    (location,) = warning["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "organizations/acme.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8, "startColumn": 3, "endColumn": 25},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "acme/okta-workforce", "kind": "resource"}]
    assert (destroy["ruleId"], destroy["level"]) == ("planned-destroy", "note")


def test_moved_lines_keep_the_fingerprint() -> None:
    (first,), (second,) = (
        results(sarif(plan(risks=(replace(WARNING, location=place(line)),)))) for line in (8, 80)
    )
    assert first["partialFingerprints"] == second["partialFingerprints"]
    (another,) = results(sarif(plan(risks=(replace(WARNING, address="acme/other"),))))
    assert another["partialFingerprints"] != first["partialFingerprints"]


def test_drift_has_the_fingerprints_of_its_report() -> None:
    report = drift_of(ORDINARY)
    written = results(DRIFT_FORMATS["sarif"](report))
    fingerprints = sorted(result["partialFingerprints"]["reconciler/v1"] for result in written)
    assert fingerprints == sorted(finding.fingerprint for finding in report.findings)


def test_it_says_whether_everything_could_be_looked_at() -> None:
    def succeeded(text: str) -> Any:
        return json.loads(text)["runs"][0]["invocations"][0]["executionSuccessful"]

    assert succeeded(sarif(ORDINARY))
    assert not succeeded(sarif(REFUSED))
    assert not succeeded(FAILURE_FORMATS["sarif"](REFUSED.diagnostics))


@given(text=nasty_texts)
@examples(50)
def test_no_message_holds_a_link_or_a_control_character(text: str) -> None:
    written = results(sarif(hostile_plan((text,))))
    messages = [result["message"]["text"] for result in written]
    assert not [
        message for message in messages if "](" in message or not message.replace("\n", "").isprintable()
    ]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in written]
    assert all(uri.isascii() and " " not in uri for uri in uris)
