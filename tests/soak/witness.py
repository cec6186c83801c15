"""Who saw what before writing: the definitions of an avoidable duplicate and of a lost update.

Both are judged by the server's request log, whose order is the order of effects, and by the moments
at which each request was sent and each answer arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.support.service import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from reconciler.emulator import Emulator, LoggedRequest

_NUMBER: Final = "x-request-number"
_CREATE: Final = "create-oidc-connection"
_UPDATE: Final = "update-oidc-connection"
_DELETE: Final = "delete-connection"
_LIST: Final = "list-connections"


@dataclass(frozen=True)
class Edit:
    """What a person changed; ``position`` counts the effects that came before."""

    position: int
    connection_id: str
    values: dict[str, str]


@dataclass
class Witness:
    """Watches all runs of a round; ``saw_plan`` is called when a run has its plan."""

    emulator: Emulator
    names: frozenset[tuple[str, str]]
    edits: list[Edit] = field(default_factory=list)
    removed: set[tuple[str, str]] = field(default_factory=set)
    _sent: int = 0
    _answered: dict[int, int] = field(default_factory=dict)
    _planned: dict[str, int] = field(default_factory=dict)

    def hook(self, moment: Moment, request: httpx.Request) -> None:
        """Number each request, and take note of when it was sent and answered."""
        if moment is Moment.BEFORE:
            request.headers[_NUMBER] = str(self._sent)
            self._sent += 1
        if moment is Moment.AFTER:
            self._answered[int(request.headers[_NUMBER])] = self._sent

    def saw_plan(self, runner: str) -> None:
        """From now on the runner writes what its plan has shown."""
        self._planned[runner] = self._sent

    def edit(self, connection_id: str, values: dict[str, str]) -> None:
        """A person changes a connection now."""
        self.edits.append(Edit(len(self.emulator.request_log), connection_id, values))
        self.emulator.edit_connection(connection_id, **values)

    def avoidable_duplicates(self) -> tuple[str, ...]:
        """Creates of a name of which the same run had been shown a connection before it sent them."""
        return tuple(
            f"{organization_id} {name}"
            for position, create in self._effects(_CREATE)
            if (name := str(create.body["display_name"]))
            and (organization_id := str(create.organization_id))
            and (organization_id, name) not in self.removed
            and self._was_shown(create, self._first(organization_id, name, position))
        )

    def lost_updates(self) -> tuple[str, ...]:
        """Writes over what somebody else wrote after the plan, although the run had been shown it."""
        return tuple(found for found, was_shown in self._overwritten() if was_shown)

    def races(self) -> int:
        """Writes over what nobody could see: it came between the last look and the write itself."""
        return sum(not was_shown for _, was_shown in self._overwritten())

    def _overwritten(self) -> Iterator[tuple[str, bool]]:
        for position, write in (*self._effects(_UPDATE), *self._effects(_DELETE)):
            connection_id = write.path.rpartition("/")[2]
            for edit in self._others(write, connection_id, position):
                if edit.position > self._plan_of(write):
                    told = ", ".join(edit.values)
                    yield f"{told} of {connection_id}", self._was_shown(write, edit.position)

    def _others(self, write: LoggedRequest, connection_id: str, position: int) -> Iterator[Edit]:
        """Yield what others wrote last before this write, where the write makes it something else.

        A plan holds no secrets, so a delete cannot know that only the secret was changed since.
        """
        fields = write.body if write.operation == _UPDATE else None
        for name in fields or {name for edit in self.edits for name in edit.values} - {"client_secret"}:
            last = self._last_writer(connection_id, name, position)
            if last is None or last[1] == runner(write):
                continue
            edit = last[0]
            if not fields or edit.values[name] != fields[name]:
                yield Edit(edit.position, connection_id, {name: edit.values[name]})

    def _last_writer(self, connection_id: str, name: str, before: int) -> tuple[Edit, str] | None:
        found = [
            (edit, "a person")
            for edit in self.edits
            if edit.connection_id == connection_id and name in edit.values and edit.position <= before
        ]
        found += [
            (Edit(position + 1, connection_id, put.body), runner(put))
            for position, put in self._effects(_UPDATE)
            if position < before and put.path.endswith(connection_id) and name in put.body
        ]
        return max(found, key=lambda one: one[0].position, default=None)

    def _effects(self, operation: str) -> Iterator[tuple[int, LoggedRequest]]:
        for position, entry in enumerate(self.emulator.request_log):
            if entry.operation == operation and entry.applied:
                yield position, entry

    def _first(self, organization_id: str, name: str, before: int) -> int:
        """Return how many effects had come when there was a connection of that name."""
        if (organization_id, name) in self.names:
            return 0
        earlier = (
            position + 1
            for position, create in self._effects(_CREATE)
            if (create.organization_id, create.body["display_name"]) == (organization_id, name)
        )
        return min(earlier, default=before + 1)

    def _was_shown(self, write: LoggedRequest, since: int) -> bool:
        """Whether its run had an answer from after ``since`` in its hands when it sent the write."""
        sent = _number(write)
        return any(
            position >= since and self._answered.get(_number(entry), self._sent + 1) <= sent
            for position, entry in self._answers(write)
        )

    def _plan_of(self, write: LoggedRequest) -> int:
        """Return the position of the last answer that the plan of the write's run is made of."""
        planned = self._planned[runner(write)]
        seen = [position for position, entry in self._answers(write) if _number(entry) < planned]
        return max(seen, default=0)

    def _answers(self, write: LoggedRequest) -> Iterator[tuple[int, LoggedRequest]]:
        """Yield the good answers to the write's run that show the connection: lists, and writes to it."""
        for position, entry in enumerate(self.emulator.request_log):
            if (
                (entry.operation == _LIST or (entry.operation == _UPDATE and entry.path == write.path))
                and entry.organization_id == write.organization_id
                and runner(entry) == runner(write)
                and entry.status == 200
                and not any("latency" not in fault for fault in entry.faults)
            ):
                yield position, entry


def _number(entry: LoggedRequest) -> int:
    return int(entry.headers[_NUMBER])


def runner(entry: LoggedRequest) -> str:
    """Return who sent a request."""
    return entry.headers["x-runner"]
