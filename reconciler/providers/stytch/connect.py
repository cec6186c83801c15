"""Creates a provider from credentials, and closes it after use."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, assert_never

from reconciler import __version__
from reconciler.http.clock import Clock
from reconciler.providers.stytch.backend import Backend
from reconciler.providers.stytch.client import DEFAULT_RETRY_TIMEOUT, Client, log_event
from reconciler.providers.stytch.credentials import ProjectTarget, SessionTarget
from reconciler.providers.stytch.http_transport import HttpTransport
from reconciler.providers.stytch.rate_limiter import RateLimiter
from reconciler.providers.stytch.session import Session, sdk_headers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reconciler.core.run_selection import Limits
    from reconciler.providers.stytch.client import ApiLog
    from reconciler.providers.stytch.credentials import Target
    from reconciler.providers.stytch.http_transport import Transport


@asynccontextmanager
async def connect(
    target: Target,
    limits: Limits,
    *,
    transport: Transport | None = None,
    clock: Clock | None = None,
    retry_timeout: float = DEFAULT_RETRY_TIMEOUT,
    api_log: ApiLog = log_event,
) -> AsyncIterator[Backend | Session]:
    """Yield the provider behind a target, and close its connections afterwards.

    Args:
        target: the credentials, and where to.
        limits: how fast, and how many at once, for all requests made through it together.
        transport: how, instead of over the network.
        clock: time and chance.
        retry_timeout: seconds that one request may take with its repetitions.
        api_log: where every attempt is logged.

    Raises:
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """
    clock = clock or Clock()
    rate_limiter = RateLimiter(limits.requests_per_second, limits.concurrency, clock)
    async with nullcontext(transport) if transport else HttpTransport(target.address) as opened:
        client = partial(
            Client, opened, rate_limiter, clock=clock, retry_timeout=retry_timeout, api_log=api_log
        )
        yield _provider(target, client, clock)


def _provider(target: Target, client: Callable[..., Client], clock: Clock) -> Backend | Session:
    common = _headers(target)
    match target:
        case ProjectTarget():
            return Backend(client(headers=lambda: common))
        case SessionTarget():
            new_sdk_headers = sdk_headers(clock.wall)
            return Session(client(headers=lambda: {**common, **new_sdk_headers()}, session_mode=True))
        case _:
            assert_never(target)


def _headers(target: Target) -> dict[str, str]:
    """Return what goes with every request, the credentials included."""
    return {
        "User-Agent": f"reconciler/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",  # what needs no further library to be read
        "Content-Type": "application/json",
        **target.headers(),
    }
