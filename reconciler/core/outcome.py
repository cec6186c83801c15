"""The outcome of each operation and of the run as a whole, and the pins that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.change import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.plan import Scope
    from reconciler.core.state import DesiredOrganization


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPin:
    """A declaration without an id for this environment. ``address`` is that of a connection or organization.

    ``id`` is empty if nothing exists here, and the single id of the other environment becomes a map.
    ``other_ids`` are those of other environments, beside which it is written as a map.
    """

    address: str
    id: str
    location: SourceLocation
    is_organization: bool = False
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """All outcomes, in the order of the plan.

    ``interrupted``: the user or CI interrupted the run. ``diagnostics`` are those of the plan: organizations
    that were refused there have no outcome here.
    ``scope`` is the project, if it is known, ``commit`` that of the plan, ``ended_at`` RFC 3339 in UTC.
    ``pins`` are the IDs of what was created, which the manifests lack.
    """

    outcomes: tuple[Outcome, ...] = ()
    interrupted: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()
    scope: Scope | None = None
    commit: str = ""
    ended_at: str = ""
    pins: tuple[MissingPin, ...] = ()

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
    def created(self) -> tuple[Applied, ...]:
        """The connections that were created, with the redirect_url that an administrator has to register."""
        return tuple(applied for applied in self.applied if applied.action is Action.CREATE)

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


def pins_to_write(
    outcomes: Iterable[Outcome], declared: Iterable[DesiredOrganization]
) -> tuple[MissingPin, ...]:
    """Return the pins that the manifests lack: of what an apply created, and of its organizations."""
    created = {outcome.address: outcome for outcome in outcomes if _is_created(outcome)}
    present = (organization for organization in declared if not organization.commit)
    pins = (pin for organization in present for pin in _pins_of(organization, created))
    return tuple(dict.fromkeys(pins))


def _is_created(outcome: Outcome) -> bool:
    """Tell whether a connection exists after this create, made by this run or another."""
    connection = outcome.connection if isinstance(outcome, Applied | Unneeded) else None
    return outcome.action is Action.CREATE and connection is not None and bool(connection.connection_id)


def _pins_of(organization: DesiredOrganization, created: Mapping[Address, Outcome]) -> Iterator[MissingPin]:
    unpinned = [
        (connection, created[connection.address])
        for connection in organization.connections
        if connection.address in created and connection.connection.connection_id is None
    ]
    for organization_id in {outcome.organization_id for _, outcome in unpinned} - organization.names:
        yield MissingPin(
            address=organization.reference,
            id=organization_id,
            location=organization.location,
            is_organization=True,
            other_ids=organization.other_ids,
        )
    for connection, outcome in unpinned:
        if isinstance(outcome, Applied | Unneeded) and outcome.connection:
            yield MissingPin(
                address=str(connection.address),
                id=outcome.connection.connection_id or "",
                location=connection.location,
                other_ids=connection.other_ids,
            )
