"""The outcome of each operation, and of the run as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.change import Action

if TYPE_CHECKING:
    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The operation that an outcome is of."""

    address: Address
    action: Action
    organization_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied(Operation):
    """The operation took effect, which a reading has confirmed.

    ``history`` lists what went wrong on the way and how it was handled: adopted, corrected, withdrawn.
    """

    connection: OidcConnection
    warnings: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unneeded(Operation):
    """Nothing was left to do: the live state already was what the operation wants.

    ``history`` says what this run has withdrawn, where another run created the same connection.
    """

    connection: OidcConnection | None = None
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Operation):
    """The operation was refused, failed, or did not converge.

    ``status`` is HTTP's, 0 if there was none. ``history`` lists what went wrong before.
    """

    message: str
    advice: str = ""
    error_type: str = ""
    request_id: str = ""
    status: int = 0
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Operation):
    """The operation was not started."""

    reason: str


Outcome = Applied | Unneeded | Failed | Skipped


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """All outcomes, in the order of the plan.

    ``interrupted``: the user or CI interrupted the run. ``diagnostics`` are those of the plan: organizations
    that were refused there have no outcome here.
    ``scope`` is the project, if it is known.
    """

    outcomes: tuple[Outcome, ...] = ()
    interrupted: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()
    scope: Scope | None = None

    @property
    def applied(self) -> tuple[Applied, ...]:
        """The operations that took effect."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Applied))

    @property
    def failed(self) -> tuple[Failed, ...]:
        """The operations that failed."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Failed))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The operations that were not started."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Skipped))

    @property
    def unneeded(self) -> tuple[Unneeded, ...]:
        """The operations that had nothing left to do."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Unneeded))

    @property
    def is_complete(self) -> bool:
        """Whether everything that was planned is live now."""
        refused = any(diagnostic.is_error for diagnostic in self.diagnostics)
        return not (self.failed or self.skipped or refused)

    def count(self, action: Action) -> int:
        """Return how many operations of that action took effect."""
        return sum(outcome.action is action for outcome in self.applied)

    @property
    def added(self) -> int:
        """The number of connections created."""
        return self.count(Action.CREATE)

    @property
    def changed(self) -> int:
        """The number of connections updated."""
        return self.count(Action.UPDATE)

    @property
    def destroyed(self) -> int:
        """The number of connections deleted."""
        return self.count(Action.DELETE)
