"""What a validation found, every finding in a frame, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.diagnostic_box import render_diagnostic
from reconciler.reports.style import Style
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.reports.validated import Validated


def render_diagnostics(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """Return the findings in the order given, and nothing if there are none."""
    style = Style(color)
    return "".join(f"{render_diagnostic(found, style)}\n" for found in diagnostics)


def render_validation(validated: Validated, *, color: bool = False) -> str:
    """Return all findings and the verdict."""
    verdict = "\n".join(_verdict(validated, Style(color)))
    return f"{render_diagnostics(validated.diagnostics, color=color)}{verdict}\n"


def validation_verdict(validated: Validated) -> str:
    """Return the line that says how it went."""
    if validated.is_valid:
        words = "Success! The configuration is valid"
        tail = ", but there were some validation warnings as shown above." if validated.warning_count else "."
        return words + tail
    errors, warnings = count(validated.error_count, "error"), count(validated.warning_count, "warning")
    return f"The configuration is not valid: {errors}, {warnings}."


def _verdict(validated: Validated, style: Style) -> Iterator[str]:
    yield style.verdict(validation_verdict(validated), is_good=validated.is_valid)
    yield ", ".join(
        (
            count(validated.files, "file"),
            count(validated.organizations, "organization"),
            count(validated.connections, "connection"),
        )
    )
