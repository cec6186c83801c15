"""Renders a report as GitHub's workflow commands: annotations on lines of the manifests.

GitHub shows ten annotations of each level in a step, so the most urgent come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.reports.escaping import clip, command_message, command_property, escape_terminal, log_line
from reconciler.reports.report import ANNOTATION_LEVELS, Annotation, full_message

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic
    from reconciler.reports.report import Report

MAX_MESSAGE: Final = 4000
"""Characters of an annotation's message; the runner cuts longer ones silently."""

_MAX_TITLE: Final = 250


def render_github(report: Report) -> str:
    """Return one command per annotation and diagnostic, then the verdict as a line of the log."""
    annotations = (*report.decisive, *map(_diagnostic_annotation, report.diagnostics), *report.annotations)
    lines = [workflow_command(annotation) for annotation in annotations]
    lines += [log_line(words) for words in (report.verdict, *report.limitations)]
    return "\n".join(lines) + "\n"


def workflow_command(annotation: Annotation) -> str:
    """Return the command that makes an annotation."""
    properties = {}
    if place := annotation.location:
        properties = {"file": place.path, "line": str(place.line), "col": str(place.column)}
    properties["title"] = clip(escape_terminal(annotation.title), _MAX_TITLE)
    written = ",".join(f"{name}={command_property(value)}" for name, value in properties.items())
    return f"::{annotation.level} {written}::{command_message(clip(annotation.message, MAX_MESSAGE))}"


def _diagnostic_annotation(diagnostic: Diagnostic) -> Annotation:
    return Annotation(
        level=ANNOTATION_LEVELS[diagnostic.severity],
        title=diagnostic.code,
        message=full_message(diagnostic),
        location=diagnostic.location,
    )
