"""Pairs of the real command, started in the same moment on missing connections; some frozen, some killed."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.soak.commands import duplicates, end, freeze
from tests.soak.rounds import Reckoning
from tests.support.project import start_apply, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.emulator import Emulator

CONNECTIONS: Final = 300
_EACH: Final = 5
_LATENCY: Final = 0.02
_LONGEST_RUN: Final = 20.0
"""Seconds within which one of the two is frozen or killed; most pairs take about that long."""


def play(seed: str, *, kills: bool, connections: int = CONNECTIONS) -> Reckoning:
    """Play one pair; one of the two is killed at a random moment, or else in every second pair frozen."""
    chance, reckoning = random.Random(seed), Reckoning()
    declared = {
        f"org-{number}": tuple(f"c{n}" for n in range(_EACH)) for number in range(connections // _EACH)
    }
    settings = EmulatorSettings(random_seed=chance.randrange(2**32))
    with TemporaryDirectory() as name, running_emulator(settings) as running:
        folder, emulator = Path(name), running.emulator
        for organization in declared:
            emulator.add_organization(organization)
        write_project(folder, declared)
        emulator.add_fault(f"*:latency:seconds={_LATENCY}")
        processes = [start_apply(running, folder) for _ in range(2)]
        time.sleep(chance.uniform(0.5, _LONGEST_RUN * connections / CONNECTIONS))
        victim = chance.choice(processes)
        if kills:
            victim.send_signal(signal.SIGKILL)
        elif chance.random() < 0.5:
            reckoning.counts["freezes"] += freeze(victim, chance.choice([0.5, 2.0, 10.0]))
        output = [end(process, reckoning) for process in processes]
        killed = any(process.returncode == -signal.SIGKILL for process in processes)
        reckoning.counts["kills"] += killed
        reckoning.counts["requests"] += len(list(emulator.request_log))
        reckoning.counts["connections withdrawn"] += len(emulator.request_log.of("delete-connection"))
        codes = [process.returncode for process in processes]
        if not killed and codes != [0, 0]:
            reckoning.wrong.append(
                f"not converged: exit codes {codes}: {output[0][-800:]} {output[1][-800:]}"
            )
        time.sleep(1)
        _judge(reckoning, emulator, declared, killed=killed)
        if killed:
            _judge_next(reckoning, emulator, declared, end(start_apply(running, folder), reckoning))
    return reckoning


def _judge(
    reckoning: Reckoning, emulator: Emulator, declared: Mapping[str, Sequence[str]], *, killed: bool
) -> None:
    """Without a kill there is exactly one of each name."""
    several = duplicates(emulator, declared)
    for connections in several:
        configured = [connection for connection in connections if connection["client_id"]]
        if killed and len(configured) > 1:
            reckoning.counts["two configured, left by a run that was killed"] += 1
        elif killed and configured:
            reckoning.counts["leftovers of interrupted creates"] += 1
        else:
            reckoning.wrong.append(f"twins: {[connection['connection_id'] for connection in connections]}")
    for organization, names in declared.items():
        active = {
            connection["display_name"]
            for connection in emulator.oidc_connections(organization)
            if connection["status"] == "active"
        }
        if missing := set(names) - active:
            reckoning.counts["missing until the next run"] += len(missing)
            if not killed:
                reckoning.wrong.append(f"not converged: {organization} lacks {sorted(missing)}")


def _judge_next(
    reckoning: Reckoning, emulator: Emulator, declared: Mapping[str, Sequence[str]], said: str
) -> None:
    """After a kill the next run creates what is missing, and names everything that is there twice."""
    for connections in duplicates(emulator, declared):
        configured = [one["connection_id"] for one in connections if one["client_id"]]
        left = [one["connection_id"] for one in connections if not one["client_id"]]
        unnamed = [one for one in (left if len(configured) == 1 else configured) if one not in said]
        if unnamed:
            reckoning.wrong.append(f"silent duplicate: {unnamed}")
    doubled = {connections[0]["organization_id"] for connections in duplicates(emulator, declared)}
    for organization, names in declared.items():
        live = emulator.oidc_connections(organization)
        is_refused = live and live[0]["organization_id"] in doubled
        if not is_refused and len({one["display_name"] for one in live}) < len(names):
            reckoning.wrong.append(f"not converged: {organization} after another run: {said[-800:]}")
