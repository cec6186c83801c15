"""The outcome of every cell as a page; ``python -m tests.convergence.table`` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.emulator import SWITCHES
from tests.convergence.laboratory import run
from tests.convergence.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.convergence.laboratory import Cell

PAGE: Final = Path(__file__).parents[2] / "docs/test-reports/convergence.md"

Answer = tuple[str, str]
"""A switch and its position; two empty texts mean that everything is as by default."""

DEFAULT: Final[Answer] = ("", "")

_COUNTS: Final = ("1", "4", "12")
"""Readings that lag: as many as patience reaches, and more."""

_INTRODUCTION: Final = """\
# What converges, whatever the API turns out to do

The documents of the API leave questions open. Each row is one possible answer to one of them, each column
one thing to reconcile, and each cell a real plan and apply against the emulator, then a second plan and
apply. The rows are the switches of `reconciler emulator --list-behaviours`; what is arranged for a switch to
matter at all (metadata that cannot be had, a list of provisioning connections, …) is in
`tests/convergence/circumstances.py`.

- `=` it holds: the next plan says "No changes.", and the second apply writes nothing
- `≠` it did not converge, and the run says so, with the field and the reason; the sentences are below
- `⊘` it is refused while planning, before anything is written

In no cell does a run go on for ever. An update that the service does not take is sent twice and no more:
once, and once again where it did not hold, or where its answer was lost and a reading has shown no effect.
Only if every answer is lost is it sent a third time. A list that lags by more readings than patience has
(`read-lag=12`) shows neither what was made nor what was changed: a second apply at once makes the connection
again, and as soon as the list is current the next plan says so, with both ids.

This page is written by `make convergence` and compared by the tests, so it says what the program does today.

"""
_SAID: Final = """
## What is said

Where a switch changes nothing of what is said by default, its sentence is not repeated.

"""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def answers() -> Iterator[Answer]:
    """Yield the defaults, and every alternative to each of them."""
    yield DEFAULT
    for behaviour in SWITCHES:
        if behaviour.number.startswith("U"):
            for value in behaviour.alternatives:
                yield from ((behaviour.name, one) for one in (_COUNTS if value == "N" else (value,)))


def row(answer: Answer, cells: Mapping[str, Cell]) -> str:
    """Return the table's line of one answer."""
    marks = " | ".join(cells[operation].mark for operation in OPERATIONS)
    return f"| {_question(answer)} | {_title(answer)} | {marks} |"


def said(answer: Answer, cells: Mapping[str, Cell], by_default: Mapping[str, Cell]) -> tuple[str, ...]:
    """Return what is said of one answer's cells, and not by default as well."""
    return tuple(
        f"- {_title(answer)}, {operation}: {_without_ids(sentence)}"
        for operation, cell in cells.items()
        for sentence in cell.sentences
        if answer == DEFAULT or sentence not in by_default[operation].sentences
    )


def run_all(answer: Answer) -> dict[str, Cell]:
    """Make the experiments of one answer."""
    return {operation: run(*answer, operation) for operation in OPERATIONS}


def page() -> str:
    """Make every experiment, and return the page."""
    by_default = run_all(DEFAULT)
    rows: list[str] = []
    sentences: list[str] = []
    for answer in answers():
        cells = run_all(answer)
        rows.append(row(answer, cells))
        sentences += said(answer, cells, by_default)
    head = f"| | answer | {' | '.join(OPERATIONS)} |\n|---|---{'|---' * len(OPERATIONS)}|"
    return f"{_INTRODUCTION}{chr(10).join((head, *rows))}\n{_SAID}{chr(10).join(sentences)}\n"


def _question(answer: Answer) -> str:
    return next((one.number for one in SWITCHES if one.name == answer[0]), "")


def _title(answer: Answer) -> str:
    return "by default" if answer == DEFAULT else f"`{answer[0]}={answer[1]}`"


def _without_ids(sentence: str) -> str:
    return _UUID.sub("…", sentence)


if __name__ == "__main__":
    import structlog

    with structlog.testing.capture_logs():
        PAGE.write_text(page(), encoding="utf-8")
