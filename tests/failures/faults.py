"""The circumstances of the fault table: every fault, at each operation and at several of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.failures.matrix import Circumstance, Experiment, Row
from tests.failures.operations import BATCHES

if TYPE_CHECKING:
    from tests.failures.matrix import Cell

_TOO_LATE: Final = "latency of 110 s"
"""A write takes effect only after the run has read several times, found no effect and sent it again."""

FAULTS: Final = {
    "429": "429",
    "429, Retry-After in seconds": "429:retry-after=3",
    "429, Retry-After as a date": "429:retry-after-date=3",
    "500 before": "500",
    "500 after": "500:after",
    "502 before": "502",
    "502 after": "502:after",
    "503 before": "503",
    "503 after": "503:after",
    "503, Retry-After in seconds": "503:retry-after=3",
    "504 before": "504",
    "504 after": "504:after",
    "HTML before": "html",
    "HTML after": "html:after",
    "truncated before": "truncated:before",
    "truncated after": "truncated:after",
    "empty before": "empty",
    "empty after": "empty:after",
    "empty with status 200 after": "empty:after,status=200",
    "malformed before": "malformed",
    "malformed after": "malformed:after",
    "hang before": "hang:seconds=90",
    "hang after": "hang:after,seconds=90",
    "reset before": "reset",
    "reset after": "reset:after",
    "latency of 5 s": "latency:seconds=5",
    "latency of 62 s, beyond every deadline": "latency:seconds=62",
    _TOO_LATE: "latency:seconds=110",
}
"""Before or after the change. A latency beyond the deadline is an effect after the client gave up."""


class Column(NamedTuple):
    """A batch of operations, the API's operation that fails, and whether it fails while planning."""

    batch: str
    endpoint: str
    fails_plan: bool = False


COLUMNS: Final = {
    "create: POST": Column("create", "create-oidc-connection"),
    "create: PUT": Column("create", "update-oidc-connection"),
    "update: PUT": Column("update", "update-oidc-connection"),
    "default connection: PUT": Column("default", "update-organization"),
    "delete": Column("delete", "delete-connection"),
    "list while planning": Column("mixed", "list-connections", fails_plan=True),
    "list while applying": Column("mixed", "list-connections"),
    "organization while planning": Column("alone", "get-organization", fails_plan=True),
    "organization while applying": Column("delete", "get-organization"),
    "search": Column("mixed", "search-organizations", fails_plan=True),
}

OCCASIONS: Final = {"first": "nth=1", "second": "nth=2", "both": "first=2", "every": ""}

_MOST_WRITES: Final = {"first": 1, "second": 1, "both": 2, "every": 3}


def rows() -> tuple[Row, ...]:
    """Return a row for each fault."""
    return tuple(
        Row(
            labels=(fault,),
            experiments={
                name: tuple(
                    Experiment(BATCHES[column.batch], _circumstance(column, fault, occasion))
                    for occasion in OCCASIONS
                )
                for name, column in COLUMNS.items()
            },
        )
        for fault in FAULTS
    )


def mark(cell: Cell) -> str:
    """Return how a cell ended, in one character; see `docs/test-reports/faults.md`."""
    return "●" if cell.first.is_whole else "○"


def _circumstance(column: Column, fault: str, occasion: str) -> Circumstance:
    effect, _, options = FAULTS[fault].partition(":")
    rule = f"{column.endpoint}:{effect}:{','.join(filter(None, (options, OCCASIONS[occasion])))}"
    return Circumstance(
        fault_of_plan=rule if column.fails_plan else "",
        fault_of_apply="" if column.fails_plan else rule,
        most_writes=min(3, _MOST_WRITES[occasion] + (fault == _TOO_LATE)),
    )
