"""The sentences and values of a drift report that every format says alike, without any markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.core.drift import DriftKind
from reconciler.reports.attributes import SENSITIVE
from reconciler.reports.visible import count, quoted, value_text, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Value
    from reconciler.core.drift import DriftReport, Finding

NO_DRIFT: Final = "No drift. What is live matches the configuration."


def drift_verdict(report: DriftReport) -> str:
    """Return the line that other programs look for; "no drift" is said only if that is certain."""
    summary = report.summary
    if report.has_drift:
        words = f"{summary.missing} missing, {summary.changed} changed, {summary.unexpected} unexpected."
        return f"Drift: {words}"
    return "No drift was found in what could be looked at." if report.has_errors else NO_DRIFT


def drift_shortcomings(report: DriftReport) -> Iterator[str]:
    """Yield what the report leaves out."""
    summary = report.summary
    if not report.is_complete:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this report is incomplete, the errors below say why."
        )


def since_previous(report: DriftReport) -> Iterator[str]:
    """Yield how the report compares with the previous one, if there is one."""
    summary = report.summary
    if report.previous_at:
        yield (
            f"Since {visible(report.previous_at)}: {summary.new} new, {summary.known} still there, "
            f"{summary.resolved} resolved."
        )


def condition(finding: Finding) -> tuple[str, str]:
    """Return what is wrong with the connection: words before, and the words that matter."""
    match finding.kind:
        case DriftKind.MISSING if finding.connection_id:
            return "is declared, but", "its create was interrupted"
        case DriftKind.MISSING:
            return "is declared, but", "not live"
        case DriftKind.CHANGED:
            return "is", "not as declared"
        case DriftKind.UNEXPECTED:
            return "is", "live, but declared to be gone"
        case _:
            assert_never(finding.kind)


def side_text(finding: Finding, value: Value | None) -> str:
    """Return one side's value as HCL writes it; nothing of a secret but that it is one."""
    if finding.is_sensitive:
        return SENSITIVE
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{quoted(key)} = {value_text(value[key])}" for key in sorted(value))
        return f"{{{pairs}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    return value_text(value or "")


def difference(one: Finding) -> str:
    """Return a finding in a few lines: what differs, and how, where that may be said."""
    if not one.attribute:
        return f"{one.address} {' '.join(condition(one))}"
    sides = f"declared: {side_text(one, one.declared)}\nlive: {side_text(one, one.live)}"
    return f"{one.attribute} of {one.address} is not as declared\n{sides}"


def subject(finding: Finding) -> str:
    """Return the address, the attribute if there is one, and the kind."""
    attribute = f" {finding.attribute}" if finding.attribute else ""
    return f"{visible(str(finding.address))}{visible(attribute)} ({finding.kind.value})"
