"""Text about the progress of a run: operations that begin and end, in Terraform's words, and counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.core.change import Action, Create, DefaultChange
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_style import PLAIN

if TYPE_CHECKING:
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome
    from reconciler.reports.text_style import Style

_FAST: Final = 10
"""Faster rates are shown without decimals."""

_VERBS = {
    Action.NO_OP: "Reading",
    Action.CREATE: "Creating",
    Action.UPDATE: "Modifying",
    Action.DELETE: "Destroying",
}
_NOUNS = {
    Action.NO_OP: "Read",
    Action.CREATE: "Creation",
    Action.UPDATE: "Modifications",
    Action.DELETE: "Destruction",
}


def render_started(change: Change, *, style: Style = PLAIN) -> str:
    """Return the line for an operation that begins now."""
    return _line(change.address, f"{_VERBS[change.action]}...{_identity(_known_id(change))}", style=style)


def render_running(change: Change, seconds: float, *, style: Style = PLAIN) -> str:
    """Return the line for an operation that has been running for ``seconds``."""
    facts = [f"id={escape_terminal(known)}"] if (known := _known_id(change)) else []
    facts.append(f"{seconds:.0f}s elapsed")
    verb = _VERBS[change.action].lower()
    return _line(change.address, f"Still {verb}... [{', '.join(facts)}]", style=style)


def render_finished(outcome: Outcome, *, style: Style = PLAIN) -> str:
    """Return the line for an operation that has ended, or was not begun."""
    noun = _NOUNS[outcome.action]
    match outcome:
        case Applied():
            words = f"{noun} complete after {outcome.seconds:.0f}s{_new_identity(outcome)}"
        case Unneeded():
            words = f"{noun} not needed, already done"
        case Failed():
            words = f"{noun} failed"
        case Skipped():
            words = f"{noun} skipped: {escape_terminal(outcome.reason)}"
        case _:
            assert_never(outcome)
    return _line(outcome.address, words, style=style)


def render_counted(done: int, total: int, seconds: float) -> str:
    """Return counts, rate and time left of a count that began ``seconds`` ago.

    A ``total`` of 0 is not known; it is never shown as less than what is done.
    """
    rate = done / seconds if seconds > 0 else 0.0
    counts = f"{done:,} of {max(total, done):,}" if total else f"{done:,}"
    if not rate:
        return counts
    left = f", {_duration((total - done) / rate)} left" if total > done else ""
    return f"{counts} [{rate:.{0 if rate >= _FAST else 1}f} a second{left}]"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _line(address: Address, words: str, *, style: Style) -> str:
    return f"{style.bold(f'{escape_terminal(str(address))}:')} {words}"


def _known_id(change: Change) -> str:
    if isinstance(change, DefaultChange):
        return change.connection_id
    before = change.resumes if isinstance(change, Create) else change.before
    return (before.connection_id or "") if before else ""


def _new_identity(outcome: Applied) -> str:
    is_gone = outcome.action is Action.DELETE
    return "" if is_gone else _identity(outcome.connection.connection_id or "")


def _identity(connection_id: str) -> str:
    return f" [id={escape_terminal(connection_id)}]" if connection_id else ""
