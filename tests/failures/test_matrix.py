"""Every operation in every circumstance: it is done, or it is said what is not, and the pages show which."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import SWITCHES
from tests.failures.judgement import judge
from tests.failures.switches import answers
from tests.failures.table import PAGES, Page

if TYPE_CHECKING:
    from tests.failures.matrix import Cell

EVERY_NTH = 6
"""Of so many rows one is in the test suite; the pages hold what all of them show."""

MARKS = {"faults": set("●○"), "convergence": set("=≠⊘")}


@cache
def default_cells(name: str) -> dict[str, tuple[Cell, ...]]:
    return PAGES[name].rows[0].run()


@pytest.mark.parametrize(
    ("page", "number"),
    [
        pytest.param(
            page,
            number,
            id=f"{page.name}: {row.labels[-1]}",
            marks=[] if number % EVERY_NTH == 0 else pytest.mark.proofs,
        )
        for page in PAGES.values()
        for number, row in enumerate(page.rows)
    ],
)
def test_every_cell_keeps_what_its_mark_promises(
    request: pytest.FixtureRequest, page: Page, number: int
) -> None:
    row = page.rows[number]
    cells = row.run()
    for column in cells.values():
        for cell in column:
            judge(cell, page.mark(cell))
    if request.config.getoption("update_goldens"):
        return
    lines = page.path.read_text(encoding="utf-8").splitlines()
    default = default_cells(page.name) if page.has_messages else {}
    for line in (page.line(row, cells), *page.messages(row, cells, default)):
        assert line in lines, f"the page is out of date: run `make {page.name}`"


def test_every_open_question_has_its_rows() -> None:
    asked = {name for name, _value in answers()}
    numbered = {switch.name: switch.number for switch in SWITCHES}
    assert {numbered[name] for name in asked - {""}} == {f"U{number}" for number in range(1, 37)}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_page_is_complete_and_holds_nothing_else(request: pytest.FixtureRequest, page: Page) -> None:
    if request.config.getoption("update_goldens"):
        page.path.write_text(page.text(), encoding="utf-8")
    text = page.path.read_text(encoding="utf-8")
    assert text.startswith(page.introduction)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _rule, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head == [*page.labels, *page.columns]
    assert len(rows) == len(page.rows)
    for cells in rows:
        assert len(cells) == len(head)
        assert set("".join(cells[len(page.labels) :])) <= MARKS[page.name]
