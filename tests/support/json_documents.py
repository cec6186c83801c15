"""Checks JSON documents against the schemas that the command prints, and accepts no other keys."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from reconciler.reports.json_schemas import DOCUMENTS, document_schema

_READ_BY = {"show": "plan", "secrets": "secrets-check"}
"""The documents of commands that are called otherwise."""


def check_document(verb: str, document: Any) -> None:
    """Raise unless a document is what its command writes, or a failure without a document of its own."""
    name = _READ_BY.get(verb, verb)
    is_failure = "error_count" in document and not (name in DOCUMENTS and DOCUMENTS[name].has_failures)
    validator("failure" if is_failure else name).validate(document)


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what checks a document of this name, without keys that its schema does not know."""
    schema = json.loads(document_schema(name))
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
    return Draft202012Validator(schema)
