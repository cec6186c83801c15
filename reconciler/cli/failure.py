"""How a run that could not do its work ends: a message for people, and whole JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.commands import VERBS
from reconciler.cli.console import Console
from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from reconciler.core.errors import ReconcilerError


def report_usage_error(error: click.ClickException, words: Sequence[str]) -> None:
    """Say what is wrong with the words of a call, and where its help is."""
    verb = _verb(words)
    detail = f"see `reconciler {verb} --help`" if verb else "see `reconciler --help`"
    _report((Diagnostic(Severity.ERROR, "usage", error.format_message(), detail),), words)


def report_failure(error: ReconcilerError, words: Sequence[str]) -> None:
    """Say why the run stopped: every finding, or the error's own sentence."""
    if isinstance(error, InvalidConfiguration):
        _report(error.diagnostics, words)
    else:
        code = _code(type(error).__name__)
        _report((Diagnostic(Severity.ERROR, code, str(error)),), words)


def _report(diagnostics: tuple[Diagnostic, ...], words: Sequence[str]) -> None:
    from reconciler.reports import render_diagnostics
    from reconciler.reports.failure_json import failure_json

    console = Console(color=_word_of("--color", words) or "auto")
    console.urgent(render_diagnostics(diagnostics, color=console.colors_remarks))
    if _word_of("--format", words) == "json":
        console.result(failure_json(diagnostics))


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words if word in VERBS), "")


def _word_of(option: str, words: Sequence[str]) -> str | None:
    """Read an option's value off the words, since the call itself may not be parsable."""
    for index, word in enumerate(words):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option and index + 1 < len(words):
            return words[index + 1]
    return None


def _code(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
