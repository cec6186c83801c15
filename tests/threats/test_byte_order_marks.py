"""Documents that an editor has saved again with a byte order mark are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

MARKED = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16"}


@pytest.mark.parametrize("encoding", MARKED.values(), ids=MARKED.keys())
def test_a_saved_plan_with_a_byte_order_mark_is_read(connected: Workplace, encoding: str) -> None:
    """Case 25: the plan is the same; only an editor has saved it again."""
    assert connected.run("plan", "--out", "p.json").code == 0
    save_again(connected, "p.json", encoding)
    assert connected.run("show", "p.json").code == 0
    run = connected.run("apply", "p.json")
    assert run.code == 0, run.output
    assert len(connected.live("acme")) == 1


@pytest.mark.parametrize("encoding", MARKED.values(), ids=MARKED.keys())
def test_a_drift_report_with_a_byte_order_mark_is_read(connected: Workplace, encoding: str) -> None:
    """Case 25: so is a report that the next one is compared with."""
    connected.run("drift", "--output", "json=d.json")
    save_again(connected, "d.json", encoding)
    run = connected.run("drift", "--previous", "d.json")
    assert run.code == 2, run.output


def test_a_document_in_another_encoding_says_so(connected: Workplace) -> None:
    """Case 25, the other side: bytes that are no text are named as such."""
    (connected.root / "p.json").write_bytes(b"{\xff}")
    run = connected.run("show", "p.json")
    assert run.code == 1
    assert "UTF-8" in run.output


def save_again(place: Workplace, name: str, encoding: str) -> None:
    path = place.root / name
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
