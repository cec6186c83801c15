"""`validate` reports every broken manifest at its place; `plan` and `apply` stop before any write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

BROKEN = sorted((Path(__file__).parents[1] / "manifests" / "broken").iterdir())


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_validate_reports_errors_and_places(bare: Workplace, folder: Path) -> None:
    shutil.copytree(folder, bare.root, dirs_exist_ok=True)
    expected = json.loads((folder / "expected.json").read_text())
    is_error = any(diagnostic["severity"] == "error" for diagnostic in expected)
    validated = bare.run("validate")
    assert validated.code == (1 if is_error else 0)
    assert "Traceback" not in validated.output
    for diagnostic in expected:
        assert f"[{diagnostic['code']}]" in validated.out
        assert diagnostic.get("place", "") in validated.out
    document = bare.run("validate", "--format", "json").document
    assert document["valid"] is not is_error
    assert [diagnostic["code"] for diagnostic in document["diagnostics"]] == [
        diagnostic["code"] for diagnostic in expected
    ]


def test_there_are_at_least_a_hundred_cases() -> None:
    assert len(BROKEN) >= 100


@pytest.mark.parametrize("folder", BROKEN[::10], ids=lambda folder: folder.name)
def test_plan_and_apply_stop_at_it(place: Workplace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "file:key.txt")
    shutil.rmtree(place.root / "organizations")
    shutil.copytree(folder, place.root, dirs_exist_ok=True)
    expected = json.loads((folder / "expected.json").read_text())
    if not any(diagnostic["severity"] == "error" for diagnostic in expected):
        return
    for words in (("plan",), ("apply", "--auto-approve")):
        run = place.run(*words, "--format", "json")
        assert run.code == 1
        assert set(run.codes) & {diagnostic["code"] for diagnostic in expected}
    assert not place.emulator.request_log.writes
