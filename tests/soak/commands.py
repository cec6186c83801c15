"""One round of the real command over loopback: processes that are killed with SIGKILL, two at once."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.soak.rounds import NO_ANSWER, Reckoning, chance_of_each
from tests.support.project import SECRET, start_apply, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.emulator import Emulator, RunningEmulator

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
_SECONDS_OF_REST: Final = 1.0
"""Until the service has carried out what the killed have left on its way; its latency is a tenth of it."""

_LONGEST: Final = 240
"""Seconds that one process may take before it counts as hung."""


def play(seed: str) -> Reckoning:
    """Play one round. What is done follows from the seed; how the processes race does not."""
    with TemporaryDirectory() as folder:
        settings = EmulatorSettings(
            random_seed=random.Random(seed).randrange(2**32), switches={"default-connection": "never"}
        )
        with running_emulator(settings) as running:
            return _Round(random.Random(seed), running, Path(folder)).play()


class _Round:
    def __init__(self, chance: random.Random, running: RunningEmulator, folder: Path) -> None:
        self._chance = chance
        self._running = running
        self._folder = folder
        self._reckoning = Reckoning()
        self._declared = {
            f"org-{number}": tuple(f"c{n}" for n in range(chance.randint(1, 3)))
            for number in range(chance.randint(1, 2))
        }

    @property
    def _emulator(self) -> Emulator:
        return self._running.emulator

    def play(self) -> Reckoning:
        """Play the round to its end."""
        for organization in self._declared:
            self._emulator.add_organization(organization)
        write_project(self._folder, self._declared)
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
        return self._reckoning

    def _chaos(self) -> str:
        processes = [self._start() for _ in range(self._chance.choice([1, 2, 2, 3]))]
        for process in processes:
            if self._chance.random() < _SHARE_OF_FREEZES:
                self._wait_for(process, self._chance.randint(1, 16), self._chance.uniform(0, 0.1))
                self._reckoning.counts["freezes"] += freeze(process, self._chance.choice([0.5, 2.0, 10.0]))
            elif self._chance.random() < _SHARE_OF_DEATHS:
                self._wait_for(process, self._chance.randint(1, 16), self._chance.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
        said = "".join(self._end(process) for process in processes)
        counts = self._reckoning.counts
        counts["runs"] += len(processes)
        counts["rounds with two runs"] += len(processes) == 2
        counts["rounds with three runs"] += len(processes) == 3
        counts["kills"] += sum(process.returncode == -signal.SIGKILL for process in processes)
        return said

    def _wait_for(self, process: subprocess.Popen[str], requests: int, seconds: float) -> None:
        """Wait a little longer than until the service has got so many requests, or the process has ended."""
        while process.poll() is None and len(self._emulator.request_log) < requests:
            time.sleep(0.005)
        time.sleep(seconds)

    def _start(self) -> subprocess.Popen[str]:
        return start_apply(self._running, self._folder)

    def _end(self, process: subprocess.Popen[str]) -> str:
        return end(process, self._reckoning)

    def _reckon(self) -> None:
        requests = list(self._emulator.request_log)
        self._reckoning.counts["requests"] += len(requests)
        self._reckoning.counts["faults"] += sum(
            any("latency" not in name for name in request.faults) for request in requests
        )

    def _judge_twins(self, said: str) -> None:
        """Two that are configured are a finding, unless a run was killed; the next run names all of them."""
        counts, wrong = self._reckoning.counts, self._reckoning.wrong
        duplicates = self._duplicates()
        later = self._end(self._start()) if duplicates else ""
        for connections in duplicates:
            ids = [connection["connection_id"] for connection in connections]
            configured = [one["connection_id"] for one in connections if one["client_id"]]
            if len(configured) < 2:
                counts["leftovers of interrupted creates"] += 1
            elif counts["kills"]:
                counts["two configured, left by a run that was killed"] += 1
            elif any(words in said for words in NO_ANSWER):
                counts["two configured, left by a run that got no answers"] += 1
            else:
                wrong.append(f"twins: {ids}: {said[-2000:]}")
            if not all(one in said + later for one in (configured if len(configured) > 1 else ids[:0])):
                wrong.append(f"silent duplicate: {ids}")
            left = [one for one in ids if one not in configured] if configured else []
            if not all(one in said + later for one in left):
                wrong.append(f"silent leftover: {left}")
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
        process = self._start()
        said = self._end(process)
        return process.returncode, said

    def _duplicates(self) -> list[list[dict[str, str]]]:
        return duplicates(self._emulator, self._declared)


def duplicates(emulator: Emulator, declared: Mapping[str, Sequence[str]]) -> list[list[dict[str, str]]]:
    """Return the connections of each declared name that has several."""
    live = [
        [one for one in emulator.oidc_connections(organization) if one["display_name"] == name]
        for organization, names in declared.items()
        for name in names
    ]
    return [connections for connections in live if len(connections) > 1]


def end(process: subprocess.Popen[str], reckoning: Reckoning) -> str:
    """Wait for a process, and return what it has said."""
    try:
        said, _ = process.communicate(timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        reckoning.wrong.append("a process hung")
    if "Traceback" in said or process.returncode not in {0, 1, -signal.SIGKILL}:
        reckoning.wrong.append(f"traceback: exit code {process.returncode}: {said[-2000:]}")
    if SECRET in said:
        reckoning.wrong.append("a secret was told")
    return said


def freeze(process: subprocess.Popen[str], seconds: float) -> bool:
    """Stop a process for a while; False if it had ended already."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)
    return True
