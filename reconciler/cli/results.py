"""Writes results: to standard output, and to every file given with ``--output``."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from reconciler.core.errors import Diagnostic, ReportOfFailedRun, ReportRefused, Severity, UsageError
from reconciler.reports.report import SourceLinks
from reconciler.reports.text_style import render_diagnostics
from reconciler.storage.files import check_writable, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.reports import Format

Result = TypeVar("Result", bound=Any)

_FORGE: Final = re.compile(r"https://[\w.-]+(:\d+)?(/[\w.~-]+)+/[0-9a-f]{7,64}", re.ASCII)
"""Where a forge shows the files of a commit: nothing that leads elsewhere, or that HTML could misread."""


def check_outputs(context: CommandContext, saved: Path | None = None) -> None:
    """Check, before any work, that the output files can be written.

    Raises:
        UsageError: a file cannot be written, would replace a manifest, or is given twice.
    """
    paths = [path for path, _ in _files(context, saved)]
    try:
        _check_paths(paths)
    except UsageError:
        context.outputs = ()  # the failure must not be written there either
        raise
    for path in paths:
        check_writable(path)
    context.saved = saved


def write_result(
    result: Result, formats: Mapping[str, Format[Result]], context: CommandContext, saved: Path | None = None
) -> bool:
    """Write the files, then print the result; return whether every file was written.

    ``saved`` is one more file for the JSON document, as ``plan --out`` wants it. If a file cannot be
    written, the result is still printed, with that error; in JSON it is among the diagnostics.
    """
    links = source_links(os.environ)
    errors = tuple(
        error
        for path, format_ in _files(context, saved)
        if (error := _write(path, formats[format_](result, links=links)))
    )
    if errors:
        context.console.error(render_diagnostics(errors, style=context.console.stderr_style))
    if errors and context.format == "json":
        result = replace(result, diagnostics=(*result.diagnostics, *errors))
    text = formats[context.format](result, style=context.console.stdout_style, links=links)
    context.console.result(text)
    return not errors


def read_previous(
    path: Path | None, load: Callable[[Path], Result]
) -> tuple[Result | None, tuple[Diagnostic, ...]]:
    """Read the report of an earlier run. That of a failed run says nothing, and is not compared with.

    Raises:
        ReportRefused: there is none, or it cannot be used.
    """
    if path is None:
        return None, ()
    if not path.exists():
        raise ReportRefused(f"{path}: there is no such report: omit --previous until a run has written one")
    try:
        return load(path), ()
    except ReportOfFailedRun as error:
        warning = Diagnostic(
            Severity.WARNING,
            "report-of-failed-run",
            f"{error}; findings cannot be marked as new",
            hint="keep the report of the last run that did not fail",
        )
        return None, (warning,)


def keep_previous(context: CommandContext) -> None:
    """Leave the previous report as it is, if it is among the files to be written."""
    if context.outputs != (outputs := context.replaceable_outputs):
        context.outputs = outputs
        context.console.info(f"Nothing could be read: {str(context.kept)!r} is left as it was.")


def source_links(environment: Mapping[str, str]) -> SourceLinks | None:
    """Return where the forge that this job runs at shows the files of the commit, if it is known."""
    get = environment.get
    if get("GITHUB_ACTIONS"):
        parts = get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), "blob", get("GITHUB_SHA")
        checkout = get("GITHUB_WORKSPACE")
    else:
        parts = get("CI_PROJECT_URL"), "-", "blob", get("CI_COMMIT_SHA")
        checkout = get("CI_PROJECT_DIR")
    base = "/".join(map(str, parts))
    if not _FORGE.fullmatch(base):
        return None
    folder = os.path.relpath(Path.cwd(), os.path.realpath(checkout)) if checkout else ""
    return SourceLinks(base=base, folder=folder)


def looks_like_manifest(path: Path) -> bool:
    """Return whether a file, or the target of a link, has the suffix of a manifest."""
    return Path(os.path.realpath(path)).suffix.lower() in {".yaml", ".yml"}


def _check_paths(paths: Iterable[Path]) -> None:
    targets: set[Path] = set()
    for path in paths:
        target = Path(os.path.realpath(path))
        if looks_like_manifest(path):
            raise UsageError(f"cannot write {path}: results are not written to .yaml or .yml files")
        if target in targets:
            raise UsageError(f"cannot write {path} twice: name another file for each result")
        if not _is_device(target):  # several results may go to one terminal or pipe
            targets.add(target)


def _is_device(target: Path) -> bool:
    try:
        return not stat.S_ISREG(target.stat().st_mode)
    except OSError:  # it does not exist yet
        return False


def _files(context: CommandContext, saved: Path | None) -> tuple[tuple[Path, str], ...]:
    return (*context.outputs, (saved, "json")) if saved else context.outputs


def _write(path: Path, text: str) -> Diagnostic | None:
    try:
        write_atomically(path, text)
    except UsageError as error:
        return Diagnostic(Severity.ERROR, "output-not-written", str(error))
    return None
