"""The lines that tell, while an apply runs, what begins and what has ended; in Terraform's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.core.change import Action, Create
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from reconciler.reports.style import Style
from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome

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


def render_started(change: Change, *, color: bool = False) -> str:
    """Return the line for an operation that begins now."""
    return _line(change.address, f"{_VERBS[change.action]}...{_identity(_known_id(change))}", color=color)


def render_running(change: Change, seconds: float, *, color: bool = False) -> str:
    """Return the line for an operation that has been going on for so many seconds."""
    facts = [f"id={visible(known)}"] if (known := _known_id(change)) else []
    facts.append(f"{seconds:.0f}s elapsed")
    verb = _VERBS[change.action].lower()
    return _line(change.address, f"Still {verb}... [{', '.join(facts)}]", color=color)


def render_finished(outcome: Outcome, *, color: bool = False) -> str:
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
            words = f"{noun} skipped: {visible(outcome.reason)}"
        case _:
            assert_never(outcome)
    return _line(outcome.address, words, color=color)


def _line(address: Address, words: str, *, color: bool) -> str:
    return f"{Style(color).bold(f'{visible(str(address))}:')} {words}"


def _known_id(change: Change) -> str:
    before = change.resumes if isinstance(change, Create) else change.before
    return (before.connection_id or "") if before else ""


def _new_identity(outcome: Applied) -> str:
    is_gone = outcome.action is Action.DELETE
    return "" if is_gone else _identity(outcome.connection.connection_id or "")


def _identity(connection_id: str) -> str:
    return f" [id={visible(connection_id)}]" if connection_id else ""
