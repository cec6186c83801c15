"""``python -m tests.soak``: many rounds unattended, and a report of what came of them."""

from __future__ import annotations

import argparse
import logging
import platform
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from reconciler import __version__
from tests.core.withdrawal_model import Rules, explore
from tests.soak import commands, pairs, rounds
from tests.soak.report import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.rounds import Reckoning

_SHARE_OF_COMMANDS: Final = 0.05
"""Rounds that run the real command in processes of its own; the others take place in this process."""

_COMMANDS_AT_ONCE: Final = 4


@dataclass
class Soak:
    """The sum of all rounds so far."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    pairs: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, name: str, reckoning: Reckoning) -> None:
        """Take over what one round brought."""
        self.counts += reckoning.counts
        self.wrong += [f"round {name}: {one}" for one in reckoning.wrong]

    def add_pair(self, series: str, number: int, reckoning: Reckoning) -> None:
        """Take over what one pair brought."""
        counts = self.pairs.setdefault(series, Counter())
        counts += reckoning.counts
        counts["pairs"] += 1
        self.wrong += [f"pair {number} {series}: {one}" for one in reckoning.wrong]


def soak(seed: int, count: int, commands_: int) -> Soak:
    """Play ``count`` rounds, ``commands_`` of them with the real command."""
    total = Soak(seed)
    with ThreadPoolExecutor(_COMMANDS_AT_ONCE) as pool:
        started = [pool.submit(commands.play, f"{seed}/command/{number}") for number in range(commands_)]
        for number in range(count - commands_):
            total.add(str(number), rounds.play(f"{seed}/{number}"))
            _tell(number, total)
        for number, one in enumerate(started):
            total.add(f"command {number}", one.result())
    total.counts["rounds"] = count
    total.counts["rounds with the real command"] = commands_
    return total


def play_pairs(total: Soak, count: int) -> None:
    """Play ``count`` pairs without a kill, and as many of which one run is killed."""
    for series, kills in (("both live", False), ("one is killed", True)):
        for number in range(count):
            total.add_pair(series, number, pairs.play(f"{total.seed}/{series}/{number}", kills=kills))
            sys.stderr.write(f"pair {number + 1} of {count}, {series}: {len(total.wrong)} findings\n")


def check_model(total: Soak) -> None:
    """Explore three runs that begin anew and may all be killed."""
    for has_default in (False, True):
        for state in explore(3, 3, Rules(has_default=has_default)):
            total.counts["final states of the model of three runs"] += 1
            configured, died = sum(state.server[0]), sum(run.died_after_update for run in state.runs)
            if configured > 1 + died:
                total.wrong.append(f"model: twins: {state}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, report, and return 1 if anything happened that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000)
    parser.add_argument("--commands", type=int, help="rounds with the real command; default: 5 %% of all")
    parser.add_argument("--pairs", type=int, default=50, help="pairs on 300 connections, of each kind")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--report", type=Path, help="write the report to this file as well")
    given = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    commands_ = round(given.rounds * _SHARE_OF_COMMANDS) if given.commands is None else given.commands
    begun = time.monotonic()
    total = soak(given.seed, given.rounds, commands_)
    play_pairs(total, given.pairs)
    if given.pairs:
        check_model(total)
    text = render(
        total,
        minutes=(time.monotonic() - begun) / 60,
        date=datetime.now(UTC).date().isoformat(),
        versions=f"reconciler {__version__}, Python {platform.python_version()}",
    )
    sys.stdout.write(text)
    if given.report:
        given.report.write_text(text, encoding="utf-8")
    return 1 if total.wrong else 0


def _tell(number: int, total: Soak) -> None:
    if number % 50 == 49:
        sys.stderr.write(f"{number + 1} rounds, {len(total.wrong)} findings\n")


if __name__ == "__main__":
    sys.exit(main())
