"""Reports: a plan, a result or findings → text. Nothing here prints or opens a file.

Each registry maps the name of a format, as ``--format`` takes it, to its function; a new format is
one new file, imported when it is first used, and one line here. All functions of a registry take
``color``, whether they use it or not.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.drift import DriftReport
    from reconciler.core.import_document import Imported
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.pin_document import Pinned
    from reconciler.core.plan import Plan
    from reconciler.reports.validated import Validated

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
        "text": _lazily("plan_text", "render_plan"),
        "json": _lazily("plan_json", "plan_json"),
        "markdown": _lazily("plan_markdown", "plan_markdown"),
        "html": _lazily("plan_html", "plan_html"),
        "github": _lazily("plan_github", "plan_github"),
        "sarif": _lazily("plan_sarif", "plan_sarif"),
    }
)

RESULT_FORMATS: Final[Mapping[str, Format[ApplyResult]]] = MappingProxyType(
    {"text": _lazily("apply_text", "render_result"), "json": _lazily("apply_json", "result_json")}
)

VALIDATION_FORMATS: Final[Mapping[str, Format[Validated]]] = MappingProxyType(
    {
        "text": _lazily("findings_text", "render_validation"),
        "json": _lazily("findings_json", "validation_json"),
        "markdown": _lazily("validation_markdown", "validation_markdown"),
        "html": _lazily("validation_html", "validation_html"),
        "github": _lazily("validation_github", "validation_github"),
        "sarif": _lazily("validation_sarif", "validation_sarif"),
    }
)

DRIFT_FORMATS: Final[Mapping[str, Format[DriftReport]]] = MappingProxyType(
    {
        "text": _lazily("drift_text", "render_drift"),
        "json": _lazily("drift_json", "drift_json"),
        "markdown": _lazily("drift_markdown", "drift_markdown"),
        "html": _lazily("drift_html", "drift_html"),
        "github": _lazily("drift_github", "drift_github"),
        "sarif": _lazily("drift_sarif", "drift_sarif"),
    }
)

IMPORT_FORMATS: Final[Mapping[str, Format[Imported]]] = MappingProxyType(
    {"text": _lazily("import_text", "render_import"), "json": _lazily("import_json", "import_json")}
)

PIN_FORMATS: Final[Mapping[str, Format[Pinned]]] = MappingProxyType(
    {"text": _lazily("pin_text", "render_pinned"), "json": _lazily("pin_json", "pinned_json")}
)
