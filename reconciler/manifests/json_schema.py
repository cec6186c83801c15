"""The JSON Schemas of manifests and project file, derived from their pydantic models."""

from __future__ import annotations

import json
from typing import Final

from reconciler.manifests.approval_model import ApprovalsManifest
from reconciler.manifests.organization_model import OrganizationManifest
from reconciler.manifests.project_model import ProjectManifest
from reconciler.manifests.validation import adapter

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_MODELS: Final[dict[str, tuple[str, type]]] = {
    "organization": ("Organization manifest", OrganizationManifest),
    "project": ("Project file", ProjectManifest),
    "approvals": ("Approvals", ApprovalsManifest),
}

SCHEMA_NAMES: Final = tuple(_MODELS)


def schema_text(name: str) -> str:
    """Return the JSON Schema called ``name``, one of `SCHEMA_NAMES`; the same text every time."""
    title, model = _MODELS[name]
    schema = {"$schema": _DIALECT, **adapter(model).json_schema(), "title": title}
    _forbid_other_keys(schema)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _forbid_other_keys(schema: object) -> None:
    """Allow no other keys where keys have a pattern: pydantic leaves these mappings open."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for child in schema.values():
            _forbid_other_keys(child)
    elif isinstance(schema, list):
        for child in schema:
            _forbid_other_keys(child)
