"""Where a result goes: standard output, and every file that was asked for."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.core.errors import Diagnostic, Severity, UsageError
from reconciler.reports.findings_text import render_diagnostics
from reconciler.storage.files import check_writable, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.reports import Format

Reported = TypeVar("Reported", bound=Any)


def check_outputs(context: CommandContext, saved: Path | None = None) -> None:
    """Make sure, before anything is done, that its result can be kept where it is wanted.

    Raises:
        UsageError: a file cannot be written, would replace a manifest, or is wanted twice.
    """
    files = [path for path, _ in _files(context, saved)]
    try:
        _check_targets(files)
    except UsageError:
        context.outputs = ()  # the failure must not be written there either
        raise
    for path in files:
        check_writable(path)


def looks_like_manifest(path: Path) -> bool:
    """Tell whether a file, or what a link leads to, ends like one that people write."""
    return Path(os.path.realpath(path)).suffix.lower() in {".yaml", ".yml"}


def write_result(
    reported: Reported,
    formats: Mapping[str, Format[Reported]],
    context: CommandContext,
    saved: Path | None = None,
) -> bool:
    """Write the files, then print; return whether every file could be written.

    ``saved`` is one more file for the JSON: a saved plan is that document and nothing else. A file
    that fails does not cost the result: it is printed all the same, with the failure beside it, and
    in the JSON among its diagnostics.
    """
    failures = tuple(
        failure
        for path, format_ in _files(context, saved)
        if (failure := _write(path, formats[format_](reported, color=False)))
    )
    if failures:
        context.console.error(render_diagnostics(failures, color=context.console.colors_stderr))
    if failures and context.format == "json":
        reported = replace(reported, diagnostics=(*reported.diagnostics, *failures))
    colored = context.console.colors_stdout and context.format == "text"
    context.console.result(formats[context.format](reported, color=colored))
    return not failures


def _check_targets(files: Iterable[Path]) -> None:
    targets: set[Path] = set()
    for path in files:
        target = Path(os.path.realpath(path))
        if looks_like_manifest(path):
            raise UsageError(f"cannot write {path}: files that end like a manifest are not for results")
        if target in targets:
            raise UsageError(f"cannot write {path} twice: name another file for each result")
        if not _is_device(target):  # which takes any number of results
            targets.add(target)


def _is_device(target: Path) -> bool:
    try:
        return not stat.S_ISREG(target.stat().st_mode)
    except OSError:  # it is not there yet
        return False


def _files(context: CommandContext, saved: Path | None) -> tuple[tuple[Path, str], ...]:
    wanted = tuple((Path(output.path), output.format) for output in context.outputs)
    return (*wanted, (saved, "json")) if saved else wanted


def _write(path: Path, text: str) -> Diagnostic | None:
    try:
        write_atomically(path, text)
    except UsageError as error:
        return Diagnostic(Severity.ERROR, "output-not-written", str(error))
    return None
