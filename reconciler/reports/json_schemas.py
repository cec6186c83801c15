"""JSON Schemas of the documents that programs read, generated from their definitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from reconciler.core.drift_document import DriftDocument
from reconciler.core.plan_document import PlanDocument

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_COMPATIBILITY = (
    "New keys may come with a new minor format_version; a new major one breaks readers. "
    "It never contains a secret."
)


def plan_schema() -> str:
    """Return the JSON Schema of a plan."""
    reads = "What `plan --format json` prints and `plan --out` saves."
    return _schema_text(PlanDocument, "reconciler plan", reads)


def drift_schema() -> str:
    """Return the JSON Schema of a drift report."""
    reads = "What `drift --format json` prints and `--previous` reads."
    return _schema_text(DriftDocument, "reconciler drift report", reads)


class _DocumentSchema(GenerateJsonSchema):
    """Leaves out titles, and null where it only means that the key is left out."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        value = schema["schema"]
        if value["type"] == "nullable" and schema.get("default", value) is None:
            value = value["schema"]
        return self.generate_inner(value)


def _schema_text(definition: type, title: str, reads: str) -> str:
    schema = TypeAdapter(definition).json_schema(schema_generator=_DocumentSchema)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": title,
        "description": f"{reads} {_COMPATIBILITY}",
        **_only_failures_lack_a_target(),
    }
    for part in document["$defs"].values():
        del part["title"]
        if "enum" in part:
            del part["description"]  # the docstring of a class that is not about documents
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _only_failures_lack_a_target() -> dict[str, Any]:
    return {
        "if": {"properties": {"target": {"type": "null"}}},
        "then": {"properties": {"errored": {"const": True}, "complete": {"const": False}}},
    }
