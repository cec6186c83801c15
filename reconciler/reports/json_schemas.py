"""JSON Schemas of the documents that programs read, generated from their definitions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from reconciler.core.apply_document import ApplyDocument
from reconciler.core.drift_document import DriftDocument
from reconciler.core.plan_document import PlanDocument
from reconciler.core.verify_document import VerifyDocument
from reconciler.reports import result_documents as results
from reconciler.reports.webhook_document import WebhookDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_COMPATIBILITY: Final = (
    "New keys may come with a new minor format_version; a new major one breaks readers. "
    "It never contains a secret."
)


@dataclass(frozen=True, slots=True)
class _Document:
    """A document: its definition, its title, and which command prints it.

    ``has_failures``: a run of that command which fails before there is a result prints this document too.
    """

    definition: type
    title: str
    printed_by: str
    has_failures: bool = True


DOCUMENTS: Final[Mapping[str, _Document]] = {
    "plan": _Document(
        PlanDocument, "reconciler plan", "What `plan --format json` prints and `plan --out` saves."
    ),
    "drift": _Document(
        DriftDocument, "reconciler drift report", "What `drift --format json` prints and `--previous` reads."
    ),
    "verify": _Document(VerifyDocument, "reconciler verification", "What `verify --format json` prints."),
    "apply": _Document(ApplyDocument, "reconciler apply", "What `apply --format json` prints."),
    "validate": _Document(
        results.ValidationDocument, "reconciler validation", "What `validate --format json` prints."
    ),
    "import": _Document(results.ImportDocument, "reconciler import", "What `import --format json` prints."),
    "pin": _Document(results.PinsDocument, "reconciler pins", "What `pin --format json` prints."),
    "list": _Document(results.ListDocument, "reconciler list", "What `list --format json` prints."),
    "output": _Document(
        results.OutputDocument, "reconciler output", "What `output --format json` prints.", has_failures=False
    ),
    "secrets-check": _Document(
        results.SecretsCheckDocument,
        "reconciler check of secrets",
        "What `secrets check --format json` prints.",
        has_failures=False,
    ),
    "explain": _Document(
        results.ExplanationDocument,
        "reconciler explanation",
        "What `explain --format json` prints.",
        has_failures=False,
    ),
    "webhook": _Document(
        WebhookDocument, "reconciler webhook", "What `publish webhook` sends.", has_failures=False
    ),
    "failure": _Document(
        results.FailureDocument,
        "reconciler failure",
        "What a command without a document of its own prints with `--format json` if it fails, "
        "such as `output`. In other documents, a failed run adds the keys of this one.",
    ),
}
"""The documents by their names in `schema NAME`."""


def document_schema(name: str) -> str:
    """Return the JSON Schema of a document."""
    document = DOCUMENTS[name]
    schema, failure = _schema(document.definition), _schema(results.FailureDocument)
    if document.has_failures:
        schema["properties"] |= {
            name: value for name, value in failure["properties"].items() if name not in schema["properties"]
        }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": document.title,
        "description": f"{document.printed_by} {_COMPATIBILITY}",
    }
    if "target" in schema["properties"]:
        schema["allOf"] = [_only_failures_lack_a_target()]
    if {"complete", "interrupted"} <= schema["properties"].keys():
        schema["allOf"] = [*schema.get("allOf", ()), _only_failures_are_incomplete()]
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"


class _DocumentSchema(GenerateJsonSchema):
    """Leaves out titles, and null where it only means that the key is left out."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        value = schema["schema"]
        if value["type"] == "nullable" and schema.get("default", value) is None:
            value = value["schema"]
        return self.generate_inner(value)


def _schema(definition: type) -> dict[str, Any]:
    schema = TypeAdapter(definition).json_schema(schema_generator=_DocumentSchema)
    for part in schema.get("$defs", {}).values():
        del part["title"]
        if "enum" in part:
            del part["description"]  # the docstring of a class that is not about documents
    return schema


def _only_failures_lack_a_target() -> dict[str, Any]:
    return {
        "if": {"properties": {"target": {"type": "null"}}},
        "then": {"properties": {"errored": {"const": True}, "complete": {"const": False}}},
    }


def _only_failures_are_incomplete() -> dict[str, Any]:
    """Return that what is not complete has an error, or was interrupted."""
    return {
        "if": {"properties": {"complete": {"const": False}}},
        "then": {
            "anyOf": [
                {"properties": {"errored": {"const": True}}},
                {"properties": {"interrupted": {"const": True}}, "required": ["interrupted"]},
            ]
        },
    }
