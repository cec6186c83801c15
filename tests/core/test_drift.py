"""What a plan finds different, and how that relates to what an earlier report found."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from reconciler.core.address import Address
from reconciler.core.drift import DriftKind, DriftReport, Finding, FindingStatus, find_drift
from reconciler.core.errors import Diagnostic, ReportRefused, Severity
from reconciler.core.plan import Environment, Scope
from reconciler.core.planner import unreadable
from reconciler.core.run_selection import RunSelection
from reconciler.core.secret import Secret
from reconciler.reports import DRIFT_FORMATS
from reconciler.reports.json_documents import drift_json
from reconciler.reports.text_drift import render_drift
from reconciler.storage.documents import parse_drift_report
from tests.core.documents import drift_data
from tests.core.estates import CANARIES, OLD_SECRETS, Estate, estates
from tests.core.forging import forgeries, is_harmless
from tests.support.values import choices, declared, desired, live, live_connection, plan, reference, whole

if TYPE_CHECKING:
    from reconciler.core.plan import Plan

OKTA = reference("OKTA")
ISSUER = "https://acme.okta.com"
LATER = "2026-11-22T12:00:00Z"


def drifted(**at_live: object) -> Plan:
    """Return the plan of one connection whose live side differs in what is given."""
    wanted = desired(declared("okta", issuer=ISSUER, client_id="a", custom_scopes=("email", "openid")))
    found = {"issuer": ISSUER, "client_id": "a", "custom_scopes": ("email", "openid")} | at_live
    return whole(plan(wanted, live(live_connection(1, display_name="okta", **found))))


def later(plan: Plan) -> Plan:
    return replace(plan, created_at=LATER)


def test_nothing_differs() -> None:
    report = find_drift(drifted())
    assert not report.has_drift
    assert report.is_complete
    assert not report.has_errors
    assert report.findings == ()


def test_every_attribute_that_differs_is_a_finding_of_its_own() -> None:
    report = find_drift(drifted(client_id="b", custom_scopes=("openid",)))
    assert [
        (finding.kind, finding.attribute, finding.declared, finding.live) for finding in report.findings
    ] == [
        (DriftKind.CHANGED, "client_id", "a", "b"),
        (DriftKind.CHANGED, "custom_scopes", ("email", "openid"), ("openid",)),
    ]
    assert {finding.connection_id for finding in report.findings} == {"oidc-connection-test-1"}
    assert {str(finding.location) for finding in report.findings} == {"acme.yaml:3:3"}
    assert report.summary.changed == 2


def test_what_the_server_would_infer_is_not_drift() -> None:
    report = find_drift(drifted(issuer="https://other.okta.com", token_url="https://other.okta.com/token"))
    assert [finding.attribute for finding in report.findings] == ["issuer"]


def test_a_declared_connection_that_is_not_live_is_missing() -> None:
    report = find_drift(whole(plan(desired(declared("okta", issuer=ISSUER)), live())))
    (finding,) = report.findings
    assert (finding.kind, finding.attribute, finding.connection_id) == (DriftKind.MISSING, "", "")


def test_an_interrupted_create_is_missing_too() -> None:
    orphan = live_connection(4, display_name="okta", status="pending")
    report = find_drift(whole(plan(desired(declared("okta", issuer=ISSUER)), live(orphan))))
    (finding,) = report.findings
    assert (finding.kind, finding.connection_id) == (DriftKind.MISSING, "oidc-connection-test-4")


def test_a_live_connection_that_is_declared_absent_is_unexpected() -> None:
    to_delete = declared("okta", absent=True)
    report = find_drift(whole(plan(desired(to_delete), live(live_connection(1, display_name="okta")))))
    assert [finding.kind for finding in report.findings] == [DriftKind.UNEXPECTED]


def test_what_prune_would_delete_is_unexpected() -> None:
    kept = declared("okta", issuer=ISSUER)
    both = live(
        live_connection(1, display_name="okta", issuer=ISSUER), live_connection(2, display_name="other")
    )
    report = find_drift(whole(plan(desired(kept, prune=True), both)))
    assert [str(finding.address) for finding in report.findings] == ["acme/oidc-connection-test-2"]


def test_what_nobody_declares_is_no_drift() -> None:
    kept = declared("okta", issuer=ISSUER)
    both = live(
        live_connection(1, display_name="okta", issuer=ISSUER), live_connection(2, display_name="other")
    )
    report = find_drift(whole(plan(desired(kept), both)))
    assert not report.has_drift
    assert report.summary.unmanaged == 1


def test_a_secret_that_differs_is_found_without_its_values() -> None:
    wanted = desired(declared("okta", client_secret=OKTA))
    there = live(live_connection(1, display_name="okta", client_secret=Secret("old-canary")))
    report = find_drift(whole(plan(wanted, there, choices({OKTA: Secret("new-canary")}))))
    (finding,) = report.findings
    assert (finding.attribute, finding.is_sensitive) == ("client_secret", True)
    assert (finding.declared, finding.live) == (None, None)
    assert "canary" not in json.dumps(drift_data(report, "1")) + repr(report)


def test_limits_on_deletes_do_not_matter() -> None:
    block = Diagnostic(Severity.ERROR, "too-many-deletes", "the plan deletes too much")
    report = find_drift(replace(drifted(client_id="b"), blocks=(block,)))
    assert not report.has_errors


def test_an_organization_that_cannot_be_read_makes_the_report_incomplete() -> None:
    report = find_drift(whole(unreadable(desired(declared("okta")), Exception("it is gone"))))
    assert (report.is_complete, report.has_errors, report.has_drift) == (False, True, False)


def test_without_an_earlier_report_everything_is_new() -> None:
    report = find_drift(drifted(client_id="b"))
    (finding,) = report.findings
    assert (finding.status, finding.first_seen) == (FindingStatus.NEW, report.created_at)


def test_a_live_value_that_was_edited_again_is_new() -> None:
    first = find_drift(drifted(client_id="b"))
    second = find_drift(later(drifted(client_id="c")), first)
    assert [(finding.status, finding.first_seen) for finding in second.findings] == [
        (FindingStatus.NEW, LATER)
    ]
    assert second.resolved == ()


def test_what_was_found_before_keeps_its_day() -> None:
    first = find_drift(drifted(client_id="b"))
    second = find_drift(later(drifted(client_id="b", issuer="https://x.okta.com")), first)
    assert {finding.attribute: (finding.status, finding.first_seen) for finding in second.findings} == {
        "issuer": (FindingStatus.NEW, LATER),
        "client_id": (FindingStatus.EXISTING, first.created_at),
    }
    third = find_drift(later(drifted(client_id="b")), second)
    assert third.findings[0].first_seen == first.created_at


def test_what_is_no_longer_found_is_resolved_once() -> None:
    first = find_drift(drifted(client_id="b"))
    second = find_drift(later(drifted()), first)
    assert [(finding.attribute, finding.status) for finding in second.resolved] == [
        ("client_id", FindingStatus.RESOLVED)
    ]
    assert not second.has_drift
    assert find_drift(later(drifted()), second).resolved == ()


@pytest.mark.parametrize(
    "selection",
    [
        RunSelection(targets=("globex/*",)),
        RunSelection(organizations=frozenset({"globex"})),
        RunSelection(targets=("acme/other",)),
    ],
)
def test_what_was_not_looked_at_is_neither_resolved_nor_forgotten(selection: RunSelection) -> None:
    first = find_drift(drifted(client_id="b"))
    partial = find_drift(later(whole()), first, selection)
    assert (partial.resolved, partial.has_drift) == ((), False)
    assert [finding.status for finding in partial.unchecked] == [FindingStatus.UNCHECKED]
    whole_again = find_drift(later(drifted(client_id="b")), partial)
    assert whole_again.findings[0].first_seen == first.created_at


def test_an_organization_that_is_declared_no_more_has_nothing_to_resolve() -> None:
    first = find_drift(drifted(client_id="b"))
    assert len(find_drift(later(whole()), first).resolved) == 1


def test_what_could_not_be_read_is_not_resolved() -> None:
    first = find_drift(drifted(client_id="b"))
    failed = find_drift(later(whole(unreadable(desired(declared("okta")), Exception("down")))), first)
    assert (len(failed.unchecked), failed.resolved) == (1, ())


def test_a_secret_that_is_not_compared_is_not_resolved() -> None:
    wanted = desired(declared("okta", client_secret=OKTA))
    there = live(live_connection(1, display_name="okta", client_secret=Secret("old")))
    first = find_drift(whole(plan(wanted, there, choices({OKTA: Secret("new")}))))
    without = whole(plan(wanted, there, choices(compares_secrets=False)), secrets_compared=False)
    masked = live(live_connection(1, display_name="okta", client_secret=Secret("********")))
    hidden = whole(plan(wanted, masked, choices({OKTA: Secret("new")})))
    for blind in (without, hidden):
        report = find_drift(later(blind), first)
        assert (len(report.unchecked), report.resolved) == (1, ())


def test_a_report_of_another_project_is_refused() -> None:
    other = Scope("https://test.stytch.com", "project-test-other", Environment.TEST)
    first = replace(find_drift(drifted()), scope=other)
    with pytest.raises(ReportRefused, match="is of project project-test-other, this run is for"):
        find_drift(drifted(), first)


def test_a_fingerprint_is_of_the_finding_and_not_of_its_values() -> None:
    def print_of(name: str, kind: DriftKind, attribute: str = "", **more: Any) -> str:
        finding = Finding(
            address=Address("acme", name), organization_id="o", kind=kind, attribute=attribute, **more
        )
        return finding.fingerprint

    same = print_of("okta", DriftKind.CHANGED, "issuer", declared="a", live="b", first_seen=LATER)
    assert same == print_of("okta", DriftKind.CHANGED, "issuer", declared="c", live="d")
    prints = {
        same,
        print_of("okta", DriftKind.CHANGED, "client_id"),
        print_of("okta", DriftKind.MISSING),
        print_of("okta", DriftKind.UNEXPECTED),
        print_of("other", DriftKind.MISSING),
    }
    assert len(prints) == 5


def test_a_fingerprint_never_changes() -> None:
    """They are kept in reports, issues and other tools."""
    finding = Finding(
        address=Address("acme", "okta"), organization_id="o", kind=DriftKind.CHANGED, attribute="issuer"
    )
    assert finding.fingerprint == ("sha256:4c1bfc5240faf85f8fee2ee98540d8aefd65af32e4625fe8b9318e7e2be8a525")


@given(estates())
def test_there_is_drift_where_there_is_a_change(estate: Estate) -> None:
    made = whole(plan(estate.desired, estate.live, choices(estate.secrets)))
    report = find_drift(made)
    assert report.has_drift == made.has_changes
    assert {finding.address for finding in report.findings} == {finding.address for finding in made.changes}
    again = find_drift(later(made), report)
    assert {finding.status for finding in again.findings} <= {FindingStatus.EXISTING}
    assert again.resolved == ()
    assert parse_drift_report(drift_data(again)) == again


@given(estates())
def test_no_report_holds_a_secret_or_moves_the_terminal(estate: Estate) -> None:
    report = find_drift(whole(plan(estate.desired, estate.live, choices(estate.secrets))))
    shown = drift_json(report) + render_drift(report) + render_drift(replace(report, previous_at=LATER))
    for secret in (*OLD_SECRETS, *(one.reveal() for one in CANARIES.values())):
        assert not secret or secret not in shown
    assert all(character == "\n" or character.isprintable() for character in shown)


@pytest.mark.parametrize(
    "key", sorted({*drift_data(find_drift(drifted()), "1")} - {"format_version", "report"})
)
def test_a_report_that_lacks_something_is_refused(key: str) -> None:
    document = drift_data(find_drift(drifted(client_id="b")), "1")
    del document[key]
    with pytest.raises(ReportRefused, match=f"not valid: {key} is missing"):
        parse_drift_report(document)


@pytest.mark.parametrize("foreign", [{}, [], None, "text", 3, {"format_version": "1.0"}])
def test_what_is_no_report_is_refused(foreign: object) -> None:
    with pytest.raises(ReportRefused, match="this is not a drift report"):
        parse_drift_report(foreign)


@pytest.mark.parametrize("version", ["2.0", None, 1])
def test_a_report_of_another_version_is_refused(version: object) -> None:
    with pytest.raises(ReportRefused, match="this program reads 1"):
        parse_drift_report(drift_data(find_drift(drifted()), "1") | {"format_version": version})


def test_values_that_no_attribute_has_are_refused() -> None:
    document = drift_data(find_drift(drifted(client_id="b")), "1")
    document["findings"][0]["live"] = 3
    with pytest.raises(ReportRefused, match="not valid"):
        parse_drift_report(document)


def test_whatever_stands_where_every_format_shows_what_is_compared_with_it_or_it_is_refused() -> None:
    made = drifted(client_id="b", custom_scopes=("openid", "x"))
    accepted = 0
    for forged in forgeries(drift_data(find_drift(made))):
        try:
            report = find_drift(later(made), parse_drift_report(forged))
        except ReportRefused:
            continue
        for format_, render in DRIFT_FORMATS.items():
            is_harmless(render(report), format_)
        accepted += 1
    assert accepted, "what is for people only may be any text"


def test_the_counts_are_of_what_is_there() -> None:
    counted = {field.name for field in fields(DriftReport)} & {"findings", "resolved", "unchecked"}
    assert len(counted) == 3
    first = find_drift(drifted(client_id="b", issuer="https://x.okta.com"))
    summary = find_drift(later(drifted(client_id="b")), first).summary
    assert (summary.new, summary.known, summary.resolved, summary.unchecked) == (0, 1, 1, 0)
