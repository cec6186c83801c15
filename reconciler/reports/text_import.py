"""Text of an import and of `pin`: what was written, what was kept, and what comes next."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.core.errors import count
from reconciler.core.results import FileStatus
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_style import PLAIN, render_diagnostics, target_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.results import ImportedFile, ImportResult, PinResult
    from reconciler.reports.text_style import Style


def render_import(result: ImportResult, *, style: Style = PLAIN) -> str:
    """Return everything that was written, and everything that was not."""
    files = [file for file in result.files if not result.is_update or file.status is not FileStatus.KEPT]
    lines = (line for file in files for line in _file(file, style))
    return (
        _joined(target_heading(result.scope, style))
        + _joined(lines)
        + render_diagnostics(result.diagnostics, style=style)
        + _joined(_update_verdict(result, style) if result.is_update else _import_verdict(result, style))
    )


def render_pinned(result: PinResult, *, style: Style = PLAIN) -> str:
    """Return every pin with its place, and how many there are."""
    return (
        _joined(target_heading(result.scope, style))
        + _joined(escape_terminal(line) for line in _pin_lines(result))
        + render_diagnostics(result.diagnostics, style=style)
        + _joined(_pin_verdict(result, style))
    )


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _pin_lines(result: PinResult) -> Iterator[str]:
    yield from (f"{pin.location}: {pin.address} = {pin.id}" for pin in result.pins)
    yield from (
        f"{pin.location}: {pin.address}: its pin {'has to become' if result.is_check else 'is now'} "
        "a map by environment"
        for pin in result.maps
    )
    yield from (f"{address} does not exist yet, so it has no id" for address in result.not_live)


def _file(file: ImportedFile, style: Style) -> Iterator[str]:
    if file.status is FileStatus.CREATED:
        yield f"{style.green(escape_terminal(file.path))}: created, {count(file.connections, 'connection')}"
    elif file.status is FileStatus.UPDATED:
        yield f"{style.green(escape_terminal(file.path))}: updated ({escape_terminal(file.organization)})"
    else:
        yield f"{escape_terminal(file.path)}: kept unchanged ({escape_terminal(file.organization)})"
    for address, updates in groupby(file.updates, key=lambda update: update.address):
        yield f"  {escape_terminal(address)}: {', '.join(update.attribute for update in updates)}"
    yield from (f"  {escape_terminal(address)}: added" for address in file.added)
    yield from (f"  {escape_terminal(remark)}" for remark in file.remarks)
    if file.suggestion:
        yield "  could be added below `connections:`"
        yield from (f"      {escape_terminal(line)}" for line in file.suggestion)


def _update_verdict(result: ImportResult, style: Style) -> Iterator[str]:
    """Yield what the manifests took over, and what comes next."""
    failures = result.failures
    values = sum(len(file.updates) for file in result.updated)
    added = sum(len(file.added) for file in result.updated)
    yield ""
    yield style.verdict("Update incomplete!" if failures else "Update complete!", is_good=not failures) + (
        f" Values: {values} taken over. Connections: {added} added. Files: {len(result.updated)} changed."
    )
    if result.uncompared_secrets:
        secrets = count(result.uncompared_secrets, "connection")
        yield f"Secrets: not compared, and never taken over ({secrets})."
    yield from _variables(result)
    if result.updated:
        yield "Next: review the changes; `reconciler plan` should find none but those named above."


def _variables(result: ImportResult) -> Iterator[str]:
    if result.variables:
        variables = count(len(result.variables), "variable")
        yield (
            f"Secrets: {variables} added to {escape_terminal(result.variables_file)}, without values. "
            "Set each variable to the client secret of its connection, or plan with --no-secrets."
        )
    if result.secret_files:
        secrets, files = (
            count(result.stored_secrets, "live secret"),
            count(len(result.secret_files), "age file"),
        )
        yield f"Secrets: {secrets} encrypted into {files}."


def _import_verdict(result: ImportResult, style: Style) -> Iterator[str]:
    failures = result.failures
    yield ""
    yield style.verdict("Import incomplete!" if failures else "Import complete!", is_good=not failures) + (
        f" Organizations: {len(result.created)} imported, {len(result.kept)} kept, {failures} failed."
        f" Connections: {sum(file.connections for file in result.created)} declared."
    )
    yield from _variables(result)
    if result.unmanaged_secrets:
        secrets = count(result.unmanaged_secrets, "client secret")
        yield f"Secrets: {secrets} left unmanaged. To connect one, remove the `# ` before its client_secret."
    if result.created:
        if _may_lack_secrets(result):
            yield "Next: set or store the secrets that `reconciler secrets check` names as missing."
            yield "Then, `reconciler plan` should find no changes."
        else:
            yield "Next: `reconciler plan` should find no changes."


def _may_lack_secrets(result: ImportResult) -> bool:
    """Tell whether new manifests may refer to secrets that nobody has stored yet."""
    declared = sum(file.connections for file in result.created)
    return not result.unmanaged_secrets and declared > result.stored_secrets


def _pin_verdict(result: PinResult, style: Style) -> Iterator[str]:
    if result.pins:
        words = "Not pinned" if result.is_check else "Pinned"
        numbers = f"{count(result.connections, 'connection')}, {count(result.organizations, 'organization')}."
        yield style.verdict(f"{words}: {numbers}", is_good=not result.is_check)
    if result.maps:
        words = "Not by environment yet" if result.is_check else "Now by environment"
        yield style.verdict(f"{words}: {count(len(result.maps), 'pin')}.", is_good=not result.is_check)
    if result.pins or result.maps:
        if result.is_check:
            yield "`reconciler pin` writes these ids into the manifests."
    elif result.has_errors:
        yield style.verdict("Not everything could be pinned; the errors above say why.", is_good=False)
    else:
        yield style.verdict("Everything that exists is pinned.", is_good=True)
