"""The receiver of a login's redirect: what it answers, and to whom."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, TypeVar

import pytest

from reconciler.http.loopback_receiver import LoopbackReceiver, redirect_url_of
from tests.idp.logging_in import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

TICKET = "ticket-of-this-login"
STATE = "the-state-of-this-login"
COOKIE = f"Cookie: a=b; reconciler_login={STATE}; c=d"
START = "https://test.stytch.com/v1/public/sso/start?connection_id=c"


class Site:
    """A receiver, and what it noticed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.notices: list[str] = []
        self.receiver = LoopbackReceiver(
            port, start_url=START, ticket=TICKET, state=STATE, notice=self.notices.append
        )

    async def send(self, head: bytes, host: str = "127.0.0.1") -> str:
        reader, writer = await asyncio.open_connection(host, self.port)
        writer.write(head)
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    async def get(self, target: str, *headers: str, host: str = "") -> str:
        lines = [f"GET {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}", *headers, "", ""]
        return await self.send("\r\n".join(lines).encode())


def receiving(test: Callable[[Site], Awaitable[T]]) -> T:
    async def run() -> T:
        site = Site(free_port())
        await site.receiver.listen()
        async with site.receiver:
            return await test(site)

    return asyncio.run(run())


def status(answer: str) -> int:
    return int(answer.split(" ")[1])


def test_a_login_from_the_first_page_to_the_last() -> None:
    async def test(site: Site) -> None:
        first = await site.get(f"/start/{TICKET}")
        assert site.receiver.first_url == f"http://127.0.0.1:{site.port}/start/{TICKET}"
        assert f"Location: {START}\r\n" in first
        assert f"reconciler_login={STATE}; Path=/callback; HttpOnly; SameSite=Lax" in first
        back = await site.get("/callback?token=t&empty=", COOKIE)
        assert (status(back), "Location: /done\r\n" in back) == (303, True)
        assert await site.receiver.answer(1) == {"token": "t", "empty": ""}
        done = await site.get("/done")
        assert (status(done), "You can close this page" in done) == (200, True)
        for answer in (first, back, done):
            assert "Cache-Control: no-store\r\n" in answer
            assert "Referrer-Policy: no-referrer\r\n" in answer
        assert site.notices == []

    receiving(test)


@pytest.mark.parametrize(
    "cookie", ["", "Cookie: reconciler_login=another", "Cookie: \x01;=;;\u00ff", "Cookie: x"]
)
def test_a_redirect_without_the_state_is_ignored(cookie: str) -> None:
    async def test(site: Site) -> None:
        assert status(await site.get("/callback?token=t", *filter(None, [cookie]))) == 400
        with pytest.raises(TimeoutError):
            await site.receiver.answer(0.01)
        assert len(site.notices) == 1

    receiving(test)


def test_only_the_first_redirect_counts() -> None:
    async def test(site: Site) -> None:
        assert status(await site.get("/callback?token=first", COOKIE)) == 303
        assert status(await site.get("/callback?token=second", COOKIE)) == 409
        assert await site.receiver.answer(1) == {"token": "first"}
        await site.get("/done")

    receiving(test)


def test_requests_that_are_not_of_a_login() -> None:
    async def test(site: Site) -> list[int]:
        answers = [
            await site.get(f"/start/{TICKET}", host="evil.example"),
            await site.get(f"/start/{TICKET}", host=f"localhost:{site.port}"),
            await site.get("/favicon.ico"),
            await site.send(f"POST /callback HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()),
            await site.send(b"\xff\xfe\r\n\r\n"),
        ]
        assert await site.send(b"GET /" + b"x" * 20_000) == ""  # longer than any head
        return [status(answer) for answer in answers]

    assert receiving(test) == [400, 400, 404, 405, 400]


@pytest.mark.parametrize(
    "target", ["/", "/start", "/start/", "/start/another", "//[", "http://[x/", "/\u00ff"]
)
def test_only_the_address_that_the_person_sees_starts_a_login(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another web page or user of this machine gets neither the state nor a traceback on the terminal."""

    async def test(site: Site) -> str:
        return await site.get(target)

    answer = receiving(test)
    assert status(answer) == 404
    assert STATE not in answer
    assert START not in answer
    assert caplog.records == []


def test_many_redirects_that_are_ignored_are_told_once() -> None:
    async def test(site: Site) -> None:
        for _ in range(20):
            assert status(await site.get("/callback?token=t")) == 400
        assert len(site.notices) == 1

    receiving(test)


def test_too_many_fields_are_no_answer() -> None:
    async def test(site: Site) -> None:
        await site.get(f"/callback?{'&'.join(['a=b'] * 51)}", COOKIE)
        assert await site.receiver.answer(1) == {}
        await site.get("/done")

    receiving(test)


def test_it_listens_on_one_address_only() -> None:
    async def test(site: Site) -> None:
        assert status(await site.get(f"/start/{TICKET}")) == 303
        with pytest.raises(ConnectionRefusedError):
            await site.send(b"GET / HTTP/1.1\r\n\r\n", host="127.0.0.2")

    receiving(test)
    assert redirect_url_of(8976) == "http://127.0.0.1:8976/callback"


def test_a_connection_that_is_never_used_ends_with_the_run() -> None:
    async def test(site: Site) -> socket.socket:
        unused = socket.create_connection(("127.0.0.1", site.port))
        await site.get("/")
        return unused

    with receiving(test) as unused:
        unused.settimeout(1)
        assert unused.recv(1) == b""
