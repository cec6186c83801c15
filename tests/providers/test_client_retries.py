"""What is sent again, when, and until when; all in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import MalformedAnswer, ProviderError, Unavailable, UnknownOutcome
from reconciler.http.clock import backoff, retry_after
from tests.providers.support import (
    ACME,
    CONNECTION_ID,
    WALL,
    Script,
    ask,
    connection,
    ok,
    organization,
    provider,
    refused,
    run,
)

LIST = ok(oidc_connections=[])
BROKEN = httpx.ReadError("reset")
NOT_CONNECTED = httpx.ConnectError("refused")


async def read(connected: Any) -> object:
    return await connected.read_organization(ACME)


async def search(connected: Any) -> object:
    return [organization async for organization in connected.list_organizations()]


async def create(connected: Any) -> object:
    return await connected.create_connection(ACME.organization_id, "Acme Okta", "okta")


async def update(connected: Any) -> object:
    return await connected.update_connection(
        ACME.organization_id, CONNECTION_ID, OidcConnection(client_id="x")
    )


async def delete(connected: Any) -> object:
    return await connected.delete_connection(ACME.organization_id, CONNECTION_ID)


WRITES = (create, update, delete)
DONE = ok(connection=connection(), connection_id=CONNECTION_ID)


def gaps(script: Script) -> list[float]:
    return [round(later - earlier, 3) for earlier, later in zip(script.times, script.times[1:], strict=False)]


@pytest.mark.parametrize("question", [read, search])
@pytest.mark.parametrize(
    "failure", [*map(refused, (408, 429, 499, 500, 502, 503, 504)), BROKEN, NOT_CONNECTED]
)
def test_a_read_survives_what_passes(question: Any, failure: Any) -> None:
    script = Script(failure, failure, ok(organizations=[], oidc_connections=[]))
    ask(script, question)
    assert gaps(script) == [1.0, 2.0]


def test_a_read_that_hangs_is_cut_and_repeated() -> None:
    script = Script(3600, LIST)
    ask(script, read)
    assert gaps(script) == [31.0]


@pytest.mark.parametrize("failure", [refused(500), httpx.Response(200, content=b"{"), BROKEN, 3600])
def test_patience_ends_and_the_error_says_how_long_it_was(failure: Any) -> None:
    script = Script(failure)
    with pytest.raises((Unavailable, MalformedAnswer), match=r"gave up after \d+ attempts in \d+ s"):
        ask(script, read)
    assert 50 < script.times[-1] <= 120


def test_patience_is_configurable() -> None:
    script = Script(refused(503))
    with pytest.raises(Unavailable, match="gave up after 3 attempts in 3 s"):
        ask(script, read, retry_timeout=5)


@pytest.mark.parametrize("question", WRITES)
def test_a_write_is_repeated_when_it_was_refused_for_its_number(question: Any) -> None:
    script = Script(refused(429), refused(429, Retry_After="7"), DONE)
    ask(script, question)
    assert gaps(script) == [1.0, 7.0]


@pytest.mark.parametrize("question", WRITES)
@pytest.mark.parametrize(
    "failure",
    [NOT_CONNECTED, httpx.ConnectTimeout("slow"), httpx.PoolTimeout("none free"), httpx.ProxyError("503")],
)
def test_a_write_is_repeated_when_it_was_never_sent(question: Any, failure: Any) -> None:
    script = Script(failure, DONE)
    ask(script, question)
    assert len(script.requests) == 2


@pytest.mark.parametrize("question", WRITES)
@pytest.mark.parametrize(
    "failure",
    [
        httpx.UnsupportedProtocol("gopher"),
        httpx.LocalProtocolError("header"),
        httpx.InvalidURL("host"),
        httpx.ProxyError("407 No"),
    ],
)
def test_what_cannot_be_sent_at_all_is_unavailable_at_once(question: Any, failure: Any) -> None:
    script = Script(failure, DONE)
    with pytest.raises(Unavailable, match="no connection"):
        ask(script, question)
    assert len(script.requests) == 1


@pytest.mark.parametrize("question", WRITES)
@pytest.mark.parametrize(
    "failure",
    [
        *map(refused, (408, 499, 500, 502, 503, 504)),
        refused(503, Retry_After="1"),
        BROKEN,
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.ReadTimeout("silence"),
        OSError("reset"),
        3600,
    ],
)
def test_a_write_that_may_have_happened_is_never_repeated(question: Any, failure: Any) -> None:
    script = Script(failure, DONE)
    with pytest.raises(UnknownOutcome, match="read the live state"):
        ask(script, question)
    assert len(script.requests) == 1


@pytest.mark.parametrize("question", WRITES)
@pytest.mark.parametrize("failure", [refused(429), NOT_CONNECTED])
def test_a_write_without_effect_ends_as_unavailable(question: Any, failure: Any) -> None:
    with pytest.raises(Unavailable, match="gave up"):
        ask(Script(failure), question)


def test_an_update_has_a_longer_deadline_since_the_server_asks_the_idp_meanwhile() -> None:
    script = Script(lambda _: 45, DONE)
    with pytest.raises(UnknownOutcome, match="accepted"):  # the script's silence ends in an empty answer
        ask(script, update)
    script = Script(61)
    with pytest.raises(UnknownOutcome, match="no response within 60 s"):
        ask(script, update)


def test_a_service_that_never_answered_is_given_up_soon() -> None:
    script = Script(NOT_CONNECTED)
    with pytest.raises(Unavailable, match="check base_url"):
        ask(script, read)
    assert script.times[-1] <= 10


def test_a_service_that_has_answered_before_is_waited_for() -> None:
    script = Script(LIST, NOT_CONNECTED)

    async def twice(connected: Any) -> None:
        await read(connected)
        await read(connected)

    with pytest.raises(Unavailable, match="gave up"):
        ask(script, twice)
    assert script.times[-1] > 50


def test_a_wait_longer_than_the_patience_is_not_begun() -> None:
    script = Script(refused(429, Retry_After="3600"))
    with pytest.raises(Unavailable, match="the next was due in 3600 s"):
        ask(script, read)
    assert script.times == [0.0]


def test_while_the_service_wants_long_quiet_nothing_is_sent_by_anyone() -> None:
    script = Script(refused(429, Retry_After="3600"), LIST)

    async def many(connected: Any) -> list[Any]:
        return await asyncio.gather(*(read(connected) for _ in range(50)), return_exceptions=True)

    errors = ask(script, many, rate=10, concurrency=1)
    assert len(script.requests) == 1
    assert all(isinstance(error, Unavailable) for error in errors)
    assert sum("not sent" in str(error) for error in errors) == 49


def test_one_refusal_makes_everyone_wait() -> None:
    script = Script(LIST, LIST, refused(429, Retry_After="20"), LIST)

    async def many(connected: Any) -> None:
        await asyncio.gather(*(read(connected) for _ in range(10)))

    ask(script, many, rate=10, concurrency=4)
    assert [time for time in script.times if 0.3 < time < 20.1] == []
    assert len(script.requests) == 11


def test_an_outage_uses_up_the_patience_of_all_calls_together() -> None:
    script = Script(refused(500))

    async def in_turn(connected: Any) -> list[type[Exception]]:
        kinds: list[type[Exception]] = []
        for _ in range(10):
            try:
                await read(connected)
            except ProviderError as error:
                kinds.append(type(error))
        return kinds

    assert ask(script, in_turn) == [Unavailable] * 10
    assert script.times[-1] < 130


def test_an_outage_long_ago_takes_no_patience_away() -> None:
    script = Script(refused(500))

    async def main() -> None:
        async with provider(script) as connected:
            with pytest.raises(Unavailable):
                await read(connected)
            await asyncio.sleep(1000)
            before = len(script.requests)
            with pytest.raises(Unavailable):
                await read(connected)
            assert len(script.requests) - before > 3

    run(main())


def test_waiting_for_a_turn_takes_no_patience_away() -> None:
    def every_third_fails(request: httpx.Request) -> httpx.Response:
        return refused(500) if len(script.requests) % 3 == 0 else LIST

    script = Script(every_third_fails)

    async def many(connected: Any) -> list[Any]:
        return await asyncio.gather(*(read(connected) for _ in range(400)))

    assert len(ask(script, many, rate=1, concurrency=2)) == 400


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Friday, 15-Jan-27 08:00:30 GMT", 30.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("\u0667", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, WALL) == seconds


@pytest.mark.parametrize(
    ("header", "gap"), [("Fri, 15 Jan 2027 08:00:30 GMT", 30.0), ("nonsense", 1.0), ("0", 1.0)]
)
def test_retry_after_is_honoured_where_it_can_be_read(header: str, gap: float) -> None:
    script = Script(refused(429, Retry_After=header), LIST)
    ask(script, read)
    assert gaps(script) == [gap]


def test_back_off_doubles_to_a_minute_and_jitter_takes_up_to_half() -> None:
    assert [backoff(attempt, 0.0) for attempt in (1, 2, 3, 6, 7, 8, 5000)] == [1, 2, 4, 32, 60, 60, 60]
    assert backoff(3, 0.999) == pytest.approx(2.0, abs=0.01)


def test_cancelling_reaches_the_caller() -> None:
    async def main() -> None:
        async with provider(Script(3600)) as connected:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(read(connected), 1)

    run(main())


def test_an_organization_is_read_again_after_a_failure() -> None:
    script = Script(refused(502), ok(organization=organization("acme")))

    async def refresh(connected: Any) -> object:
        return await connected.refresh_organization(ACME)

    found: Any = ask(script, refresh)
    assert found.organization_id == ACME.organization_id
