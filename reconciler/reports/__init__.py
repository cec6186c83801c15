"""Renders plans, results and diagnostics as text, without printing or opening files.

Each registry maps the name of a format, as ``--format`` takes it, to its function. Text and JSON are
written by subject; every other format renders a `Report`, so that a new one is a new file, and one
line in `REPORT_FORMATS`. A format's module is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.drift import DriftReport
    from reconciler.core.errors import Diagnostic
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.core.results import ImportResult, PinResult, ValidationResult

Subject = TypeVar("Subject", contravariant=True)  # noqa: PLC0105 - it names what is rendered


class Format(Protocol[Subject]):
    """Renders a subject; only text has colours."""

    def __call__(self, subject: Subject, /, *, color: bool) -> str:
        """Return the text, with a newline at its end."""
        ...


REPORT_FORMATS: Final = {
    "markdown": "markdown.render_markdown",
    "html": "html.render_html",
    "github": "github_annotations.render_github",
    "sarif": "sarif.render_sarif",
}
"""The formats that render a `Report`."""


def _load(function: str) -> Callable[..., Any]:
    module, name = function.split(".")
    loaded: Callable[..., Any] = getattr(import_module(f"reconciler.reports.{module}"), name)
    return loaded


def _format(render: str, *, build: str = "", is_colored: bool = False) -> Format[Any]:
    """Return a format that renders a subject, or the report that ``build`` makes of it."""

    def render_subject(subject: object, /, *, color: bool) -> str:
        options = {"color": color} if is_colored else {}
        text: str = _load(render)(_load(build)(subject) if build else subject, **options)
        return text

    return render_subject


def _text(function: str) -> Format[Any]:
    return _format(function, is_colored=True)


def _json(function: str) -> Format[Any]:
    return _format(f"json_documents.{function}")


def _rendered(build: str) -> dict[str, Format[Any]]:
    """Return all formats that render the report which ``build`` makes of a subject."""
    return {name: _format(render, build=build) for name, render in REPORT_FORMATS.items()}


PLAN_FORMATS: Final[Mapping[str, Format[Plan]]] = MappingProxyType(
    {
        "text": _text("text_plan.render_plan"),
        "json": _json("plan_json"),
        **_rendered("plan_report.plan_report"),
    }
)

DRIFT_FORMATS: Final[Mapping[str, Format[DriftReport]]] = MappingProxyType(
    {
        "text": _text("text_drift.render_drift"),
        "json": _json("drift_json"),
        **_rendered("drift_report.drift_report"),
    }
)

VALIDATION_FORMATS: Final[Mapping[str, Format[ValidationResult]]] = MappingProxyType(
    {
        "text": _text("validation.render_validation"),
        "json": _json("validation_json"),
        **_rendered("validation.validation_report"),
    }
)

FAILURE_FORMATS: Final[Mapping[str, Format[Sequence[Diagnostic]]]] = MappingProxyType(
    _rendered("validation.failure_report")
)
"""The formats of a run that failed before there was a result; text and JSON are written by verb."""

RESULT_FORMATS: Final[Mapping[str, Format[ApplyResult]]] = MappingProxyType(
    {"text": _text("text_apply.render_result"), "json": _json("apply_json")}
)

IMPORT_FORMATS: Final[Mapping[str, Format[ImportResult]]] = MappingProxyType(
    {"text": _text("text_import.render_import"), "json": _json("import_json")}
)

PIN_FORMATS: Final[Mapping[str, Format[PinResult]]] = MappingProxyType(
    {"text": _text("text_import.render_pinned"), "json": _json("pin_json")}
)
