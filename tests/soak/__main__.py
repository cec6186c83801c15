"""``python -m tests.soak``: many rounds unattended, and a report of what came of them."""

from __future__ import annotations

import argparse
import logging
import platform
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import structlog

from reconciler import __version__
from tests.core.withdrawal_model import Rules, explore
from tests.soak import commands, pairs, rounds
from tests.soak.report import Part, render
from tests.soak.rounds import Reckoning

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHARE_OF_COMMANDS: Final = 0.05
"""Rounds that run the real command in processes of its own; the others take place in this process."""

_COMMANDS_AT_ONCE: Final = 4

_AGAIN: Final = "python -m tests.soak --replay"


class Soak:
    """Adds up what the rounds bring, and prints what they find at once."""

    def __init__(self, seed: int) -> None:
        self.part = Part(seed, f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
        self._lock = Lock()

    @property
    def findings(self) -> int:
        """How many there are."""
        return len(self.part.wrong)

    def add(self, name: str, reckoning: Reckoning, series: str = "") -> None:
        """Take over what one round brought, or one pair of a series."""
        with self._lock:
            if series:
                counts = self.part.pairs.setdefault(series, Counter())
                counts.update(reckoning.counts, pairs=1)
            else:
                self.part.counts.update(reckoning.counts)
            for finding in reckoning.wrong:
                self._report(f"{self.part.seed}/{name}", finding)

    def _report(self, seed: str, finding: str) -> None:
        """Print a finding as soon as it is there, with what repeats its round."""
        self.part.wrong.append(f"round {seed}: {finding}")
        sys.stderr.write(f"FINDING in round {seed}: {finding}\n    again: {_AGAIN} {seed}\n")
        sys.stderr.flush()


def play(seed: str) -> Reckoning:
    """Play the round of a seed such as `1/417`, `1/command/3`, `1/live/7` or `1/killed/7`."""
    match seed.split("/"):
        case [_, _]:
            return rounds.play(seed)
        case [_, "command", _]:
            return commands.play(seed)
        case [_, "live" | "killed" as kind, _]:
            return pairs.play(seed, kills=kind == "killed")
        case _:
            raise SystemExit(f"not the seed of a round: {seed}")


def soak(total: Soak, count: int, commands_: int) -> None:
    """Play ``count`` rounds, ``commands_`` of them with the real command."""

    def add(name: str) -> None:
        total.add(name, play(f"{total.part.seed}/{name}"))

    with ThreadPoolExecutor(_COMMANDS_AT_ONCE) as pool:
        started = [pool.submit(add, f"command/{number}") for number in range(commands_)]
        for number in range(count - commands_):
            add(str(number))
            if number % 50 == 49:
                sys.stderr.write(f"{number + 1} rounds, {total.findings} findings\n")
        for command in started:
            command.result()
    total.part.counts.update({"rounds": count, "rounds with the real command": commands_})


def play_pairs(total: Soak, count: int) -> None:
    """Play ``count`` pairs without a kill, and as many of which one run is killed, in turn."""
    for number in range(count):
        for series, kind in (("both live", "live"), ("one is killed", "killed")):
            name = f"{kind}/{number}"
            total.add(name, play(f"{total.part.seed}/{name}"), series)
        sys.stderr.write(f"{2 * (number + 1)} of {2 * count} pairs, {total.findings} findings\n")


def check_model(total: Soak) -> None:
    """Explore three runs that begin anew and may all be killed."""
    reckoning = Reckoning()
    for has_default in (False, True):
        for state in explore(3, 3, Rules(has_default=has_default)):
            reckoning.counts["final states of the model of three runs"] += 1
            configured, died = sum(state.server[0]), sum(run.died_after_update for run in state.runs)
            if configured > 1 + died:
                reckoning.wrong.append(f"twins: {state}")
    total.add("model", reckoning)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, report, and return 1 if anything happened that must not."""
    given = _parser().parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if given.replay:
        reckoning = play(given.replay)
        sys.stdout.write("".join(f"{line}\n" for line in (reckoning.counts, *reckoning.wrong)))
        return 1 if reckoning.wrong else 0
    commands_ = round(given.rounds * _SHARE_OF_COMMANDS) if given.commands is None else given.commands
    begun, total = time.monotonic(), Soak(given.seed)
    soak(total, given.rounds, commands_)
    play_pairs(total, given.pairs)
    if not given.skip_model:
        check_model(total)
    total.part.minutes = (time.monotonic() - begun) / 60
    total.part.versions = f"reconciler {__version__}, Python {platform.python_version()}"
    page = render(_parts(total.part, given.parts))
    sys.stdout.write(page)
    if given.report:
        given.report.write_text(page, encoding="utf-8")
    return 1 if total.findings else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3900)
    parser.add_argument("--commands", type=int, help="rounds with the real command; default: 5 %% of all")
    parser.add_argument("--pairs", type=int, default=50, help="pairs on 300 connections, of each kind")
    parser.add_argument("--skip-model", action="store_true", help="do not explore the model of three runs")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--replay", metavar="SEED", help="play the one round of this seed, and nothing else")
    parser.add_argument("--report", type=Path, help="write the report to this file as well")
    parser.add_argument(
        "--parts", type=Path, help="add this run to the runs in this file, and report on all of them"
    )
    return parser


def _parts(part: Part, path: Path | None) -> list[Part]:
    if path is None:
        return [part]
    with path.open("a+", encoding="utf-8") as file:
        file.write(part.as_line())
        file.seek(0)
        return [Part.of_line(line) for line in file]


if __name__ == "__main__":
    sys.exit(main())
