"""From resolved credentials to a provider that is ready, and is closed again."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, assert_never

from reconciler import __version__
from reconciler.providers.stytch.backend import Backend
from reconciler.providers.stytch.client import Client
from reconciler.providers.stytch.clock import Clock
from reconciler.providers.stytch.journal import structured
from reconciler.providers.stytch.network import network
from reconciler.providers.stytch.pace import Pace
from reconciler.providers.stytch.retry import DEFAULT_PATIENCE
from reconciler.providers.stytch.sdk_headers import sdk_headers
from reconciler.providers.stytch.session import Session
from reconciler.providers.stytch.target import ProjectTarget, SessionTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reconciler.core.limits import Limits
    from reconciler.providers.stytch.journal import Journal
    from reconciler.providers.stytch.target import Target
    from reconciler.providers.stytch.transport import Transport


@asynccontextmanager
async def connect(
    target: Target,
    limits: Limits,
    *,
    transport: Transport | None = None,
    clock: Clock | None = None,
    patience: float = DEFAULT_PATIENCE,
    journal: Journal = structured,
) -> AsyncIterator[Backend | Session]:
    """Yield the provider behind a target, and close its connections afterwards.

    Args:
        target: the credentials, and where to.
        limits: how fast, and how many at once, for all calls made through it together.
        transport: how, instead of over the network.
        clock: time and chance.
        patience: seconds that one call may take with its repetitions.
        journal: where every attempt is written down.
    """
    clock = clock or Clock()
    pace = Pace(limits.requests_per_second, limits.concurrency, clock)
    way = nullcontext(transport) if transport else network(target.address, limits.concurrency)
    async with way as through:
        client = partial(Client, through, pace, clock=clock, patience=patience, journal=journal)
        yield _provider(target, client, clock)


def _provider(target: Target, client: Callable[..., Client], clock: Clock) -> Backend | Session:
    common = _headers(target)
    match target:
        case ProjectTarget():
            return Backend(client(headers=lambda: common))
        case SessionTarget():
            introduction = sdk_headers(clock.wall)
            return Session(client(headers=lambda: {**common, **introduction()}, session_mode=True))
        case _:
            assert_never(target)


def _headers(target: Target) -> dict[str, str]:
    """Return what goes with every call, the credentials included."""
    return {
        "User-Agent": f"reconciler/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",  # what needs no further library to be read
        "Content-Type": "application/json",
        **target.headers(),
    }
