"""The outcome of every cell of the fault matrix as a page; ``python -m tests.faults.table`` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.faults.matrix import FAULTS, OCCASIONS, OPERATIONS, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.matrix import Ended

PAGE: Final = Path(__file__).parents[2] / "docs/test-reports/faults.md"

_INTRODUCTION: Final = """\
# What happens when the API fails

Each cell is a real plan and apply against the emulator, with one fault at one operation. The four marks
are for a fault at the first call of that operation, at the second, at the first two, and at every call.

- `●` the run recovered: everything that is declared is live when it ends, and the outcome says what went
  wrong on the way
- `○` the run failed: it says so and exits with 1, and the next run without the fault converges

No cell ends with a second connection of a declared name, or with a success that the server does not
confirm. "Before" and "after" mean before and after the change has taken effect. This page is written by
`make faults` and compared by the tests, so it shows what the program does today.

"""


def row(fault: str, cells: Mapping[tuple[str, str], Ended]) -> str:
    """Return a fault's line of the table."""
    columns = [
        "".join("●" if cells[operation, occasion].is_whole else "○" for occasion in OCCASIONS)
        for operation in OPERATIONS
    ]
    return f"| {fault} | {' | '.join(columns)} |"


def _page() -> str:
    rows = [
        row(fault, {(one, when): run(one, fault, when) for one in OPERATIONS for when in OCCASIONS})
        for fault in FAULTS
    ]
    head = f"| fault | {' | '.join(OPERATIONS)} |\n|---{'|---' * len(OPERATIONS)}|"
    return _INTRODUCTION + "\n".join((head, *rows)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(_page(), encoding="utf-8")
