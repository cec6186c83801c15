"""Saved plans: the JSON plan document in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import PlanRefused
from reconciler.core.plan_parsing import from_document
from reconciler.storage.documents import UnreadableDocument, read_document

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.plan import Plan


def load_plan(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        PlanRefused: it cannot be read, is no plan, of another version, or was changed.
    """
    try:
        return from_document(read_document(path, "plan file"))
    except RecursionError as error:
        raise PlanRefused(f"{path}: this is no plan file: it is nested too deeply") from error
    except (UnreadableDocument, PlanRefused) as error:
        raise PlanRefused(f"{path}: {error}") from error
