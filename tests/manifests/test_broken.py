"""Every folder in ``broken`` is a kind of mistake; ``expected.json`` holds its findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import load_manifests, load_project

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic

CASES = sorted(path for path in (Path(__file__).parent / "broken").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_findings_are_as_expected(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    assert [_readable(found) for found in findings_of(case)] == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_a_finding(case: Path) -> None:
    assert json.loads((case / "expected.json").read_text()), "a case without a finding proves nothing"


def test_the_cases_cover_many_codes() -> None:
    seen = {found.code for case in CASES for found in findings_of(case)}
    assert len(CASES) >= 100
    assert len(seen) >= 40


def findings_of(case: Path) -> tuple[Diagnostic, ...]:
    try:
        project = load_project(None, case)
    except InvalidConfiguration as error:
        return error.diagnostics
    return load_manifests([], project, {}).diagnostics


def _readable(found: Diagnostic) -> dict[str, Any]:
    snippet = found.snippet
    fields = {
        "severity": found.severity.value,
        "code": found.code,
        "place": str(found.location) if found.location else "",
        "summary": found.summary,
        "detail": found.detail,
        "hint": found.hint,
        "address": found.address,
        "snippet": [snippet.text, " " * snippet.start + "^" * (snippet.end - snippet.start)]
        if snippet
        else [],
    }
    return {key: value for key, value in fields.items() if value}
