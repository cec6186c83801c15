"""Finds invisible characters that only an escape in double quotes can have put into a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests.text import UNSAFE

if TYPE_CHECKING:
    from reconciler.manifests.events import Path, Value
    from reconciler.manifests.findings import DocumentFindings


def check_escapes(value: Value, path: Path, report: DocumentFindings) -> None:
    """Report every text below ``value`` that holds what cannot be seen."""
    if isinstance(value, str):
        _check(value, path, report, is_key=False)
    elif isinstance(value, dict):
        for key, below in value.items():
            _check(key, (*path, key), report, is_key=True)
            check_escapes(below, (*path, key), report)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            check_escapes(below, (*path, index), report)


def _check(text: str, path: Path, report: DocumentFindings, *, is_key: bool) -> None:
    found = UNSAFE.search(text)
    if found:
        from reconciler.manifests.flaws import name_character

        report.add(
            "unsafe-character",
            path,
            f"there is an invisible character here: {name_character(found[0])}",
            hint="remove the escape; it can hide what a line says",
            at="key" if is_key else "value",
        )
