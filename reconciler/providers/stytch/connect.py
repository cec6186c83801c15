"""From resolved credentials to a provider that is ready, and is closed again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, assert_never

import httpx

from reconciler import __version__
from reconciler.providers.stytch.backend import Backend
from reconciler.providers.stytch.client import Client
from reconciler.providers.stytch.clock import Clock
from reconciler.providers.stytch.network import network
from reconciler.providers.stytch.pace import Pace
from reconciler.providers.stytch.retry import DEFAULT_PATIENCE
from reconciler.providers.stytch.sdk_headers import sdk_headers
from reconciler.providers.stytch.session import Session
from reconciler.providers.stytch.target import ProjectTarget, SessionTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx._types import CookieTypes

    from reconciler.core.limits import Limits
    from reconciler.providers.stytch.target import Target

_CONNECT_TIMEOUT: Final = 10.0


@asynccontextmanager
async def connect(
    target: Target,
    limits: Limits,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
    patience: float = DEFAULT_PATIENCE,
) -> AsyncIterator[Backend | Session]:
    """Yield the provider behind a target, and close its connections afterwards.

    Args:
        target: the credentials, and where to.
        limits: how fast, and how many at once, for all calls made through it together.
        transport: how; by default over the network.
        clock: time and chance.
        patience: seconds that one call may take with its repetitions.
    """
    clock = clock or Clock()
    pace = Pace(limits.requests_per_second, limits.concurrency, clock)
    async with _http(target.headers(), transport or network(target.address, limits.concurrency)) as http:
        yield _provider(target, http, pace, clock, patience)


def _provider(
    target: Target, http: httpx.AsyncClient, pace: Pace, clock: Clock, patience: float
) -> Backend | Session:
    address = target.address
    match target:
        case ProjectTarget():
            return Backend(Client(http, address, pace, clock=clock, patience=patience))
        case SessionTarget():
            headers = sdk_headers(clock.wall)
            client = Client(
                http, address, pace, clock=clock, patience=patience, session_mode=True, headers=headers
            )
            return Session(client)
        case _:
            assert_never(target)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Ignore what a response would set."""


class _Cookieless(httpx.AsyncClient):
    """Keeps no cookies. A policy that allows none would do the same at 13 % of the CPU time of a call."""

    @property
    def cookies(self) -> httpx.Cookies:
        """What is sent with a request: nothing."""
        return _NoCookies()

    @cookies.setter
    def cookies(self, _cookies: CookieTypes) -> None:
        raise NotImplementedError


def _http(headers: dict[str, str], transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return _Cookieless(
        transport=transport,
        headers={
            "User-Agent": f"reconciler/{__version__}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            **headers,
        },
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT),  # each call has a deadline of its own
        follow_redirects=False,
    )
