"""One round of the real command over loopback: processes that are killed with SIGKILL, two at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.soak.rounds import Reckoning, chance_of_each
from tests.support.project import SECRET, write_project

if TYPE_CHECKING:
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
_SHARE_OF_DEATHS: Final = 0.6
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
        self._judge_duplicates(said)
        self._judge_peace()
        return self._reckoning

    def _chaos(self) -> str:
        processes = [self._start() for _ in range(self._chance.choice([1, 2, 2]))]
        for process in processes:
            if self._chance.random() < _SHARE_OF_DEATHS:
                self._kill_at(process, self._chance.randint(1, 16), self._chance.uniform(0, 0.1))
        said = "".join(self._end(process) for process in processes)
        counts = self._reckoning.counts
        counts["runs"] += len(processes)
        counts["rounds with two runs"] += len(processes) > 1
        counts["kills"] += sum(process.returncode == -signal.SIGKILL for process in processes)
        return said

    def _kill_at(self, process: subprocess.Popen[str], requests: int, seconds: float) -> None:
        """Kill a process a little after the service has got so many requests, if it lives that long."""
        while process.poll() is None and len(self._emulator.request_log) < requests:
            time.sleep(0.005)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)

    def _start(self) -> subprocess.Popen[str]:
        keys = self._emulator.settings.project
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
            cwd=self._folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("STYTCH_")},
                "STYTCH_BASE_URL": self._running.base_url,
                "STYTCH_PROJECT_ID": keys.project_id,
                "STYTCH_SECRET": keys.secret,
                "IDP_CLIENT_SECRET": SECRET,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _end(self, process: subprocess.Popen[str]) -> str:
        try:
            said, _ = process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            self._reckoning.wrong.append("a process hung")
        if "Traceback" in said or process.returncode not in {0, 1, -signal.SIGKILL}:
            self._reckoning.wrong.append(f"traceback: exit code {process.returncode}: {said[-2000:]}")
        if SECRET in said:
            self._reckoning.wrong.append("a secret was told")
        return said

    def _reckon(self) -> None:
        requests = list(self._emulator.request_log)
        self._reckoning.counts["requests"] += len(requests)
        self._reckoning.counts["faults"] += sum(
            any("latency" not in name for name in request.faults) for request in requests
        )

    def _judge_duplicates(self, said: str) -> None:
        later = self._end(self._start()) if self._duplicates() else ""
        for ids in self._duplicates():
            if all(one in said for one in ids):
                self._reckoning.counts["concurrent creates named by a run"] += 1
            elif all(one in later for one in ids):
                self._reckoning.counts["concurrent creates named by the next plan"] += 1
            else:
                self._reckoning.wrong.append(f"silent duplicate: {ids}")
            for superfluous in ids[1:]:
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

    def _duplicates(self) -> list[list[str]]:
        found = []
        for organization, names in self._declared.items():
            for name in names:
                ids = [
                    connection["connection_id"]
                    for connection in self._emulator.oidc_connections(organization)
                    if connection["display_name"] == name
                ]
                if len(ids) > 1:
                    found.append(ids)
        return found
