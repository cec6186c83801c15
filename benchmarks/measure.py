"""Runs whole processes and says what they cost."""

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
    if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
}
"""An installed package has its bytecode beside it, and so has what is measured, after its first run."""


class BenchmarkError(Exception):
    """What was to be measured did not work."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost: seconds on the wall and of the processor, peak memory in megabytes."""

    wall: float
    cpu: float
    memory: float


def cost_of(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str], codes: Iterable[int] = (0,)
) -> Cost:
    """Run a process to its end.

    Linux counts what this process itself holds at that moment towards the peak of its children, so
    this process must stay smaller than what it measures.

    Raises:
        BenchmarkError: it ended with another exit code than one of ``codes``.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in words],
            cwd=folder,
            env=_INHERITED | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{' '.join(map(str, words))} ended with {process.returncode}:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def typical(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        median(one.wall for one in costs),
        median(one.cpu for one in costs),
        median(one.memory for one in costs),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """What a service was asked: requests by kind, how many were not refused, and for how many seconds."""

    counts: Mapping[str, int]
    accepted: int
    seconds: float

    @property
    def refused(self) -> int:
        """Answers with status 429."""
        return self.counts.get("429", 0)

    @property
    def writes(self) -> int:
        """Requests that change something."""
        return sum(self.counts.get(one, 0) for one in ("POST", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that listens."""

    base_url: str

    def counted(self) -> Counted:
        """Return what it was asked so far."""
        with urllib.request.urlopen(f"{self.base_url}/counts", timeout=10) as answer:  # noqa: S310  loopback
            found: dict[str, Any] = json.load(answer)
        return Counted(found["counts"], found["accepted"], found["seconds"])


@contextmanager
def service(organizations: int, *options: str) -> Iterator[RunningService]:
    """Run a service in a process of its own; see `benchmarks.server` for its options."""
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
