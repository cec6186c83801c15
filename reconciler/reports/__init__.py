"""Reports: a plan, a result or findings → text. Nothing here prints or opens a file.

Each registry maps the name of a format, as ``--format`` takes it, to its function; a new format is
one new file and one line here. All functions of a registry take ``color``, whether they use it or not.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from reconciler.reports.apply_json import result_json
from reconciler.reports.apply_text import render_result
from reconciler.reports.drift_json import drift_json
from reconciler.reports.drift_text import render_drift
from reconciler.reports.findings_json import validation_json
from reconciler.reports.findings_text import render_diagnostics, render_validation
from reconciler.reports.import_json import import_json
from reconciler.reports.import_text import render_import
from reconciler.reports.pin_json import pinned_json
from reconciler.reports.pin_text import render_pinned
from reconciler.reports.plan_json import plan_json
from reconciler.reports.plan_schema import plan_schema
from reconciler.reports.plan_text import render_plan
from reconciler.reports.progress_text import (
    render_counted,
    render_finished,
    render_running,
    render_started,
)
from reconciler.reports.validated import Validated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.drift import DriftReport
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.reports.imported import Imported
    from reconciler.reports.pinned import Pinned

Reported = TypeVar("Reported", contravariant=True)  # noqa: PLC0105 - it names what is reported


class Format(Protocol[Reported]):
    """One way to write something down."""

    def __call__(self, reported: Reported, /, *, color: bool) -> str:
        """Return the text, with a newline at its end."""
        ...


def _lazily(module: str, name: str) -> Format[Any]:
    """Return a format whose module is imported when it is used first."""

    def render(reported: object, /, *, color: bool) -> str:
        function: Format[Any] = getattr(import_module(f"reconciler.reports.{module}"), name)
        return function(reported, color=color)

    return render


PLAN_FORMATS: Final[Mapping[str, Format[Plan]]] = MappingProxyType(
    {
        "text": render_plan,
        "json": plan_json,
        "markdown": _lazily("plan_markdown", "plan_markdown"),
        "html": _lazily("plan_html", "plan_html"),
        "github": _lazily("plan_github", "plan_github"),
        "sarif": _lazily("plan_sarif", "plan_sarif"),
    }
)

RESULT_FORMATS: Final[Mapping[str, Format[ApplyResult]]] = MappingProxyType(
    {"text": render_result, "json": result_json}
)

VALIDATION_FORMATS: Final[Mapping[str, Format[Validated]]] = MappingProxyType(
    {
        "text": render_validation,
        "json": validation_json,
        "markdown": _lazily("validation_markdown", "validation_markdown"),
        "html": _lazily("validation_html", "validation_html"),
        "github": _lazily("validation_github", "validation_github"),
        "sarif": _lazily("validation_sarif", "validation_sarif"),
    }
)

DRIFT_FORMATS: Final[Mapping[str, Format[DriftReport]]] = MappingProxyType(
    {
        "text": render_drift,
        "json": drift_json,
        "markdown": _lazily("drift_markdown", "drift_markdown"),
        "html": _lazily("drift_html", "drift_html"),
        "github": _lazily("drift_github", "drift_github"),
        "sarif": _lazily("drift_sarif", "drift_sarif"),
    }
)

IMPORT_FORMATS: Final[Mapping[str, Format[Imported]]] = MappingProxyType(
    {"text": render_import, "json": import_json}
)

PIN_FORMATS: Final[Mapping[str, Format[Pinned]]] = MappingProxyType(
    {"text": render_pinned, "json": pinned_json}
)

__all__ = [
    "DRIFT_FORMATS",
    "IMPORT_FORMATS",
    "PIN_FORMATS",
    "PLAN_FORMATS",
    "RESULT_FORMATS",
    "VALIDATION_FORMATS",
    "Format",
    "Validated",
    "drift_json",
    "plan_json",
    "plan_schema",
    "render_counted",
    "render_diagnostics",
    "render_drift",
    "render_finished",
    "render_plan",
    "render_result",
    "render_running",
    "render_started",
    "render_validation",
    "result_json",
    "validation_json",
]
