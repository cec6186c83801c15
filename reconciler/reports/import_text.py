"""An import in words: the files, what is left alone, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.import_document import FileStatus
from reconciler.reports.findings_text import render_diagnostics
from reconciler.reports.style import Style
from reconciler.reports.visible import count, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.import_document import Imported, ImportedFile


def render_import(imported: Imported, *, color: bool = False) -> str:
    """Return everything that was written, and everything that was not."""
    style = Style(color)
    lines = [line for one in imported.files for line in _file(one, style)]
    findings = render_diagnostics(imported.diagnostics, color=color)
    return "".join(f"{line}\n" for line in lines) + findings + "\n".join(_verdict(imported, style)) + "\n"


def _file(one: ImportedFile, style: Style) -> Iterator[str]:
    if one.status is FileStatus.CREATED:
        yield f"{style.green(visible(one.path))}: created, {count(one.connections, 'connection')}"
    else:
        yield f"{visible(one.path)}: kept as it is ({visible(one.organization)})"
    yield from (f"  {visible(remark)}" for remark in one.remarks)
    if one.suggestion:
        yield "  could be added below `connections:`"
        yield from (f"      {visible(line)}" for line in one.suggestion)


def _verdict(imported: Imported, style: Style) -> Iterator[str]:
    failures = imported.failures
    yield ""
    yield style.verdict("Import incomplete!" if failures else "Import complete!", is_good=not failures) + (
        f" Organizations: {len(imported.created)} imported, {len(imported.kept)} kept, {failures} failed."
        f" Connections: {sum(one.connections for one in imported.created)} declared."
    )
    if imported.variables:
        variables = count(len(imported.variables), "variable")
        yield (
            f"Secrets: {variables} added to {visible(imported.variables_file)}, without values. "
            "Give each of them the client secret of its connection, or plan with --no-secrets."
        )
    if imported.created:
        yield "Next: `reconciler plan` should find no changes."
