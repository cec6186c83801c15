"""Bringing an outcome to the client: an answer, half of one, or none."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, assert_never

from starlette.responses import Response

from reconciler.emulator.answers import Answer
from reconciler.emulator.connection_lost import ConnectionLostError
from reconciler.emulator.disturbances import Lost, Truncated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from reconciler.emulator.disturbances import Outcome

TRANSPORT = "emulator.transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def deliver(
    outcome: Outcome, extra: Mapping[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Send `outcome`; in-process, where there is no connection to break, raise `ConnectionLostError`."""
    match outcome:
        case Answer():
            await _response(outcome, extra)(scope, receive, send)
        case Lost(seconds):
            if not await _gives_up(receive, seconds):
                await _reset(scope, receive)
        case Truncated(answer):
            await _send_half(_response(answer, extra), send)
            await _end(scope, receive)
        case _:
            assert_never(outcome)


def _response(answer: Answer, extra: Mapping[str, str]) -> Response:
    return Response(answer.body, answer.status, {**extra, **answer.headers}, answer.media_type)


async def _gives_up(receive: Receive, seconds: float) -> bool:
    """Whether the client hangs up within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await _until_disconnected(receive)
    except TimeoutError:
        return False
    return True


async def _reset(scope: Scope, receive: Receive) -> None:
    transport = _transport(scope)
    if transport is None:
        raise ConnectionLostError("the connection was reset before an answer arrived")
    if transport.is_closing():  # the client was quicker
        return
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    await _until_disconnected(receive)


async def _send_half(response: Response, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    half = bytes(response.body[: len(response.body) // 2])
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _end(scope: Scope, receive: Receive) -> None:
    transport = _transport(scope)
    if transport is None:
        raise ConnectionLostError("the connection ended in the middle of an answer")
    transport.close()
    await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport | None:
    transport = scope.get("state", {}).get(TRANSPORT)
    return transport if isinstance(transport, asyncio.Transport) else None
