"""Receives the redirect that ends a login in a browser on this machine.

The receiver listens on 127.0.0.1 only, where every web page and every user of this machine can send requests.
So the URL of its first page has a random part. That page sets a cookie with the state of this login, and
redirects to the start of the login. The redirect URL has no query, because services compare it exactly. The
redirect is accepted once, and only from the browser with the cookie, which is then sent to a page without a
query, so that the token disappears from its address bar.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from reconciler.http.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

HOST: Final = "127.0.0.1"
_CALLBACK_PATH: Final = "/callback"
_DONE_PATH: Final = "/done"
_COOKIE: Final = "reconciler_login"
_MAX_BYTES: Final = 16 * 1024
"""Bytes of a request's head."""

_REQUEST_SECONDS: Final = 5.0
_LAST_PAGE_SECONDS: Final = 2.0
_MAX_FIELDS: Final = 50
_HEADERS: Final = (
    "Cache-Control: no-store",
    "Content-Security-Policy: default-src 'none'",
    "Content-Type: text/html; charset=utf-8",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
)
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Login</title></head>
<body><p>{text}</p></body></html>
"""
_DONE: Final = "The terminal shows the result of the login. You can close this page."


def redirect_url_of(port: int) -> str:
    """Return the redirect URL of a receiver on this port."""
    return f"http://{HOST}:{port}{_CALLBACK_PATH}"


class LoopbackReceiver:
    """A small web server for one login; ``start_url`` is where it begins.

    ``ticket`` and ``state`` are random texts. ``notice`` is called with a sentence about the first
    redirect of each kind that is ignored.
    """

    def __init__(
        self, port: int, *, start_url: str, ticket: str, state: str, notice: Callable[[str], None]
    ) -> None:
        self._first_path = f"/start/{ticket}"
        self.first_url = f"http://{HOST}:{port}{self._first_path}"
        self._port = port
        self._start_url = start_url
        self._state = state
        self._notice = notice
        self._noticed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        self._last_page_sent = asyncio.Event()

    async def listen(self) -> None:
        """Listen; raises OSError if the port cannot be used."""
        self._server = await asyncio.start_server(self._serve, HOST, self._port, limit=_MAX_BYTES)

    async def __aenter__(self) -> None:
        """Answer requests until the block ends."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, after the last page where the login came back."""
        is_over = self._answer.done() and not self._answer.cancelled()
        if is_over and (kind is None or issubclass(kind, Exception)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._last_page_sent.wait(), _LAST_PAGE_SECONDS)
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer(self, seconds: float) -> Mapping[str, str]:
        """Return the query of the redirect.

        Raises:
            TimeoutError: it did not come in time.
        """
        return await asyncio.wait_for(self._answer, seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _REQUEST_SECONDS)
            writer.write(self._respond(head.decode("latin-1")))
            await asyncio.wait_for(writer.drain(), _REQUEST_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # browsers open connections that they never use
        finally:
            writer.close()

    def _respond(self, head: str) -> bytes:
        request_line, *lines = head.split("\r\n")
        method, _, rest = request_line.partition(" ")
        target = parse_url(rest.rpartition(" ")[0])
        headers = dict(map(_header, lines))
        if headers.get("host") != f"{HOST}:{self._port}":
            return _page(HTTPStatus.BAD_REQUEST, "This address is not served here.")
        if method != "GET":
            return _page(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET is served here.")
        if hmac.compare_digest(target.path.encode(), self._first_path.encode()):
            cookie = f"{_COOKIE}={self._state}; Path={_CALLBACK_PATH}; HttpOnly; SameSite=Lax"
            return _redirect(self._start_url, f"Set-Cookie: {cookie}")
        if target.path == _CALLBACK_PATH:
            return self._receive(target.query, headers.get("cookie", ""))
        if target.path == _DONE_PATH:
            self._last_page_sent.set()
            return _page(HTTPStatus.OK, _DONE)
        return _page(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _receive(self, query: str, cookie: str) -> bytes:
        if not hmac.compare_digest(_state_in(cookie).encode(), self._state.encode()):
            self._ignore(
                "ignored a redirect with a wrong state: it is not of the login that this run started"
            )
            return _page(HTTPStatus.BAD_REQUEST, "This login was not started by this run in this browser.")
        if self._answer.done():
            self._ignore("ignored a second redirect: the login is already over")
            return _page(HTTPStatus.CONFLICT, "This login is already over.")
        try:
            fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            fields = []
        self._answer.set_result(dict(fields))
        return _redirect(_DONE_PATH)

    def _ignore(self, sentence: str) -> None:
        """Say that a redirect is ignored; once, since any web page can send thousands."""
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            self._notice(sentence)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _state_in(cookie: str) -> str:
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(cookie)
    return cookies[_COOKIE].value if _COOKIE in cookies else ""


def _page(status: HTTPStatus, text: str) -> bytes:
    return _response(status, _PAGE.format(text=text))


def _redirect(location: str, *headers: str) -> bytes:
    return _response(HTTPStatus.SEE_OTHER, "", f"Location: {location}", *headers)


def _response(status: HTTPStatus, body: str, *headers: str) -> bytes:
    content = body.encode()
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        *_HEADERS,
        *headers,
        f"Content-Length: {len(content)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + content
