"""What a webhook says of each result: small, by its schema, and findings of drift apart by their standing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.outcome import ApplyResult
from reconciler.core.results import FailedRun
from reconciler.reports.webhook import MAX_BYTES, Origin, webhook_body
from tests.reports.published import (
    BLOCKED,
    ORDINARY,
    QUIET,
    REFUSED,
    drift_of,
    hostile_plan,
    hostile_verification,
    large_plan,
)
from tests.reports.samples import CREATED, ERROR, FAILED, SKIPPED, UNNEEDED, WARNING
from tests.support.json_documents import check_document

if TYPE_CHECKING:
    from reconciler.reports.webhook import Result

ORIGIN = Origin(name="production", run_url="https://ci.example/1")
APPLIED = ApplyResult((CREATED, UNNEEDED, SKIPPED, FAILED), diagnostics=(ERROR, WARNING))
BROKEN = FailedRun(diagnostics=(ERROR, WARNING), scope=ORDINARY.scope, created_at=ORDINARY.created_at)


def event(result: Result, origin: Origin = ORIGIN) -> dict[str, Any]:
    body = webhook_body(result, origin)
    assert body.isascii()
    assert len(body) <= MAX_BYTES
    document: dict[str, Any] = json.loads(body)
    check_document("webhook", document)
    return document


def test_drift_has_new_known_and_resolved_findings_apart() -> None:
    report = drift_of(ORDINARY)
    data = event(report)["data"]
    everything = {finding.fingerprint for finding in report.findings}
    new, known, resolved = (
        {finding["fingerprint"] for finding in data[key]} for key in ("new", "known", "resolved")
    )
    assert new | known == everything
    assert not new & known
    assert resolved == {finding.fingerprint for finding in report.resolved}
    assert new
    assert known
    assert resolved
    counts = data["counts"]
    assert [counts[key] for key in ("new", "known", "resolved")] == [len(new), len(known), len(resolved)]
    assert data["text"] == f"Drift in production (live): {len(new)} new, {len(known)} known, 1 resolved."


def test_verify_tells_what_needs_action() -> None:
    """Notes and approved findings are left out."""
    hostile = hostile_verification("acme/sso")
    note = replace(hostile.findings[0], severity=Severity.INFO, fingerprint="note")
    approved = replace(hostile.findings[0], is_approved=True, fingerprint="approved")
    document = event(replace(hostile, findings=(*hostile.findings, note, approved)))
    data = document["data"]
    assert document["type"] == "reconciler.verify"
    assert [len(data[key]) for key in ("new", "known", "resolved")] == [1, 2, 1]
    assert data["counts"] == {
        "errors": 3, "warnings": 0, "failing": 2, "expiring": 1, "new": 1, "known": 2, "resolved": 1
    }  # fmt: skip
    assert data["text"] == "Logins in production (live): 3 errors, 0 warnings, 1 new, 1 resolved."


def test_no_drift_says_so() -> None:
    assert event(drift_of(QUIET))["data"]["text"].startswith("No drift in production (live): 0 new")


@pytest.mark.parametrize(("plan", "is_blocked"), [(ORDINARY, False), (BLOCKED, True), (QUIET, False)])
def test_a_plan_says_whether_it_is_blocked(plan: Any, is_blocked: bool) -> None:
    data = event(plan)["data"]
    assert data["blocked"] is is_blocked
    assert ("Blocked." in data["text"]) is is_blocked
    assert [change["address"] for change in data["changes"]] == [str(one.address) for one in plan.changes]


def test_a_moved_issuer_counts_once_as_in_the_comment() -> None:
    """What follows from it is listed, and not counted: its endpoints, and its kept secret."""
    cause, *follow = (
        Diagnostic(Severity.ERROR, code, "x", address="acme/sso", fingerprint=code)
        for code in ("issuer-host-change", "jwks-url-host-change", "secret-kept")
    )
    data = event(replace(QUIET, risks=(cause, *follow)))["data"]
    assert (data["counts"]["risks"], data["counts"]["errors"], len(data["findings"])) == (1, 1, 3)
    assert "Risks: 1." in data["text"]


def test_errors_come_before_risks_that_only_warn() -> None:
    severities = [finding["severity"] for finding in event(BLOCKED)["data"]["findings"]]
    assert severities == sorted(severities)
    data = event(REFUSED)["data"]
    assert (data["errored"], data["complete"]) == (True, False)
    assert data["counts"]["errors"] == sum(item["severity"] == "error" for item in data["findings"])


def test_a_run_without_a_plan_is_an_event_too() -> None:
    document = event(BROKEN)
    assert document["type"] == "reconciler.plan"
    assert document["data"]["errored"]
    assert [finding["code"] for finding in document["data"]["findings"]] == [ERROR.code]


def test_an_apply_begins_with_what_failed() -> None:
    data = event(APPLIED)["data"]
    statuses = [outcome["status"] for outcome in data["outcomes"]]
    assert statuses == ["failed", "skipped", "applied", "unneeded"]
    assert data["outcomes"][0]["message"] == FAILED.message
    assert data["environment"] is None
    assert data["errored"]


@pytest.mark.parametrize(
    ("result", "entries"),
    [
        (large_plan(10_000), 10_002),
        (drift_of(large_plan(10_000)), 20_002),
        (hostile_plan(), 0),
        (drift_of(hostile_plan()), 0),
        (hostile_verification("x" * 2_000), 4),
        (ApplyResult((FAILED,) * 10_000, diagnostics=(ERROR,) * 10_000), 20_000),
    ],
    ids=["large plan", "large drift", "hostile plan", "hostile drift", "long verification", "large apply"],
)
def test_it_stays_small_and_says_what_is_left_out(result: Result, entries: int) -> None:
    data = event(result)["data"]
    lists = [value for value in data.values() if isinstance(value, list)]
    assert all(len(part) <= 20 for part in lists)
    if entries:
        assert sum(map(len, lists)) + data["omitted"] == entries
