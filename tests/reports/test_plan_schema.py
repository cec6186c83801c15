"""The published schema is the code's, and refuses what is no plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, ValidationError

from reconciler.reports.json_documents import plan_json
from reconciler.reports.json_schemas import document_schema
from tests.core.estates import Estate, estates
from tests.reports.samples import UPDATE
from tests.support.values import choices, plan, whole

PUBLISHED = Path(__file__).parents[2] / "schemas" / "plan.schema.json"
SCHEMA = json.loads(document_schema("plan"))


def document() -> Any:
    empty = whole()
    return json.loads(
        plan_json(type(empty)(scope=empty.scope, created_at=empty.created_at, changes=(UPDATE,)))
    )


def test_the_published_schema_is_fresh() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == document_schema("plan")


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_a_plan_is_valid() -> None:
    Draft202012Validator(SCHEMA).validate(document())


@given(estates())
def test_whatever_is_planned_the_document_is_valid(estate: Estate) -> None:
    planned = whole(plan(estate.desired, estate.live, choices(estate.secrets)))
    Draft202012Validator(SCHEMA).validate(json.loads(plan_json(planned)))


@pytest.mark.parametrize("key", sorted(document()))
def test_no_key_may_be_missing(key: str) -> None:
    broken = document()
    del broken[key]
    with pytest.raises(ValidationError, match=key):
        Draft202012Validator(SCHEMA).validate(broken)


def test_a_secret_in_a_plan_is_invalid() -> None:
    broken = document()
    broken["resource_changes"][0]["change"]["after"]["client_secret"] = "s3cret"
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(broken)


def test_another_major_version_is_invalid() -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(document() | {"format_version": "2.0"})
