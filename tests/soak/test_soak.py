"""The short version of the soak, and proof that its judges can find anything at all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.applier.operations import ConnectionWriter
from reconciler.core.operation import Proceed
from tests.soak import commands, rounds
from tests.soak.__main__ import Soak
from tests.soak.report import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.applier.operations import Progress
    from reconciler.core.change import Create
    from reconciler.core.connection import OidcConnection


SEED = 1


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("tenth", range(4))
def test_ten_rounds_end_as_declared(tenth: int) -> None:
    total = played(range(10 * tenth, 10 * tenth + 10))
    assert total.wrong == []
    assert total.counts["faults"] > 0


def test_a_round_of_the_real_command_ends_as_declared() -> None:
    reckoning = commands.play(f"{SEED}/command/0")
    assert reckoning.wrong == []
    assert reckoning.counts["requests"] > 0


def test_the_same_seed_gives_the_same_round() -> None:
    first, second = rounds.play(f"{SEED}/7"), rounds.play(f"{SEED}/7")
    assert first == second


def test_a_create_that_is_sent_again_without_looking_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_new(*_arguments: object, **_options: object) -> None:
        return None

    monkeypatch.setattr(ConnectionWriter, "_adopt", nothing_new)
    assert is_found("duplicate", "doubled")


def test_a_write_without_a_look_at_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(change: object, _live: object, _secrets: object) -> Proceed:
        before = getattr(change, "before", None)
        return Proceed(before.connection_id if before else None)

    monkeypatch.setattr("reconciler.applier.run.judge", always)
    assert is_found("lost update")
    assert is_found("duplicate")


def test_a_success_that_is_only_claimed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def believe(
        _writer: ConnectionWriter, _change: Create, created: OidcConnection, _progress: Progress
    ) -> OidcConnection:
        return created

    monkeypatch.setattr(ConnectionWriter, "_complete", believe)
    assert is_found("claimed and does not hold")


def test_the_report_counts_what_was_found() -> None:
    total = Soak(SEED)
    total.wrong = ["round 3: lost update: client_id of x", "round 4: silent duplicate: acme/a"]
    page = render(total, minutes=1.0, date="2026-11-21", versions="x")
    assert "| duplicates | 1 |" in page
    assert "| lost updates | 1 |" in page
    assert "| unexpected tracebacks | 0 |" in page


def is_found(*words: str) -> bool:
    """Whether a few hundred rounds find it; usually it takes some ten."""
    findings = (one for number in range(300) for one in rounds.play(f"{SEED}/{number}").wrong)
    return any(word in finding for finding in findings for word in words)


def played(numbers: range) -> Soak:
    total = Soak(SEED)
    for number in numbers:
        total.add(str(number), rounds.play(f"{SEED}/{number}"))
    return total
