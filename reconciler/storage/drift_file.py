"""Earlier drift reports: the JSON document of ``drift`` in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.drift_document import from_document
from reconciler.core.errors import ReportRefused

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.drift import DriftReport

MOST_BYTES: Final = 256 * 1024 * 1024
"""A larger file is no report of ours."""


def load_drift_report(path: Path) -> DriftReport:
    """Read a report that an earlier run wrote.

    Raises:
        ReportRefused: it cannot be read, is no drift report, or of another version.
    """
    try:
        return from_document(json.loads(_read(path)))
    except RecursionError as error:
        raise ReportRefused(f"{path}: this is no drift report: it is nested too deeply") from error
    except ValueError as error:
        raise ReportRefused(f"{path}: this is no drift report: it is not JSON") from error
    except ReportRefused as error:
        raise ReportRefused(f"{path}: {error}") from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ReportRefused("this is no drift report: it is too large")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReportRefused(f"cannot be read: {error.strerror or error}") from error
