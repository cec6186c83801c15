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
# What converges, however the API behaves

The API's documentation leaves questions open. Each row is one possible answer to one of them, each column
one change to apply, and each cell a real plan and apply against the emulator, followed by a second plan and
apply. The rows are the switches of `reconciler emulator --list-behaviours`; the setup that makes a switch
matter (missing metadata, a list of connections that provision members, …) is in
`tests/convergence/circumstances.py`.

- `=` it converges: the next plan says "No changes.", and the second apply writes nothing
- `≠` it does not converge, and the run says so, with the field and the reason; see the messages below
- `⊘` it is refused while planning, before anything is written

No cell writes in a loop. An update that the service does not store is sent twice at most: once, and once
more where it did not hold, or where its answer was lost and a reading showed no effect. Only if every answer
is lost is it sent a third time. With a list that lags by more readings than the run waits for
(`read-lag=12`), neither creates nor changes show: an immediate second apply creates the connection again, and
once the list is current the next plan reports both ids.

This page is written by `make convergence` and compared by the tests, so it shows what the program does today.

"""
_SAID: Final = """
## Messages

A message that also appears with the default behaviour is not repeated.

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
    return next((switch.number for switch in SWITCHES if switch.name == answer[0]), "")


def _title(answer: Answer) -> str:
    return "by default" if answer == DEFAULT else f"`{answer[0]}={answer[1]}`"


def _without_ids(sentence: str) -> str:
    return _UUID.sub("…", sentence)


if __name__ == "__main__":
    import structlog

    with structlog.testing.capture_logs():
        PAGE.write_text(page(), encoding="utf-8")
