"""The JSON Schema of the drift report, derived from the types that the document is made of."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.drift import DriftKind, DriftSummary, FindingStatus
from reconciler.core.drift_document import FORMAT_VERSION, REPORT
from reconciler.core.plan import Scope
from reconciler.reports.plan_schema import only_failures_lack_a_target, plan_schema

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_VALUE: Final[Schema] = {"type": ["string", "array", "object", "null"]}
_SHARED: Final = ("connection", "unmanaged", "diagnostic", "position")
"""What a drift report has in common with a plan, under the names of the plan's definitions."""


def drift_schema() -> str:
    """Return the schema as deterministic text."""
    return json.dumps(_document(), indent=2, ensure_ascii=True) + "\n"


def _document() -> Schema:
    shared = json.loads(plan_schema())["$defs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reconciler drift report",
        "description": (
            "What `drift --format json` prints and `--previous` reads. New keys may come with a new minor "
            "format_version; a new major one breaks readers. It never contains a secret."
        ),
        **_object(_top_level()),
        **only_failures_lack_a_target(),
        "$defs": {
            "finding": _object(_finding(), optional={"source": _source()}),
            **{name: shared[name] for name in _SHARED},
        },
    }


def _top_level() -> dict[str, Schema]:
    major = FORMAT_VERSION.split(".")[0]
    findings = {"type": "array", "items": {"$ref": "#/$defs/finding"}}
    return {
        "format_version": _TEXT | {"pattern": rf"^{major}\.[0-9]+$"},
        "reconciler_version": _TEXT,
        "report": {"const": REPORT},
        "timestamp": _TEXT | {"description": "when live was read, RFC 3339 in UTC"},
        "previous_timestamp": _TEXT | {"description": "the earlier report's, empty if there was none"},
        "commit": _TEXT | {"description": "Git revision of the manifests, empty if not known"},
        "target": _object({field.name: _TEXT for field in fields(Scope)})
        | {"type": ["object", "null"], "description": "null only if the run failed before it could look"},
        "drifted": _FLAG | {"description": "there are findings"},
        "complete": _FLAG | {"description": "every organization could be looked at"},
        "errored": _FLAG | {"description": "the report leaves something out"},
        "secrets_compared": _FLAG,
        "summary": _object({field.name: _COUNT for field in fields(DriftSummary)}),
        "findings": findings,
        "resolved": findings,
        "unchecked": findings | {"description": "of the earlier report; this run cannot speak of them"},
        "unmanaged": {"type": "array", "items": {"$ref": "#/$defs/unmanaged"}},
        "diagnostics": {"type": "array", "items": {"$ref": "#/$defs/diagnostic"}},
    }


def _finding() -> dict[str, Schema]:
    return {
        "fingerprint": _TEXT
        | {"pattern": "^sha256:[0-9a-f]{64}$", "description": "the same in every report"},
        "address": _TEXT | {"description": "organization/connection"},
        "organization": _TEXT,
        "organization_id": _TEXT,
        "name": _TEXT,
        "connection_id": {"type": ["string", "null"]},
        "kind": {"enum": [one.value for one in DriftKind]},
        "attribute": {"enum": [*WRITABLE_FIELDS, None], "description": "null unless something changed"},
        "declared": _VALUE,
        "live": _VALUE,
        "sensitive": _FLAG | {"description": "there is a value, but not here"},
        "standing": {"enum": [one.value for one in FindingStatus]},
        "first_seen": _TEXT,
    }


def _source() -> Schema:
    place = {"type": "integer", "minimum": 1}
    return _object({"filename": _TEXT, "line": place, "column": place})


def _object(required: dict[str, Schema], *, optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}
