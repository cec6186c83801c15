"""Measures whole processes: wall time, CPU time and peak memory; runs the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent

_INHERITED: Final = {
    name: value
    for name, value in os.environ.items()
    if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"} and not name.startswith("COV")
}
"""The environment, without coverage, and with bytecode: an installed package has its bytecode too."""


class BenchmarkError(Exception):
    """A measured command failed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall and CPU seconds of a process, and its peak memory in megabytes."""

    wall: float
    cpu: float
    memory: float


def cost_of(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str], codes: Iterable[int] = (0,)
) -> Cost:
    """Run a command and return its cost.

    Linux counts the memory of this process towards the peak of its children, so this process must stay
    smaller than what it measures.

    Raises:
        BenchmarkError: the exit code is not one of ``codes``.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in words],
            cwd=folder,
            env={**_INHERITED, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{' '.join(map(str, words))} ended with {process.returncode}:\n{text}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        median(cost.wall for cost in costs),
        median(cost.cpu for cost in costs),
        median(cost.memory for cost in costs),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of a service by kind, the number accepted, and the seconds from the first to the last."""

    counts: Mapping[str, int]
    accepted: int
    seconds: float

    @property
    def refused(self) -> int:
        """Responses with status 429."""
        return self.counts.get("429", 0)

    @property
    def refused_share(self) -> float:
        """Percent of requests with status 429."""
        return 100 * self.refused / (self.accepted + self.refused)

    @property
    def writes(self) -> int:
        """Requests that write."""
        return sum(self.counts.get(method, 0) for method in ("POST", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is running."""

    base_url: str

    def counted(self) -> Counted:
        """Return the requests so far."""
        with urllib.request.urlopen(f"{self.base_url}/counts", timeout=10) as response:  # noqa: S310  loopback
            document: dict[str, Any] = json.load(response)
        return Counted(document["counts"], document["accepted"], document["seconds"])


@contextmanager
def service(organizations: int, *options: str) -> Iterator[RunningService]:
    """Run the service in another process; see `benchmarks.server` for its options."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", "--organizations", str(organizations), *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield RunningService(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.communicate("")
