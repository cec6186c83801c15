"""Saved plans: the JSON plan document in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import PlanRefused
from reconciler.core.plan_parsing import from_document

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.plan import Plan

MOST_BYTES: Final = 256 * 1024 * 1024
"""A larger file is no plan of ours."""


def load_plan(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        PlanRefused: it cannot be read, is no plan, of another version, or was changed.
    """
    try:
        return from_document(json.loads(_read(path)))
    except RecursionError as error:
        raise PlanRefused(f"{path}: this is no plan file: it is nested too deeply") from error
    except ValueError as error:
        raise PlanRefused(f"{path}: this is no plan file: it is not JSON") from error
    except PlanRefused as error:
        raise PlanRefused(f"{path}: {error}") from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PlanRefused("this is no plan file: it is too large")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanRefused(f"cannot be read: {error.strerror or error}") from error
