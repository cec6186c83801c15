"""The JSON document of a run that ended before there was a plan or a result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.plan_document import FORMAT_VERSION, diagnostic_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan_document import Document


def failure_json(diagnostics: Sequence[Diagnostic], *, interrupted: bool = False) -> str:
    """Return a document that every reader of our JSON understands: errored, not complete, and why.

    It has the fields that plan, result and validation have in common.
    """
    findings = [diagnostic_document(found) for found in diagnostics]
    document: Document = {
        "format_version": FORMAT_VERSION,
        "reconciler_version": __version__,
        "applyable": False,
        "complete": False,
        "errored": True,
        "interrupted": interrupted,
        "valid": False,
        "error_count": sum(found.is_error for found in diagnostics),
        "warning_count": sum(not found.is_error for found in diagnostics),
        "resource_changes": [],
        "outcomes": [],
        "findings": [],
        "diagnostics": findings,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
