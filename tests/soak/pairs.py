"""Pairs of the real command, started in the same moment on missing connections; some frozen, some killed."""

from __future__ import annotations

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.emulator import EmulatorSettings
from tests.soak.processes import commands
from tests.soak.rounds import Reckoning
from tests.soak.trace import judge_deletes, judge_twins
from tests.support.project import write_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.soak.processes import Commands

CONNECTIONS: Final = 300
_EACH: Final = 5
_LATENCY: Final = 0.02
_REQUESTS_OF_EACH: Final = 6
"""For one connection, of both runs together; by then one of the two is frozen or killed."""


def play(seed: str, *, kills: bool, connections: int = CONNECTIONS) -> Reckoning:
    """Play one pair; one of the two is killed at a random moment, or else in every second pair frozen."""
    settings = EmulatorSettings(random_seed=random.Random(seed).randrange(2**32))
    with TemporaryDirectory() as folder, commands(settings, Path(folder), 3) as pair:
        return _Pair(random.Random(seed), pair, connections).play(kills=kills)


class _Pair:
    def __init__(self, chance: random.Random, pair: Commands, connections: int) -> None:
        self._chance = chance
        self._commands = pair
        self._emulator = pair.emulator
        self._reckoning = Reckoning()
        self._most_requests = _REQUESTS_OF_EACH * connections
        self._declared: Mapping[str, Sequence[str]] = {
            f"org-{number}": tuple(f"c{n}" for n in range(_EACH)) for number in range(connections // _EACH)
        }

    def play(self, *, kills: bool) -> Reckoning:
        """Play the pair to its end."""
        for organization in self._declared:
            self._emulator.add_organization(organization)
        write_project(self._commands.folder, self._declared)
        self._emulator.add_fault(f"*:latency:seconds={_LATENCY}")
        killed, said = self._race(kills=kills)
        time.sleep(1)
        self._judge(killed=killed, said=said)
        if killed:
            self._judge_next(self._commands.start().end(self._reckoning))
        trace = self._commands.trace()
        self._reckoning.counts["requests"] += len(trace.requests)
        judge_deletes(trace, self._reckoning)
        return self._reckoning

    def _race(self, *, kills: bool) -> tuple[bool, str]:
        """Let both run to their ends; return whether one was killed, and what failed ones have said."""
        pair, counts = [self._commands.start() for _ in range(2)], self._reckoning.counts
        victim, number = self._chance.choice(pair), self._chance.randint(1, self._most_requests)
        self._commands.wait(victim, number, self._chance.uniform(0, 0.1))
        if kills:
            victim.kill()
        elif self._chance.random() < 0.5:
            counts["freezes"] += victim.freeze(self._chance.choice([0.5, 2.0, 10.0]))
        output = [command.end(self._reckoning) for command in pair]
        killed = any(command.was_killed for command in pair)
        counts["kills"] += killed
        codes = [command.process.returncode for command in pair]
        if not killed and codes != [0, 0]:
            self._reckoning.wrong.append(
                f"not converged: exit codes {codes}: {' / '.join(map(_complaints, output))}"
            )
        said = (text for command, text in zip(pair, output, strict=True) if command.process.returncode == 1)
        return killed, "".join(said)

    def _judge(self, *, killed: bool, said: str) -> None:
        """Without a kill there is exactly one of each name; who cannot withdraw fails, and says so."""
        trace = self._commands.trace()
        for connections in self._commands.duplicates(self._declared):
            judge_twins(trace, self._reckoning, connections)
            kept = [one["connection_id"] for one in connections]
            if any(map(trace.is_kept_by_the_service, kept)) and not all(one in said for one in kept):
                self._reckoning.wrong.append(f"silent duplicate: {kept}")
        for organization, names in self._declared.items():
            active = {
                connection["display_name"]
                for connection in self._emulator.oidc_connections(organization)
                if connection["status"] == "active"
            }
            if missing := set(names) - active:
                self._reckoning.counts["missing until the next run"] += len(missing)
                if not killed:
                    self._reckoning.wrong.append(f"not converged: {organization} lacks {sorted(missing)}")

    def _judge_next(self, said: str) -> None:
        """After a kill the next run creates what is missing, and names everything that is there twice."""
        duplicates = self._commands.duplicates(self._declared)
        for connections in duplicates:
            configured = [one["connection_id"] for one in connections if one["client_id"]]
            left = [one["connection_id"] for one in connections if not one["client_id"]]
            unnamed = [one for one in (left if len(configured) == 1 else configured) if one not in said]
            if unnamed:
                self._reckoning.wrong.append(f"silent duplicate: {unnamed}")
        doubled = {connections[0]["organization_id"] for connections in duplicates}
        for organization, names in self._declared.items():
            live = self._emulator.oidc_connections(organization)
            is_refused = live and live[0]["organization_id"] in doubled
            if not is_refused and len({one["display_name"] for one in live}) < len(names):
                self._reckoning.wrong.append(
                    f"not converged: {organization} after another run: {said[-800:]}"
                )


def _complaints(output: str) -> str:
    """Return the errors that a run ended with."""
    return "".join(box for box in output.split("╷") if box.lstrip().startswith("│ Error"))[:4000]
