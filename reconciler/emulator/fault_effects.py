"""Applies faults to a request: delays, errors, broken bodies and lost connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from reconciler.emulator.errors import ApiError
from reconciler.emulator.faults import Effect
from reconciler.emulator.pipeline import error_response, respond
from reconciler.emulator.rate_limit import retry_after_header
from reconciler.emulator.request import PlainRoute, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.faults import Fault
    from reconciler.emulator.request import Request

_MALFORMED = b'{"status_code": 200, "request_id": "'
_BAD_GATEWAY, _OK = 502, 200
_BROKEN_RESPONSES = {
    Effect.HTML: Response(
        _BAD_GATEWAY,
        b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>",
        "text/html",
    ),
    Effect.EMPTY: Response(_BAD_GATEWAY, b"", "text/plain"),
    Effect.MALFORMED: Response(_OK, _MALFORMED),
}


@dataclass(frozen=True, slots=True)
class Lost:
    """No response: the connection is reset after `seconds`."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Truncated:
    """Half of a response, then the connection ends."""

    response: Response


Outcome = Response | Lost | Truncated


async def respond_with_faults(context: Context, request: Request, faults: Iterable[Fault]) -> Outcome:
    """Handle `request`, with the effects of `faults` before or after its operation."""
    drawn = tuple(faults)
    await asyncio.sleep(sum(_latency(context, fault) for fault in drawn if fault.effect is Effect.LATENCY))
    remaining = [fault for fault in drawn if fault.effect is not Effect.LATENCY]
    before = next((fault for fault in remaining if not fault.after), None)
    if before is not None:
        return _effect(context, request, before, None)
    response = await _handle(context, request)
    if remaining:
        return _effect(context, request, remaining[0], response)
    return Lost() if _is_lost(context, request) else response


async def _handle(context: Context, request: Request) -> Response:
    if isinstance(request.endpoint, PlainRoute):
        return await request.endpoint.handle(context, request)
    return await respond(context, request.endpoint, request)


def _latency(context: Context, fault: Fault) -> float:
    return fault.seconds if fault.up_to is None else context.chance.uniform(fault.seconds, fault.up_to)


def _effect(context: Context, request: Request, fault: Fault, response: Response | None) -> Outcome:
    match fault.effect:
        case Effect.RESET | Effect.LATENCY:  # latencies never get here
            return Lost()
        case Effect.HANG:
            return Lost(fault.seconds)
        case Effect.TRUNCATED:
            return Truncated(response or Response(_OK, _MALFORMED))
        case Effect.HTML | Effect.EMPTY | Effect.MALFORMED:
            broken = _BROKEN_RESPONSES[fault.effect]
            return replace(broken, status=fault.status or broken.status)
        case Effect.INCOMPLETE:
            return _incomplete(request)
        case Effect.ERROR:
            return _error(context, request, fault)
        case _:
            assert_never(fault.effect)


def _incomplete(request: Request) -> Response:
    """A success without data: the API's schema makes almost every property optional."""
    document = {"request_id": request.request_id, "status_code": _OK}
    return json_response(_OK, {"data": document} if request.from_frontend else document)


def _error(context: Context, request: Request, fault: Fault) -> Response:
    error = ApiError(fault.error_type or "internal_server_error")
    if error.error_type == "too_many_requests" or fault.retry_after is not None:
        form = context.switches["retry-after"]
        if fault.retry_after is not None:
            form = "date" if fault.retry_after_date else "seconds"
        error.headers = retry_after_header(form, fault.retry_after or 1.0, context.now())
    error.status = fault.status or error.status
    return error_response(context, error, request)


def _is_lost(context: Context, request: Request) -> bool:
    mode = context.switches["lost-response"]
    if mode == "off" or not request.progress.applied or not request.endpoint.writes:
        return False
    key = f"{request.endpoint.name} {request.progress.organization_id}"
    first = key not in context.lost_responses
    context.lost_responses.add(key)
    return first or mode == "every"
