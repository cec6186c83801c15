"""Renders plans, results and diagnostics as text, without printing or opening files.

Each registry maps the name of a format, as ``--format`` takes it, to its function. Text and JSON are
written by subject; every other format renders a `Report`, so that a new one is a new file, and one
line in `REPORT_FORMATS`. A format's module is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from reconciler.reports.text_style import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.drift import DriftReport
    from reconciler.core.errors import Diagnostic
    from reconciler.core.inventory import Inventory
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.core.results import ImportResult, PinResult, ValidationResult
    from reconciler.core.verification import Verification
    from reconciler.reports.report import SourceLinks
    from reconciler.reports.text_style import Style
    from reconciler.secrets.check import SecretsCheck

Subject = TypeVar("Subject", contravariant=True)  # noqa: PLC0105 - it names what is rendered


class Format(Protocol[Subject]):
    """Renders a subject; only text has a style, and only HTML links places to a forge."""

    def __call__(self, subject: Subject, /, *, style: Style = PLAIN, links: SourceLinks | None = None) -> str:
        """Return the text, with a newline at its end."""


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


def _format(render: str, *, build: str = "", is_text: bool = False) -> Format[Any]:
    """Return a format that renders a subject, or the report that ``build`` makes of it."""

    def render_subject(subject: object, /, *, style: Style = PLAIN, links: SourceLinks | None = None) -> str:
        options: dict[str, Any] = {"style": style} if is_text else {}
        if render == REPORT_FORMATS["html"]:
            options["links"] = links
        text: str = _load(render)(_load(build)(subject) if build else subject, **options)
        return text

    return render_subject


def _formats(text: str, json: str, *, report: str = "") -> Mapping[str, Format[Any]]:
    """Return the formats of a subject: text, JSON, and those that render its ``report``, if it has one."""
    formats = {"text": _format(text, is_text=True), "json": _format(f"json_documents.{json}")}
    return MappingProxyType(formats | (_rendered(report) if report else {}))


def _rendered(build: str) -> dict[str, Format[Any]]:
    """Return all formats that render the report which ``build`` makes of a subject."""
    return {name: _format(render, build=build) for name, render in REPORT_FORMATS.items()}


PLAN_FORMATS: Final[Mapping[str, Format[Plan]]] = _formats(
    "text_plan.render_plan", "plan_json", report="plan_report.plan_report"
)

DRIFT_FORMATS: Final[Mapping[str, Format[DriftReport]]] = _formats(
    "text_drift.render_drift", "drift_json", report="drift_report.drift_report"
)

VALIDATION_FORMATS: Final[Mapping[str, Format[ValidationResult]]] = _formats(
    "validation.render_validation", "validation_json", report="validation.validation_report"
)

FAILURE_FORMATS: Final[Mapping[str, Format[Sequence[Diagnostic]]]] = MappingProxyType(
    _rendered("validation.failure_report")
)
"""The formats of a run that failed before there was a result; text and JSON are written by verb."""

VERIFY_FORMATS: Final[Mapping[str, Format[Verification]]] = _formats(
    "text_verify.render_verification", "verify_json", report="verify_report.verify_report"
)

RESULT_FORMATS: Final[Mapping[str, Format[ApplyResult]]] = _formats(
    "apply_report.render_result", "apply_json", report="apply_report.apply_report"
)
SECRETS_FORMATS: Final[Mapping[str, Format[SecretsCheck]]] = _formats(
    "secrets_report.render_secrets", "secrets_check_json", report="secrets_report.secrets_report"
)
IMPORT_FORMATS: Final[Mapping[str, Format[ImportResult]]] = _formats(
    "text_import.render_import", "import_json"
)
PIN_FORMATS: Final[Mapping[str, Format[PinResult]]] = _formats("text_import.render_pinned", "pin_json")
INVENTORY_FORMATS: Final[Mapping[str, Format[Inventory]]] = _formats(
    "inventory.render_inventory", "inventory_json"
)
