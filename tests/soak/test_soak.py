"""The short version of the soak, and proof that its judges can find anything at all."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.applier.creates import ConnectionCreator
from reconciler.applier.updates import ConnectionUpdater
from reconciler.core.connection import OidcConnection
from reconciler.core.operation import Proceed
from reconciler.workflow import follow_up
from tests.soak import commands, pairs, rounds
from tests.soak.__main__ import Soak, main, play
from tests.soak.mutants import MUTANTS, mutate_commands
from tests.soak.report import Part, render
from tests.soak.rounds import Reckoning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.applier.context import Progress
    from reconciler.core.change import Create


pytestmark = pytest.mark.usefixtures("unmeasured")

SEED = 1
WITH_DELETES = 2


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def test_rounds_end_as_declared() -> None:
    total = Soak(SEED)
    for number in range(12):
        total.add(str(number), play(f"{SEED}/{number}"))
    assert total.part.wrong == []
    assert total.part.counts["faults"] > 0


def test_a_round_of_the_real_command_ends_as_declared() -> None:
    reckoning = play(f"{SEED}/command/0")
    assert reckoning.wrong == []
    assert reckoning.counts["requests"] > 0


@pytest.mark.parametrize("kills", [False, True])
def test_a_pair_of_the_real_command_leaves_one_of_each(kills: bool) -> None:
    assert pairs.play(f"{SEED}/{kills}", kills=kills, connections=20).wrong == []


def test_the_same_seed_gives_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a thread takes, and whatever the time is."""
    first = rounds.play(f"{SEED}/{WITH_DELETES}")
    assert first.counts["requests"] > 0
    monkeypatch.setattr(follow_up, "_check_deletes", slowed(follow_up._check_deletes))
    assert first == rounds.play(f"{SEED}/{WITH_DELETES}")


def test_a_finding_is_printed_at_once_with_what_repeats_its_round(capsys: pytest.CaptureFixture[str]) -> None:
    total = Soak(SEED)
    total.add("command/3", Reckoning(wrong=["twins: c0"]))
    assert capsys.readouterr().err == (
        "FINDING in round 1/command/3: twins: c0\n    again: python -m tests.soak --replay 1/command/3\n"
    )
    assert total.findings == 1


@pytest.mark.parametrize("seed", ["1", "1/other/3", "1/command/3/4"])
def test_what_is_not_the_seed_of_a_round_is_refused(seed: str) -> None:
    with pytest.raises(SystemExit, match="not the seed of a round"):
        play(seed)


def test_one_round_is_played_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", f"{SEED}/3"]) == 0
    assert "requests" in capsys.readouterr().out


def test_a_create_that_is_sent_again_without_looking_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_new(*_arguments: object, **_options: object) -> None:
        return None

    monkeypatch.setattr(ConnectionCreator, "_look_for_lost", nothing_new)
    assert is_found("duplicate", "doubled", "twins", first=21)


def test_a_write_without_a_look_at_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(change: object, _live: object, _secrets: object) -> Proceed:
        before = getattr(change, "before", None)
        return Proceed(before.connection_id if before else None)

    monkeypatch.setattr("reconciler.applier.read_back.judge", always)
    assert is_found("lost update", first=12)
    assert is_found("duplicate", first=0)


@pytest.mark.parametrize(
    ("mutant", "finding", "first"),
    [
        ("never withdraws", "twins", 23),
        ("deletes the other", "deleted what it had not created", 23),
        ("creates alone", "deleted what it had not created", 0),
    ],
)
def test_a_mutant_is_found(mutant: str, finding: str, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, attribute, replacement in MUTANTS[mutant]:
        monkeypatch.setattr(owner, attribute, replacement)
    assert is_found(finding, first=first)


@pytest.mark.parametrize(
    ("mutant", "seed", "finding"),
    [
        ("creates twice", "1/command/7", "twins"),
        ("creates alone", "1/command/3", "deleted what it had not created"),
    ],
)
def test_a_mutant_of_the_command_is_found(
    mutant: str, seed: str, finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate_commands(mutant, tmp_path, monkeypatch)
    monkeypatch.setattr(commands, "_ATTEMPTS", 2)  # it does not converge anyhow
    assert any(finding in one for one in play(seed).wrong)


@pytest.mark.parametrize(
    ("mutant", "kills", "finding"),
    [("never withdraws", True, "twins"), ("creates alone", False, "deleted what it had not created")],
)
def test_a_pair_of_mutants_is_found(
    mutant: str, kills: bool, finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one was killed: that explains only what it left itself. Not every pair races."""
    mutate_commands(mutant, tmp_path, monkeypatch)
    played = (pairs.play(f"{SEED}/{number}", kills=kills, connections=20) for number in range(12))
    assert any(finding in one for reckoning in played for one in reckoning.wrong)


def test_a_success_that_is_only_claimed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def believe(
        _updater: ConnectionUpdater,
        _change: Create,
        before: OidcConnection,
        _names: object,
        _progress: Progress,
        _recheck: object,
    ) -> OidcConnection:
        return before

    async def unread(
        _updater: ConnectionUpdater, _change: Create, written: OidcConnection, _progress: Progress
    ) -> OidcConnection:
        return written

    async def settled(_creator: ConnectionCreator, _own: object, *, is_written: bool) -> OidcConnection:
        return OidcConnection(connection_id="x")

    monkeypatch.setattr(ConnectionUpdater, "send", believe)
    monkeypatch.setattr(ConnectionUpdater, "confirm", unread)
    monkeypatch.setattr(ConnectionCreator, "_settle", settled)
    assert is_found("claimed and does not hold", first=9)


def test_the_report_counts_what_was_found() -> None:
    part = Part(SEED, "2026-11-21 10:00")
    part.wrong = ["round 1/3: lost update: client_id of x", "round 1/4: twins: acme/a"]
    part.counts["rounds"] = 1200
    part.pairs["both live"] = Counter(pairs=3)
    page = render([Part.of_line(part.as_line()), part])
    assert f"| 2026-11-21 10:00 | 2 | 0 |  | {SEED} {SEED} | 2,400 | 6 | 4 |" in page
    assert "| rounds | 2,400 |" in page
    assert "| pairs | 6 |" in page
    assert "| two connections of one name | 2 |" in page
    assert "| lost updates | 2 |" in page
    assert "| unexpected tracebacks | 0 |" in page


def is_found(*words: str, first: int) -> bool:
    """Whether a few hundred rounds find it; ``first`` is played first, as the one that does so today."""
    findings = (one for number in (first, *range(300)) for one in rounds.play(f"{SEED}/{number}").wrong)
    return any(word in finding for finding in findings for word in words)


def slowed(check: Callable[..., object]) -> Callable[..., object]:
    def check_slowly(*arguments: object) -> object:
        time.sleep(0.05)
        return check(*arguments)

    return check_slowly
