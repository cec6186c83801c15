"""Earlier drift reports: the JSON document of ``drift`` in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.drift_document import from_document
from reconciler.core.errors import ReportRefused
from reconciler.storage.documents import UnreadableDocument, read_document

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.drift import DriftReport


def load_drift_report(path: Path) -> DriftReport:
    """Read a report that an earlier run wrote.

    Raises:
        ReportRefused: it cannot be read, is no drift report, or of another version.
    """
    try:
        return from_document(read_document(path, "drift report"))
    except (UnreadableDocument, ReportRefused) as error:
        raise ReportRefused(f"{path}: {error}") from error
