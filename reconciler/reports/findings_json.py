"""What a validation found, as JSON in the shape of Terraform's ``validate -json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.plan_document import diagnostic_document

if TYPE_CHECKING:
    from reconciler.reports.validated import Validated

FORMAT_VERSION: Final = "1.0"


def validation_json(validated: Validated, *, color: bool = False) -> str:
    """Return the document as ASCII text: no byte of it can mean anything to a terminal."""
    del color  # JSON has none; every format takes the same arguments
    document = {
        "format_version": FORMAT_VERSION,
        "valid": validated.is_valid,
        "error_count": validated.error_count,
        "warning_count": validated.warning_count,
        "files": validated.files,
        "organizations": validated.organizations,
        "connections": validated.connections,
        "diagnostics": [diagnostic_document(found) for found in validated.diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
