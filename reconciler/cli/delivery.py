"""Where a result goes: standard output, and every file that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.options import OutputFile
    from reconciler.reports import Format

Reported = TypeVar("Reported")


def deliver(
    reported: Reported,
    formats: Mapping[str, Format[Reported]],
    *,
    console: Console,
    format_: str,
    outputs: Sequence[OutputFile],
) -> None:
    """Write the files first, then print: a file that cannot be written is not passed over.

    Raises:
        UsageError: a file cannot be written.
    """
    for output in outputs:
        write_atomically(output.path, formats[output.format or format_](reported, color=False))
    colored = console.colors_result and format_ == "text"
    console.result(formats[format_](reported, color=colored))
