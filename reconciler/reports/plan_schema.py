"""The JSON Schema of the plan document, derived from the types that the document is made of."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from reconciler.core.change import RESOURCE_TYPE, Action, ActionReason
from reconciler.core.connection import (
    COMPUTED_FIELDS,
    FIELDS,
    INFERRED_FIELDS,
    SENSITIVE_FIELDS,
    WRITABLE_FIELDS,
)
from reconciler.core.errors import Severity
from reconciler.core.plan import Environment, PlanSummary, Scope
from reconciler.core.plan_document import FORMAT_VERSION

Schema = dict[str, Any]

_MAJOR: Final = FORMAT_VERSION.split(".")[0]
_TEXT: Final[Schema] = {"type": "string"}
_YES: Final[Schema] = {"const": True}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SPECIAL: Final[dict[str, Schema]] = {
    "custom_scopes": {"type": "array", "items": _TEXT, "uniqueItems": True},
    "attribute_mapping": {"type": "object", "description": "attribute name to claim name"},
    "client_secret": {"type": "null", "description": "a secret's value is never in a plan"},
}


def plan_schema() -> str:
    """Return the schema as deterministic text."""
    return json.dumps(_document(), indent=2, ensure_ascii=True) + "\n"


def only_failures_lack_a_target() -> Schema:
    """Return the condition under which ``target`` may be null."""
    return {
        "if": {"properties": {"target": {"type": "null"}}},
        "then": {"properties": {"errored": _YES, "complete": {"const": False}}},
    }


def _document() -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reconciler plan",
        "description": (
            "What `plan --format json` prints and `plan --out` saves. New keys may come with a new minor "
            "format_version; a new major one breaks readers. It never contains a secret."
        ),
        **_object(_top_level(), optional={"shard": _shard()}),
        **only_failures_lack_a_target(),
        "$defs": {
            "attributes": _attributes(FIELDS),
            "connection": _attributes(tuple(name for name in FIELDS if name not in SENSITIVE_FIELDS)),
            "change": _object(_change()),
            "resource_change": _object(_resource_change(), optional=_resource_change_extras()),
            "planned_resource": _object(_planned_resource()),
            "secret_reference": _object({"text": _TEXT, "parts": _list(_reference_part())}),
            "unmanaged": _object({"organization": _TEXT, "connection": _ref("connection")}),
            "diagnostic": _object(_diagnostic(), optional=_diagnostic_extras()),
            "position": _object({"line": _from_one(), "column": _from_one(), "byte": _COUNT}),
        },
    }


def _top_level() -> dict[str, Schema]:
    return {
        "format_version": {"type": "string", "pattern": rf"^{_MAJOR}\.[0-9]+$"},
        "terraform_version": _described("release of Terraform whose plans have this shape; nothing runs it"),
        "reconciler_version": _described("version of the program that wrote the plan"),
        "timestamp": _described("when the plan was made, RFC 3339 in UTC"),
        "commit": _described("Git revision of the manifests, empty if not known"),
        "target": _object(
            {field.name: _TEXT for field in fields(Scope)} | {"environment": _one_of(Environment)}
        )
        | {"type": ["object", "null"], "description": "null only if the run failed before there was a plan"},
        "applyable": _flag("there are changes and nothing blocks them"),
        "complete": _flag("every organization could be planned"),
        "errored": _flag("an organization is refused, or the whole plan is blocked"),
        "secrets_compared": _flag("live secrets were compared with those that the references lead to"),
        "summary": _object({field.name: _COUNT for field in fields(PlanSummary)}),
        "resource_changes": _list(_ref("resource_change")),
        "planned_values": _object({"root_module": _object({"resources": _list(_ref("planned_resource"))})}),
        "unmanaged": _list(_ref("unmanaged")),
        "diagnostics": _list(_ref("diagnostic")),
        "blocks": _list(_ref("diagnostic")),
        "risks": _list(_ref("diagnostic")),
        "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    }


def _shard() -> Schema:
    """Return what a plan of a part of the organizations says of that part."""
    positions = {"type": "object", "additionalProperties": _COUNT}
    counts = {"index": _from_one(), "count": _from_one(), "remarks": _COUNT}
    return _object(counts | {"positions": positions})


def _resource_change() -> dict[str, Schema]:
    return {
        "address": _described("organization/connection"),
        "mode": {"const": "managed"},
        "type": {"const": RESOURCE_TYPE},
        "name": _TEXT,
        "provider_name": {"const": "stytch"},
        "organization": _described("the organization as its manifest names it"),
        "organization_id": _described("the organization's real id"),
        "change": _ref("change"),
    }


def _planned_resource() -> dict[str, Schema]:
    """Return the part of a change that says what there will be."""
    named = ("address", "mode", "type", "name", "provider_name")
    change = _resource_change()
    values = {"values": _ref("attributes"), "sensitive_values": _change()["after_sensitive"]}
    return {name: change[name] for name in named} | values


def _resource_change_extras() -> dict[str, Schema]:
    return {
        "action_reason": _one_of(ActionReason),
        "source": _object({"filename": _TEXT, "line": _from_one(), "column": _from_one()}),
        "declared": _list({"enum": list(WRITABLE_FIELDS)}),
        "changed": _list({"enum": list(WRITABLE_FIELDS)}),
        "uncomparable": _list({"enum": sorted(SENSITIVE_FIELDS)}),
        "secret_reference": _ref("secret_reference"),
        "resumes": _ref("connection"),
        "namesakes": _list(_TEXT),
    }


def _change() -> dict[str, Schema]:
    unknown = (*INFERRED_FIELDS, *COMPUTED_FIELDS)
    sensitive = {"oneOf": [{"const": False}, _some_of(dict.fromkeys(sorted(SENSITIVE_FIELDS), _YES))]}
    attributes = {"oneOf": [{"type": "null"}, _ref("attributes")]}
    return {
        "actions": _list({"enum": [one.value for one in Action if one is not Action.NO_OP]})
        | {"minItems": 1, "maxItems": 1},
        "before": attributes,
        "after": attributes,
        "after_unknown": _some_of(dict.fromkeys(unknown, _YES)),
        "before_sensitive": sensitive,
        "after_sensitive": sensitive,
    }


def _reference_part() -> Schema:
    return {"oneOf": [_object({"scheme": _TEXT, "path": _TEXT}), _object({"literal": _TEXT})]}


def _diagnostic() -> dict[str, Schema]:
    return {"severity": _one_of(Severity), "code": _TEXT, "summary": _TEXT, "detail": _TEXT}


def _diagnostic_extras() -> dict[str, Schema]:
    position = _ref("position")
    snippet = {
        "context": {"type": "null"},
        "code": _TEXT,
        "start_line": _from_one(),
        "highlight_start_offset": _COUNT,
        "highlight_end_offset": _COUNT,
        "values": {"type": "array", "maxItems": 0},
    }
    return {
        "hint": _TEXT,
        "address": _TEXT,
        "range": _object({"filename": _TEXT, "start": position, "end": position}),
        "snippet": _object(snippet),
    }


def _attributes(names: tuple[str, ...]) -> Schema:
    return _some_of({name: _SPECIAL.get(name, _TEXT) for name in names})


def _object(required: dict[str, Schema], *, optional: dict[str, Schema] | None = None) -> Schema:
    """Return an object that may get more keys in a later version, but has at least these."""
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}


def _some_of(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _one_of(kind: type[Action | ActionReason | Environment | Severity]) -> Schema:
    return {"enum": [one.value for one in kind]}


def _described(words: str) -> Schema:
    return {"type": "string", "description": words}


def _flag(words: str) -> Schema:
    return {"type": "boolean", "description": words}


def _from_one() -> Schema:
    return {"type": "integer", "minimum": 1}
