"""The pages that show the matrix; ``python -m tests.failures.table faults`` or ``convergence`` writes one."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from tests.failures import faults, switches
from tests.failures.operations import CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.failures.matrix import Cell, Row

    Cells = Mapping[str, tuple[Cell, ...]]

_REPORTS: Final = Path(__file__).parents[2] / "docs/test-reports"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_FAULTS: Final = """\
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

_CONVERGENCE: Final = """\
# What converges, however the API behaves

The API's documentation leaves questions open. Each row is one possible answer to one of them, each column
one change to apply, and each cell a real plan and apply against the emulator, followed by a second plan and
apply. The rows are the switches of `reconciler emulator --list-switches`; the setup that makes a switch
matter (missing metadata, a list of connections that provision members, …) is in
`tests/failures/switches.py`.

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

_MESSAGES: Final = """
## Messages

A message that also appears by default is not repeated.

"""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A table of the matrix; if ``has_messages``, what its cells say follows, compared with its first row."""

    name: str
    introduction: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    mark: Callable[[Cell], str]
    has_messages: bool

    @property
    def path(self) -> Path:
        return _REPORTS / f"{self.name}.md"

    def line(self, row: Row, cells: Cells) -> str:
        """Return a row's line of the table."""
        marks = ("".join(map(self.mark, cells[column])) for column in self.columns)
        return f"| {' | '.join((*row.labels, *marks))} |"

    def messages(self, row: Row, cells: Cells, default: Cells) -> tuple[str, ...]:
        """Return what the cells of a row say, and the first row does not say as well."""
        if not self.has_messages:
            return ()
        return tuple(
            f"- {row.labels[-1]}, {column}: {_UUID.sub('…', sentence)}"
            for column in self.columns
            for cell in cells[column]
            for sentence in cell.sentences
            if row is self.rows[0] or all(sentence not in other.sentences for other in default[column])
        )

    def text(self) -> str:
        """Run every experiment, and return the page."""
        default = self.rows[0].run()
        lines: list[str] = []
        messages: list[str] = []
        for row in self.rows:
            cells = row.run()
            lines.append(self.line(row, cells))
            messages += self.messages(row, cells, default)
        head = (*self.labels, *self.columns)
        titles = "".join(f" {title} |" if title else " |" for title in head)
        table = "\n".join((f"|{titles}", f"|{'---|' * len(head)}", *lines, ""))
        said = "\n".join((_MESSAGES + messages[0], *messages[1:], "")) if messages else ""
        return self.introduction + table + said


PAGES: Final = {
    "faults": Page(
        name="faults",
        introduction=_FAULTS,
        labels=("fault",),
        columns=tuple(faults.COLUMNS),
        rows=faults.rows(),
        mark=faults.mark,
        has_messages=False,
    ),
    "convergence": Page(
        name="convergence",
        introduction=_CONVERGENCE,
        labels=("", "answer"),
        columns=tuple(CHANGES),
        rows=switches.rows(),
        mark=switches.mark,
        has_messages=True,
    ),
}


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for name in sys.argv[1:] or PAGES:
        PAGES[name].path.write_text(PAGES[name].text(), encoding="utf-8")
