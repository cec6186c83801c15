"""Pins as a versioned JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.plan_document import diagnostic_document

if TYPE_CHECKING:
    from reconciler.core.pin_document import MissingPin, Pinned
    from reconciler.core.plan_document import Document

FORMAT_VERSION: Final = "1.0"


def pinned_json(pinned: Pinned, *, color: bool = False) -> str:
    """Return the document as ASCII text: no byte of it can mean anything to a terminal."""
    del color  # JSON has none; every format takes the same arguments
    document: Document = {
        "format_version": FORMAT_VERSION,
        "complete": not pinned.has_errors,
        "errored": pinned.has_errors,
        "check": pinned.is_check,
        "settled": pinned.is_settled,
        "summary": {"connections": pinned.connections, "organizations": pinned.organizations},
        "pins": [_pin(one) for one in pinned.pins],
        "not_live": list(pinned.not_live),
        "diagnostics": [diagnostic_document(found) for found in pinned.diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _pin(one: MissingPin) -> Document:
    return {
        "address": one.address,
        "kind": "organization" if one.is_organization else "connection",
        "id": one.id,
        "filename": one.location.path,
        "line": one.location.line,
        "column": one.location.column,
    }
