"""The short version of the soak, and proof that its judges can find anything at all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.applier.creates import ConnectionCreator
from reconciler.applier.updates import ConnectionUpdater
from reconciler.core.connection import OidcConnection
from reconciler.core.operation import Proceed
from reconciler.core.withdrawal import Keep
from tests.soak import commands, pairs, rounds
from tests.soak.__main__ import Soak
from tests.soak.report import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.applier.context import Progress
    from reconciler.core.change import Create


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


@pytest.mark.parametrize("kills", [False, True])
def test_a_pair_of_the_real_command_leaves_one_of_each(kills: bool) -> None:
    assert pairs.play(f"{SEED}/{kills}", kills=kills, connections=30).wrong == []


def test_the_same_seed_gives_the_same_round() -> None:
    first, second = rounds.play(f"{SEED}/7"), rounds.play(f"{SEED}/7")
    assert first == second


def test_a_create_that_is_sent_again_without_looking_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_new(*_arguments: object, **_options: object) -> None:
        return None

    monkeypatch.setattr(ConnectionCreator, "_look_for_lost", nothing_new)
    assert is_found("duplicate", "doubled", "twins")


def test_a_write_without_a_look_at_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(change: object, _live: object, _secrets: object) -> Proceed:
        before = getattr(change, "before", None)
        return Proceed(before.connection_id if before else None)

    monkeypatch.setattr("reconciler.applier.read_back.judge", always)
    assert is_found("lost update")
    assert is_found("duplicate")


def test_a_run_that_never_withdraws_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.applier.creates.decide_after_update", lambda *_, **__: Keep())
    assert is_found("twins")


def test_a_run_that_deletes_what_another_one_created_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def delete_the_other(
        creator: ConnectionCreator, _own: object, preferred: str, _decide: object
    ) -> bool:
        context, change = creator._context, creator._change
        await context.provider.delete_connection(change.organization_id, preferred)
        return False

    monkeypatch.setattr(ConnectionCreator, "_withdraw", delete_the_other)
    assert is_found("deleted what it had not created")


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

    async def settled(_creator: ConnectionCreator, _own: object, _decide: object) -> OidcConnection:
        return OidcConnection(connection_id="x")

    monkeypatch.setattr(ConnectionUpdater, "send", believe)
    monkeypatch.setattr(ConnectionUpdater, "confirm", unread)
    monkeypatch.setattr(ConnectionCreator, "_settle", settled)
    assert is_found("claimed and does not hold")


def test_the_report_counts_what_was_found() -> None:
    total = Soak(SEED)
    total.wrong = ["round 3: lost update: client_id of x", "round 4: twins: acme/a"]
    page = render(total, minutes=1.0, date="2026-11-21", versions="x")
    assert "| two connections of one name | 1 |" in page
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
