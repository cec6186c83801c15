"""What deserves to be said of a decision that nothing forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, NoOp, Update
from reconciler.core.connection import REQUIRED_TO_BECOME_ACTIVE
from reconciler.core.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from reconciler.core.change import Decision
    from reconciler.core.desired import DesiredConnection

NOT_COMPARABLE: Final = "secret-not-comparable"
"""The code of the warning that the service masks a declared secret."""


EXPIRY_WARNINGS: Final = (1, 7, 30, 60)
"""Days before ``secret_expires_on`` at which the warning becomes another one."""


def remarks(
    desired: DesiredConnection, decision: Decision | None, today: date | None = None
) -> Iterable[Diagnostic]:
    """Yield warnings about what was decided for one declaration; None: there is nothing to decide."""
    if today is not None and desired.secret_expires_on is not None and not desired.is_absent:
        yield from _expiring(desired, desired.secret_expires_on, today)
    if isinstance(decision, Create):
        yield from _incomplete(desired)
    elif isinstance(decision, (NoOp, Update)) and decision.uncomparable:
        yield _warning(
            desired,
            NOT_COMPARABLE,
            f"client_secret of {desired.address} cannot be compared: the service masks it",
            f"to send it again, add the option `--rotate {desired.address}`",
        )
    if decision is None:
        yield _warning(
            desired,
            "tombstone-done",
            f"{desired.address} is gone: its tombstone has done its work",
            "the block can be removed from the manifest",
        )


def _expiring(desired: DesiredConnection, expiry: date, today: date) -> Iterable[Diagnostic]:
    """Warn in steps, so that from day to day a report says the same until it grows more urgent."""
    left = (expiry - today).days
    step = next((days for days in EXPIRY_WARNINGS if left <= days), None)
    if step is not None:
        when = "has expired" if left < 0 else f"expires within {step} day{'s' if step > 1 else ''}"
        yield _warning(
            desired,
            "secret-expires",
            f"client_secret of {desired.address} {when} ({expiry})",
            "have a new one issued at the identity provider, put it where the reference points, and correct "
            "`secret_expires_on`",
        )


def _incomplete(desired: DesiredConnection) -> Iterable[Diagnostic]:
    missing = [name for name in REQUIRED_TO_BECOME_ACTIVE if getattr(desired.connection, name) is None]
    if missing:
        yield _warning(
            desired,
            "stays-pending",
            f"{desired.address} will stay pending: {', '.join(missing)} not declared",
            "declare them, or nobody can log in through it",
        )


def _warning(desired: DesiredConnection, code: str, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        code,
        summary,
        detail=detail,
        address=str(desired.address),
        location=desired.location,
    )
