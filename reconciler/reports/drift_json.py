"""The drift report as one JSON document; written to a file, it is what ``--previous`` reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.drift_document import to_document

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport


def drift_json(report: DriftReport, *, color: bool = False, version: str = __version__) -> str:
    """Return the document as ASCII text: no byte of it can mean anything to a terminal."""
    del color  # JSON has none; every format takes the same arguments
    return json.dumps(to_document(report, version), indent=2, ensure_ascii=True) + "\n"
