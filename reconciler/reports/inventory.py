"""The inventory as text, and single values of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import FIELDS, SENSITIVE_FIELDS
from reconciler.core.errors import count
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_style import PLAIN, render_diagnostics, table_lines, width, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.inventory import Inventory, InventoryItem
    from reconciler.reports.text_style import Style

OUTPUT_FIELDS: Final = (*(name for name in FIELDS if name not in SENSITIVE_FIELDS), "organization_id")
"""What `output` prints; client_secret is never shown."""

_HEADINGS: Final = (
    "ADDRESS", "DISPLAY NAME", "PROVIDER", "STATUS", "MANAGED", "CONNECTION ID", "ORGANIZATION ID",
    "REDIRECT URL",
)  # fmt: skip


_DISPENSABLE: Final = tuple(
    _HEADINGS.index(heading)
    for heading in ("REDIRECT URL", "ORGANIZATION ID", "CONNECTION ID", "PROVIDER", "DISPLAY NAME")
)
"""The columns that a narrow terminal does not show, first those that are left out first."""


def render_inventory(inventory: Inventory, *, style: Style = PLAIN) -> str:
    """Return a table of the connections, what could not be read, and how many there are."""
    rows = [_HEADINGS, *(_row(item) for item in inventory.items)]
    lines = [*_fitting_table(rows, style.columns), ""] if inventory.items else []
    table = "".join(f"{line}\n" for line in lines)
    connections = count(len(inventory.items), "connection")
    total = f"{connections} in {count(inventory.organizations, 'organization')}."
    return f"{table}{render_diagnostics(inventory.diagnostics, style=style)}{total}\n"


def _fitting_table(rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """Return the lines of a table; a terminal shows the most useful columns that fit."""
    left_out: list[int] = []
    lines = [*table_lines(rows)]
    for index in _DISPENSABLE if columns else ():
        if max(map(width, lines)) <= columns:
            break
        left_out.append(index)
        lines = [*table_lines([[*_without(row, left_out)] for row in rows])]
    if not left_out:
        return lines
    names = ", ".join(_HEADINGS[index].lower() for index in sorted(left_out))
    return [
        *lines,
        "",
        *wrap(f"Too wide for this terminal: {names}; `reconciler output ADDRESS` prints them.", columns),
    ]


def _without(row: Sequence[str], left_out: Sequence[int]) -> Iterator[str]:
    return (cell for index, cell in enumerate(row) if index not in left_out)


def values_of(item: InventoryItem) -> Mapping[str, Any]:
    """Return the fields of a connection that may be shown."""
    values = {name: getattr(item.connection, name) for name in OUTPUT_FIELDS if name != "organization_id"}
    return values | {"organization_id": item.organization_id}


def output_text(values: Mapping[str, Any]) -> str:
    """Return one value alone on its line, or several with their names."""
    if len(values) == 1:
        return f"{_plain(*values.values())}\n"
    return "".join(f"{name} = {_plain(value)}\n" for name, value in values.items() if value is not None)


def _row(item: InventoryItem) -> tuple[str, ...]:
    connection = item.connection
    values = (
        item.address,
        connection.display_name,
        connection.identity_provider,
        f"{connection.status}, default" if item.is_default else connection.status,
        item.management.value,
        connection.connection_id,
        item.organization_id,
        connection.redirect_url,
    )
    return tuple(escape_terminal(value or "-") for value in values)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return escape_terminal(" ".join(value))
    return escape_terminal(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
