"""Every JSON document has a schema, which is published, and describes each field in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from reconciler.reports.json_schemas import DOCUMENTS, document_schema
from tests.support.json_documents import check_document

SCHEMAS = Path(__file__).parents[2] / "schemas"
every_document = pytest.mark.parametrize("name", DOCUMENTS)


def parts(name: str) -> list[dict[str, Any]]:
    schema = json.loads(document_schema(name))
    return [schema, *schema.get("$defs", {}).values()]


@every_document
def test_the_published_schema_is_fresh(name: str) -> None:
    published = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert published == document_schema(name)
    Draft202012Validator.check_schema(json.loads(published))


def test_no_other_schema_is_published() -> None:
    manifests = {"organization", "project", "approvals"}
    assert {path.name.partition(".")[0] for path in SCHEMAS.iterdir()} == {*DOCUMENTS, *manifests}


@every_document
def test_every_field_is_described(name: str) -> None:
    undescribed = [
        key
        for part in parts(name)
        for key, value in part.get("properties", {}).items()
        if not value.get("description")
    ]
    assert not undescribed


@every_document
def test_a_schema_has_a_title_and_says_which_command_prints_the_document(name: str) -> None:
    schema = json.loads(document_schema(name))
    assert schema["title"].startswith("reconciler ")
    assert ("`publish webhook`" if name == "webhook" else "--format json") in schema["description"]


@pytest.mark.parametrize(
    ("verb", "document"),
    [
        ("explain", {"format_version": "1.0", "code": "x", "title": "x", "why": "x"}),
        ("explain", {"format_version": "1.0", "code": "x", "title": "x", "why": "x", "fix": "x", "more": 1}),
        ("output", {"format_version": "1.0", "address": "acme/okta", "client_secret": "hunter2"}),
        ("output", {"format_version": "2.0", "address": "acme/okta"}),
    ],
)
def test_what_is_no_document_is_refused(verb: str, document: dict[str, object]) -> None:
    """The check that the tests of the commands rest on refuses missing, unknown and secret keys."""
    with pytest.raises(ValidationError):
        check_document(verb, document)
