"""An import as a versioned JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.plan_document import diagnostic_document

if TYPE_CHECKING:
    from reconciler.core.import_document import Imported, ImportedFile
    from reconciler.core.plan_document import Document

FORMAT_VERSION: Final = "1.0"


def import_json(imported: Imported, *, color: bool = False) -> str:
    """Return the document as ASCII text: no byte of it can mean anything to a terminal."""
    del color  # JSON has none; every format takes the same arguments
    document: Document = {
        "format_version": FORMAT_VERSION,
        "complete": not imported.failures,
        "errored": bool(imported.failures),
        "summary": {
            "imported": len(imported.created),
            "kept": len(imported.kept),
            "failed": imported.failures,
            "connections": sum(one.connections for one in imported.created),
        },
        "organizations": [_file(one) for one in imported.files],
        "variables": list(imported.variables),
        "variables_file": imported.variables_file,
        "diagnostics": [diagnostic_document(found) for found in imported.diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _file(one: ImportedFile) -> Document:
    return {
        "organization": one.organization,
        "organization_id": one.organization_id,
        "filename": one.path,
        "status": one.status.value,
        "connections": one.connections,
        "remarks": list(one.remarks),
        "suggestion": "".join(f"{line}\n" for line in one.suggestion),
    }
