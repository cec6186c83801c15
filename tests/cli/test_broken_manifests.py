"""Every broken manifest is told of by `validate` at its place, and ends every other command as early."""

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
def test_validate_tells_what_is_wrong_and_where(bare: Workplace, folder: Path) -> None:
    shutil.copytree(folder, bare.root, dirs_exist_ok=True)
    expected = json.loads((folder / "expected.json").read_text())
    is_error = any(one["severity"] == "error" for one in expected)
    told = bare.run("validate")
    assert told.code == (1 if is_error else 0)
    assert "Traceback" not in told.said
    for one in expected:
        assert f"[{one['code']}]" in told.out
        assert one.get("place", "") in told.out
    document = bare.run("validate", "--format", "json").document
    assert document["valid"] is not is_error
    assert [one["code"] for one in document["diagnostics"]] == [one["code"] for one in expected]


def test_there_are_a_hundred_of_them() -> None:
    assert len(BROKEN) >= 100


@pytest.mark.parametrize("folder", BROKEN[::10], ids=lambda folder: folder.name)
def test_nothing_else_goes_on_with_it(place: Workplace, folder: Path) -> None:
    shutil.rmtree(place.root / "organizations")
    shutil.copytree(folder, place.root, dirs_exist_ok=True)
    expected = json.loads((folder / "expected.json").read_text())
    if not any(one["severity"] == "error" for one in expected):
        return
    for words in (("plan",), ("apply", "--auto-approve")):
        ended = place.run(*words, "--format", "json")
        assert ended.code == 1
        assert {one["code"] for one in ended.document["diagnostics"]} & {one["code"] for one in expected}
    assert not place.emulator.request_log.writes
