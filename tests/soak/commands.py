"""One round of the real command over loopback: processes that are killed with SIGKILL, two at once."""

from __future__ import annotations

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.emulator import EmulatorSettings
from tests.soak.processes import commands
from tests.soak.rounds import Reckoning, chance_of_each
from tests.soak.trace import judge_deletes, judge_twins
from tests.support.project import write_project

if TYPE_CHECKING:
    from reconciler.emulator import Emulator
    from tests.soak.processes import Command, Commands

_EFFECTS: Final = (
    "429",
    "500",
    "502:after",
    "503",
    "html:after",
    "truncated",
    "empty:after",
    "malformed:after",
    "reset",
    "reset:after",
)
_SHARE_OF_DEATHS: Final = 0.5
_SHARE_OF_FREEZES: Final = 0.5
_ATTEMPTS: Final = 4

_RUNS: Final = 3 + 1 + _ATTEMPTS
"""At most, with those that come when the faults have ended."""

_SECONDS_OF_REST: Final = 1.0
"""Until the service has carried out what the killed have left on its way; its latency is a tenth of it."""


def play(seed: str) -> Reckoning:
    """Play one round. What is done follows from the seed; how the processes race does not."""
    with TemporaryDirectory() as folder:
        settings = EmulatorSettings(
            random_seed=random.Random(seed).randrange(2**32), switches={"default-connection": "never"}
        )
        with commands(settings, Path(folder), _RUNS) as started:
            return _Round(random.Random(seed), started).play()


class _Round:
    def __init__(self, chance: random.Random, started: Commands) -> None:
        self._chance = chance
        self._commands = started
        self._reckoning = Reckoning()
        self._declared = {
            f"org-{number}": tuple(f"c{n}" for n in range(chance.randint(1, 3)))
            for number in range(chance.randint(1, 2))
        }

    @property
    def _emulator(self) -> Emulator:
        return self._commands.emulator

    def play(self) -> Reckoning:
        """Play the round to its end."""
        for organization in self._declared:
            self._emulator.add_organization(organization)
        write_project(self._commands.folder, self._declared)
        for effect in self._chance.sample(_EFFECTS, 4):
            kind, _, options = effect.partition(":")
            words = ",".join(filter(None, (options, f"chance={chance_of_each(4)}")))
            self._emulator.add_fault(f"*:{kind}:{words}")
        self._emulator.add_fault("*:latency:seconds=0,up-to=0.1")
        said = self._chaos()
        self._emulator.clear_faults()
        time.sleep(_SECONDS_OF_REST)
        self._reckon()
        self._judge_twins(said)
        self._judge_peace()
        judge_deletes(self._commands.trace(), self._reckoning)
        return self._reckoning

    def _chaos(self) -> str:
        started = [self._commands.start() for _ in range(self._chance.choice([1, 2, 2, 3]))]
        counts = self._reckoning.counts
        for command in started:
            if self._chance.random() < _SHARE_OF_FREEZES:
                self._wait(command)
                counts["freezes"] += command.freeze(self._chance.choice([0.5, 2.0, 10.0]))
            elif self._chance.random() < _SHARE_OF_DEATHS:
                self._wait(command)
                command.kill()
        said = "".join(command.end(self._reckoning) for command in started)
        counts["runs"] += len(started)
        counts["rounds with two runs"] += len(started) == 2
        counts["rounds with three runs"] += len(started) == 3
        counts["kills"] += sum(command.was_killed for command in started)
        return said

    def _wait(self, command: Command) -> None:
        self._commands.wait(command, self._chance.randint(1, 16), self._chance.uniform(0, 0.1))

    def _reckon(self) -> None:
        requests = list(self._emulator.request_log)
        self._reckoning.counts["requests"] += len(requests)
        self._reckoning.counts["faults"] += sum(
            any("latency" not in name for name in request.faults) for request in requests
        )

    def _judge_twins(self, said: str) -> None:
        """Two of one name are excused in one case; the next run names all that there is too much."""
        trace, duplicates = self._commands.trace(), self._commands.duplicates(self._declared)
        later = self._commands.start().end(self._reckoning) if duplicates else ""
        for connections in duplicates:
            judge_twins(trace, self._reckoning, connections)
            ids = [connection["connection_id"] for connection in connections]
            configured = [one["connection_id"] for one in connections if one["client_id"]]
            left = [one for one in ids if one not in configured]
            for unnamed in (configured if len(configured) > 1 else []) + (left if configured else []):
                if unnamed not in said + later:
                    self._reckoning.wrong.append(f"silent duplicate: {unnamed}")
            for superfluous in sorted(ids, key=lambda one: one not in configured)[1:]:
                self._emulator.remove_connection(superfluous)

    def _judge_peace(self) -> None:
        code, said = self._reconcile()
        for _ in range(_ATTEMPTS - 1):
            if code:
                code, said = self._reconcile()
        live = {
            organization: sorted(
                (connection["display_name"], connection["status"])
                for connection in self._emulator.oidc_connections(organization)
            )
            for organization in self._declared
        }
        wanted = {
            organization: sorted((name, "active") for name in names)
            for organization, names in self._declared.items()
        }
        if live != wanted or code:
            self._reckoning.wrong.append(f"not converged: {live}: {said[-1000:]}")

    def _reconcile(self) -> tuple[int, str]:
        command = self._commands.start()
        said = command.end(self._reckoning)
        return command.process.returncode, said
