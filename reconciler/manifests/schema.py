"""JSON Schema of the files people write, derived from what validates them."""

from __future__ import annotations

import json
from typing import Final

from reconciler.manifests.definition import OrganizationManifest
from reconciler.manifests.objections import adapter
from reconciler.manifests.project_definition import ProjectManifest

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SCHEMAS: Final[dict[str, tuple[str, type]]] = {
    "organization": ("Organization manifest", OrganizationManifest),
    "project": ("Project file", ProjectManifest),
}

SCHEMA_NAMES: Final = tuple(_SCHEMAS)


def schema_text(name: str) -> str:
    """Return the JSON Schema called ``name``, one of `SCHEMA_NAMES`; the same text every time."""
    title, definition = _SCHEMAS[name]
    schema = {"$schema": _DIALECT, **adapter(definition).json_schema(), "title": title}
    _close(schema)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _close(schema: object) -> None:
    """Admit no other keys where keys have a pattern: pydantic leaves these mappings open."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for below in schema.values():
            _close(below)
    elif isinstance(schema, list):
        for below in schema:
            _close(below)
