"""What the server's request log tells of several runs: whose a connection is, and who may have left two.

Two configured connections of one declared name are excused in one case only, which product names: a run was
killed after its update and before the end of its wait. A run's wait ends with the first reading after its
update on which its own connection is the only configured one of that name. So every other run that keeps a
connection must have had such a reading, or have asked in vain to delete its own. The log's order is the
order of effects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from reconciler.emulator import LoggedRequest
    from tests.soak.rounds import Reckoning

_CREATE: Final = "create-oidc-connection"
_UPDATE: Final = "update-oidc-connection"
_DELETE: Final = "delete-connection"
_LIST: Final = "list-connections"

LEFT_BY_A_KILL: Final = "two configured, left by a run that was killed before the end of its wait"
"""Counted apart: what product names as the case that no client can close."""

KEPT_BY_THE_SERVICE: Final = f"{LEFT_BY_A_KILL}, where the service did not delete the other one"

LEFTOVERS: Final = "leftovers of interrupted creates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The requests of all runs, which ``runner`` names, and the runs that were ``killed``.

    ``cut_off`` tells how often a run says that the answer to a create of this name did not reach it: it may
    have been sent, while the run was frozen for longer than it waits. ``edits`` are the positions at which a
    person edited connections. ``lists_lag``: a list may show what was there before, though never less than
    its run has written.
    """

    requests: tuple[LoggedRequest, ...]
    runner: Callable[[LoggedRequest], str]
    killed: Collection[str]
    cut_off: Mapping[str, int] = field(default_factory=dict)
    edits: Mapping[str, int] = field(default_factory=dict)
    lists_lag: bool = False

    def is_excused(self, configured: Collection[str]) -> bool:
        """Whether all but one were left by runs that were killed in their waits.

        The run that keeps the one has seen it as the only one, or the service did not delete it.
        """
        left = [connection_id for connection_id in configured if self._was_left(connection_id, configured)]
        return len(left) >= len(configured) - 1 and all(
            self._settled(connection_id, configured) or self.is_kept_by_the_service(connection_id)
            for connection_id in configured
            if connection_id not in left
        )

    def is_kept_by_the_service(self, connection_id: str) -> bool:
        """Whether the run that made it lives, has asked to delete it, and the service did not do so.

        That is the run which configured it, or which created it if nobody did.
        """
        update = self._update(connection_id)
        made = update[1] if update else self._create(connection_id)
        if made is None or self.runner(made) in self.killed:
            return False
        return any(
            entry.operation == _DELETE
            and entry.path.endswith(f"/{connection_id}")
            and self.runner(entry) == self.runner(made)
            for entry in self.requests
        )

    def foreign_deletes(self, planned: Mapping[str, Collection[str]]) -> tuple[str, ...]:
        """Deletes that the run had not planned, of what its own create was not answered with."""
        return tuple(
            str(delete.connection_id)
            for delete in self.withdrawals(planned)
            if not any(
                create.connection_id == delete.connection_id
                and self.runner(create) == self.runner(delete)
                and is_answered(create)
                for _, create in self._effects(_CREATE)
            )
        )

    def withdrawals(self, planned: Mapping[str, Collection[str]]) -> tuple[LoggedRequest, ...]:
        """Deletes that are not in the plan of the run that sent them."""
        return tuple(
            delete
            for _, delete in self._effects(_DELETE)
            if delete.connection_id not in planned.get(self.runner(delete), ())
        )

    def was_interrupted(self, connection_id: str) -> bool:
        """Whether the run that created it was killed, or never got the answer to its create.

        Of creates that were answered a run has missed no more answers than it says.
        """
        create = self._create(connection_id)
        if create is None:
            return False
        run = self.runner(create)
        lost = sum(
            _is_lost(entry) and self.runner(entry) == run and _what(entry) == _what(create)
            for entry in self.requests
            if entry.operation == _CREATE
        )
        return run in self.killed or _is_lost(create) or self.cut_off.get(run, 0) > lost

    def edited_before_its_run_looked(self, connection_id: str, others: Collection[str]) -> bool:
        """Whether the run that created it could see that a person had edited one of the others."""
        create = self._create(connection_id)
        last_seen = self.last_seen(create.organization_id, [self.runner(create)]) if create else -1
        return any(self.edits.get(other, last_seen + 1) <= last_seen for other in others)

    def was_created(self, connection_id: str) -> bool:
        """Whether one of the runs created it."""
        return self._create(connection_id) is not None

    def last_seen(self, organization_id: str | None, runs: Collection[str]) -> int:
        """Return the position of the last good reading of an organization by one of these runs."""
        return max(
            (position for run in runs for position in self._readings(run, organization_id)), default=-1
        )

    def story(self, organization_id: str) -> str:
        """What was sent about an organization, one request a line."""
        begin = self.requests[0].started_at if self.requests else 0.0
        return "".join(
            f"\n    {entry.started_at - begin:8.3f} +{entry.duration:.3f} {self.runner(entry)} "
            f"{entry.operation} {entry.connection_id[-4:]} {entry.status} {' '.join(entry.faults)}"
            for entry in self.requests
            if organization_id in {entry.organization_id, *entry.path.split("/")}
        )

    def _was_left(self, connection_id: str, configured: Collection[str]) -> bool:
        """Whether the run that configured it was killed before it had seen it as the only one.

        A run that had seen another one before its update should not have sent that.
        """
        update = self._update(connection_id)
        return (
            update is not None
            and self.runner(update[1]) in self.killed
            and not self._settled(connection_id, configured)
            and not self._knew_better(*update, configured)
        )

    def _knew_better(self, position: int, update: LoggedRequest, configured: Collection[str]) -> bool:
        """Whether its run had read, before an update, that another one was configured."""
        return not self.lists_lag and any(
            self._is_rivalled(update.connection_id, configured, reading)
            for reading in self._readings(self.runner(update), update.organization_id)
            if reading < position
        )

    def _settled(self, connection_id: str, configured: Collection[str]) -> bool:
        """Whether the run that configured it has seen it as the only configured one."""
        update = self._update(connection_id)
        if update is None:
            return False
        position, entry = update
        return any(
            not self._is_rivalled(connection_id, configured, position if self.lists_lag else reading)
            for reading in self._readings(self.runner(entry), entry.organization_id)
            if reading > position
        )

    def _is_rivalled(self, connection_id: str, configured: Collection[str], position: int) -> bool:
        """Whether another one of those that are configured in the end was so at that position."""
        return any(
            (update := self._update(rival)) is None or update[0] < position
            for rival in configured
            if rival != connection_id
        )

    def _update(self, connection_id: str) -> tuple[int, LoggedRequest] | None:
        """Return the update that configured a connection, the first one."""
        updates = (effect for effect in self._effects(_UPDATE) if effect[1].connection_id == connection_id)
        return next(updates, None)

    def _create(self, connection_id: str) -> LoggedRequest | None:
        creates = (entry for _, entry in self._effects(_CREATE) if entry.connection_id == connection_id)
        return next(creates, None)

    def _readings(self, run: str, organization_id: str | None) -> Iterator[int]:
        for position, entry in enumerate(self.requests):
            if (
                entry.operation == _LIST
                and entry.organization_id == organization_id
                and self.runner(entry) == run
                and is_answered(entry)
            ):
                yield position

    def _effects(self, operation: str) -> Iterator[tuple[int, LoggedRequest]]:
        for position, entry in enumerate(self.requests):
            if entry.operation == operation and entry.applied:
                yield position, entry


def judge_deletes(
    trace: Trace, reckoning: Reckoning, planned: Mapping[str, Collection[str]] = MappingProxyType({})
) -> None:
    """A run deletes what its own plan shows, and what its own create was answered with."""
    reckoning.counts["connections withdrawn"] += len(trace.withdrawals(planned))
    reckoning.wrong += [
        f"deleted what it had not created: {connection_id}"
        for connection_id in trace.foreign_deletes(planned)
    ]


def judge_twins(
    trace: Trace,
    reckoning: Reckoning,
    connections: Collection[Mapping[str, str]],
    edited: Collection[str] = (),
) -> None:
    """Two of one name are a finding, but in the one case that product names, and where a create was cut off.

    What was ``edited`` by a person is not compared with others, and all stay beside it. What none of the
    runs created is not judged.
    """
    configured = {one["connection_id"] for one in connections if one["client_id"]}
    left = {one["connection_id"] for one in connections} - configured
    name = " ".join({one["display_name"] for one in connections})
    story = "".join(trace.story(one) for one in {one["organization_id"] for one in connections})
    compared = configured.difference(edited)
    if len(compared) > 1:
        if trace.is_excused(compared):
            is_kept = any(map(trace.is_kept_by_the_service, compared))
            reckoning.counts[KEPT_BY_THE_SERVICE if is_kept else LEFT_BY_A_KILL] += 1
        else:
            reckoning.wrong.append(f"twins: {name}: {sorted(compared)}{story}")
    if left and configured:
        reckoning.counts[LEFTOVERS] += 1
        reckoning.wrong += [
            f"twins: {name}: {one} was left although nothing interrupted its create{story}"
            for one in sorted(left)
            if trace.was_created(one)
            and not trace.was_interrupted(one)
            and not trace.is_kept_by_the_service(one)
            and not trace.edited_before_its_run_looked(one, configured)
        ]


def _what(create: LoggedRequest) -> tuple[str, object]:
    """Return the place and the name of what was to be created."""
    return create.path, create.body.get("display_name")


def _is_lost(create: LoggedRequest) -> bool:
    """Whether its run cannot know what came of it."""
    has_failed = create.status is not None and create.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_answered(create) and (create.applied or not has_failed)


def is_answered(entry: LoggedRequest) -> bool:
    """Whether a whole answer was sent, and a good one."""
    return entry.status == 200 and not any("latency" not in fault for fault in entry.faults)
