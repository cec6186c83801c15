"""A saved plan is used whole, or refused whole."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from reconciler.core.connection import FIELDS, SENSITIVE_FIELDS, WRITABLE_FIELDS, WritableField
from reconciler.core.document_parts import ConnectionDocument
from reconciler.core.errors import Diagnostic, PlanRefused, Severity, SourceLocation
from reconciler.core.plan import Plan, PlanSummary, Unmanaged
from reconciler.core.plan_document import Attributes
from reconciler.core.plan_serialization import digest
from reconciler.core.secret import Locator, SecretReference
from reconciler.reports import PLAN_FORMATS
from reconciler.storage.documents import parse_drift_report, parse_plan
from tests.core.documents import drift_data, plan_data
from tests.core.forging import forgeries, is_harmless
from tests.reports.samples import CREATE, DELETE, ERROR, RESUMED, UPDATE
from tests.support.values import SCOPE, WHEN, declared, desired, live, live_connection, plan, whole

if TYPE_CHECKING:
    from collections.abc import Callable

SAVED = Path(__file__).parent / "saved"

PLAN = Plan(
    scope=SCOPE,
    created_at=WHEN,
    changes=(CREATE, UPDATE, DELETE),
    diagnostics=(
        ERROR,
        Diagnostic(
            Severity.WARNING, "stays-pending", "look", location=SourceLocation("a.yaml", line=2, column=3)
        ),
    ),
    blocks=(ERROR,),
    summary=PlanSummary(add=1, change=1, destroy=1),
    commit="0a1b",
    secrets_compared=False,
)


def document(of: Plan = PLAN) -> dict[str, Any]:
    return plan_data(of)


def sealed(changed: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose digest is right, as only a program would write it."""
    rest = {key: value for key, value in changed.items() if key != "digest"}
    return rest | {"digest": digest(rest)}


def test_what_was_written_is_read() -> None:
    assert parse_plan(document()) == PLAN


def test_a_resumed_create_is_read() -> None:
    of = Plan(scope=SCOPE, created_at=WHEN, changes=(RESUMED,), summary=PlanSummary(add=1))
    assert parse_plan(document(of)) == of


def test_a_reference_with_text_around_it_is_read() -> None:
    mixed = SecretReference("a${env:B}c", ("a", Locator("env", "B"), "c"))
    of = whole(plan(desired(declared(client_secret=mixed, client_id="x")), live()))
    assert parse_plan(document(of)) == of


def test_values_declared_empty_are_read_as_empty_not_as_undeclared() -> None:
    empty = declared(custom_scopes=(), attribute_mapping={}, client_id="x")
    of = whole(plan(desired(empty), live(live_connection(1, display_name="okta"))))
    assert parse_plan(document(of)) == of


@pytest.mark.parametrize("foreign", [{}, [], None, "text", 3, {"format_version": None}])
def test_what_is_no_plan_is_refused(foreign: Any) -> None:
    with pytest.raises(PlanRefused):
        parse_plan(foreign)


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "1", 1])
def test_other_versions_are_refused(version: Any) -> None:
    if version == "1":  # a minor version is no other version
        assert parse_plan(sealed(document() | {"format_version": version})) == PLAN
        return
    with pytest.raises(PlanRefused, match="format_version"):
        parse_plan(document() | {"format_version": version})


def edit_issuer(plan_document: dict[str, Any]) -> None:
    plan_document["resource_changes"][0]["change"]["after"]["issuer"] = "https://evil.example"


def drop_change(plan_document: dict[str, Any]) -> None:
    del plan_document["resource_changes"][1]


def redirect(plan_document: dict[str, Any]) -> None:
    plan_document["target"]["base_url"] = "https://api.stytch.com"


def unblock(plan_document: dict[str, Any]) -> None:
    plan_document["blocks"] = []


def unseal(plan_document: dict[str, Any]) -> None:
    del plan_document["digest"]


@pytest.mark.parametrize("edit", [edit_issuer, drop_change, redirect, unblock, unseal])
def test_a_plan_that_was_changed_is_refused(edit: Callable[[dict[str, Any]], None]) -> None:
    changed = document()
    edit(changed)
    with pytest.raises(PlanRefused, match="changed after it was written"):
        parse_plan(changed)


@pytest.mark.parametrize("key", sorted({*document()} - {"digest", "format_version"}))
def test_a_plan_that_lacks_something_is_refused(key: str) -> None:
    lacking = document()
    del lacking[key]
    with pytest.raises(PlanRefused, match=f"not valid: {key} is missing: plan again"):
        parse_plan(sealed(lacking))


def no_actions(change: dict[str, Any]) -> None:
    change["change"]["actions"] = []


def unknown_action(change: dict[str, Any]) -> None:
    change["change"]["actions"] = ["replace"]


def idle_action(change: dict[str, Any]) -> None:
    change["change"]["actions"] = ["no-op"]


def undeclared(change: dict[str, Any]) -> None:
    del change["declared"]


@pytest.mark.parametrize("edit", [no_actions, unknown_action, idle_action, undeclared])
def test_a_change_that_makes_no_sense_is_refused(edit: Callable[[dict[str, Any]], None]) -> None:
    broken = document()
    edit(broken["resource_changes"][0])
    with pytest.raises(PlanRefused, match="not valid"):
        parse_plan(sealed(broken))


def test_a_live_mapping_of_more_than_texts_can_be_saved() -> None:
    state = live(live_connection(1, display_name="okta", attribute_mapping={"a": {"b": [1]}, "n": None}))
    for organization in (
        desired(declared(client_id="x")),
        desired(declared(attribute_mapping={"a": "b"})),
        desired(declared(client_id="x", attribute_mapping={"a": "b"}, ignore=("attribute_mapping",))),
        desired(declared(absent=True)),
    ):
        of = whole(plan(organization, state))
        assert of.has_changes
        assert parse_plan(document(of)) == of


def test_a_mapping_that_is_to_be_sent_holds_texts_only() -> None:
    of = whole(plan(desired(declared(attribute_mapping={"a": "b"})), live()))
    broken = document(of)
    broken["resource_changes"][0]["change"]["after"]["attribute_mapping"] = {"a": 1}
    with pytest.raises(PlanRefused, match="not valid"):
        parse_plan(sealed(broken))


@pytest.mark.parametrize(
    ("name", "number"), [("add", 0), ("change", 2), ("destroy", 0), ("destroy", "1"), ("unmanaged", -1)]
)
def test_counts_that_are_not_those_of_the_changes_are_refused(name: str, number: object) -> None:
    """Deletes are limited by them."""
    forged = document()
    forged["summary"][name] = number
    with pytest.raises(PlanRefused):
        parse_plan(sealed(forged))


def test_whatever_stands_where_every_format_shows_the_plan_or_it_is_refused() -> None:
    unmanaged = (Unmanaged("acme", live_connection(7, display_name="x")),)
    original = document(replace(PLAN, unmanaged=unmanaged, risks=PLAN.blocks))
    accepted = 0
    for forged in forgeries(original):
        try:
            plan = parse_plan(sealed(forged))
        except PlanRefused:
            continue
        for format_, render in PLAN_FORMATS.items():
            is_harmless(render(plan), format_)
        accepted += 1
    assert accepted, "what is for people only may be any text"


@pytest.mark.parametrize("key", ["applyable", "secrets_compared"])
@pytest.mark.parametrize("value", [1, "true", None])
def test_a_flag_is_true_or_false_and_nothing_like_it(key: str, value: object) -> None:
    with pytest.raises(PlanRefused, match=f"not valid: {key} should be a valid boolean"):
        parse_plan(sealed(document() | {key: value}))


def test_what_is_wrong_is_said_without_the_value() -> None:
    broken = document()
    broken["resource_changes"][0]["organization_id"] = ["canary"]
    with pytest.raises(PlanRefused) as refusal:
        parse_plan(sealed(broken))
    assert str(refusal.value) == (
        "the plan file is not valid: resource_changes.0.organization_id should be a valid string: plan again"
    )


def keeps(written: Any, saved: Any) -> bool:
    """Whether ``written`` holds everything that ``saved`` does; mappings may have more keys."""
    if isinstance(saved, dict):
        return all(key in written and keeps(written[key], value) for key, value in saved.items())
    if isinstance(saved, list):
        return len(written) == len(saved) and all(map(keeps, written, saved))
    return bool(written == saved)


def test_a_plan_that_an_earlier_release_saved_is_read_and_keeps_what_it_says() -> None:
    """It has a create, one that resumes, updates, a delete, risks, findings, a shard; and no secret.

    Written again, it has the keys of today's format besides.
    """
    saved = json.loads((SAVED / "plan-1.0.json").read_text(encoding="utf-8"))
    plan = parse_plan(saved)
    assert {type(change).__name__ for change in plan.changes} == {"Create", "Update", "Delete"}
    assert plan.shard
    assert plan.risks
    written = plan_data(plan, saved["reconciler_version"])
    own = {name: written[name] for name in ("format_version", "digest")}
    assert keeps(written, saved | own)


def test_a_drift_report_that_an_earlier_release_saved_is_read_and_keeps_what_it_says() -> None:
    """Written again, each finding has its command besides, as far as one accepts it."""
    saved = json.loads((SAVED / "drift-1.0.json").read_text(encoding="utf-8"))
    report = parse_drift_report(saved)
    assert report.has_drift
    written = json.loads(json.dumps(drift_data(report, saved["reconciler_version"])))
    commands = [finding.pop("accept", None) for finding in written["findings"]]
    assert json.dumps(written) == json.dumps(saved)
    assert set(commands) == {
        None,
        "reconciler import --update acme/sso",
        "reconciler import --update umbrella/sso",
    }


def test_the_documents_have_every_attribute_of_a_connection() -> None:
    assert get_args(WritableField) == WRITABLE_FIELDS
    assert {part.name for part in fields(Attributes)} == {*FIELDS}
    assert [part.name for part in fields(ConnectionDocument)] == [
        name for name in FIELDS if name not in SENSITIVE_FIELDS
    ]
