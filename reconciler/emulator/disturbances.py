"""What a fault turns an answer into."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from reconciler.emulator.answers import Answer, json_answer
from reconciler.emulator.calls import Operation, Surface
from reconciler.emulator.errors import ApiError
from reconciler.emulator.exchange import PlainRoute
from reconciler.emulator.faults import Effect
from reconciler.emulator.pipeline import answer, error_answer
from reconciler.emulator.rate_limit import retry_after_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.exchange import Exchange
    from reconciler.emulator.faults import Fault

_MALFORMED = b'{"status_code": 200, "request_id": "'
_BAD_GATEWAY, _OK = 502, 200
_SPOILT = {
    Effect.HTML: Answer(
        _BAD_GATEWAY,
        b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>",
        "text/html",
    ),
    Effect.EMPTY: Answer(_BAD_GATEWAY, b"", "text/plain"),
    Effect.MALFORMED: Answer(_OK, _MALFORMED),
}


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer: the connection is reset after `seconds`."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Truncated:
    """Half of an answer, then the connection ends."""

    answer: Answer


Outcome = Answer | Lost | Truncated


async def outcome(context: Context, exchange: Exchange, faults: Iterable[Fault]) -> Outcome:
    """Answer the request as far as `faults` let it."""
    struck = tuple(faults)
    await asyncio.sleep(sum(_latency(context, fault) for fault in struck if fault.effect is Effect.LATENCY))
    others = [fault for fault in struck if fault.effect is not Effect.LATENCY]
    before = next((fault for fault in others if not fault.after), None)
    if before is not None:
        return _disturbed(context, exchange, before, None)
    reply = await _undisturbed(context, exchange)
    if others:
        return _disturbed(context, exchange, others[0], reply)
    return Lost() if _is_lost(context, exchange) else reply


async def _undisturbed(context: Context, exchange: Exchange) -> Answer:
    if isinstance(exchange.endpoint, PlainRoute):
        return await exchange.endpoint.handle(context, exchange)
    return await answer(context, exchange.endpoint, exchange)


def _latency(context: Context, fault: Fault) -> float:
    return fault.seconds if fault.up_to is None else context.chance.uniform(fault.seconds, fault.up_to)


def _disturbed(context: Context, exchange: Exchange, fault: Fault, reply: Answer | None) -> Outcome:
    match fault.effect:
        case Effect.RESET | Effect.LATENCY:  # a latency is over by now
            return Lost()
        case Effect.HANG:
            return Lost(fault.seconds)
        case Effect.TRUNCATED:
            return Truncated(reply or Answer(_OK, _MALFORMED))
        case Effect.HTML | Effect.EMPTY | Effect.MALFORMED:
            spoilt = _SPOILT[fault.effect]
            return replace(spoilt, status=fault.status or spoilt.status)
        case Effect.INCOMPLETE:
            return _incomplete(exchange)
        case Effect.ERROR:
            return _error(context, exchange, fault)
        case _:
            assert_never(fault.effect)


def _incomplete(exchange: Exchange) -> Answer:
    """A success that says nothing else: its schema lets almost every part be missing."""
    document = {"request_id": exchange.request_id, "status_code": _OK}
    return json_answer(_OK, {"data": document} if _is_frontend(exchange) else document)


def _is_frontend(exchange: Exchange) -> bool:
    return isinstance(exchange.endpoint, Operation) and exchange.endpoint.surface is Surface.FRONTEND


def _error(context: Context, exchange: Exchange, fault: Fault) -> Answer:
    error = ApiError(fault.error_type or "internal_server_error")
    if error.error_type == "too_many_requests" or fault.retry_after is not None:
        form = context.switches["retry-after"]
        if fault.retry_after is not None:
            form = "date" if fault.retry_after_date else "seconds"
        error.headers = retry_after_header(form, fault.retry_after or 1.0, context.now())
    error.status = fault.status or error.status
    return error_answer(context, error, exchange.request_id, frontend=_is_frontend(exchange))


def _is_lost(context: Context, exchange: Exchange) -> bool:
    mode = context.switches["lost-response"]
    if mode == "off" or not exchange.applied or not exchange.endpoint.writes:
        return False
    key = f"{exchange.endpoint.name} {exchange.organization_id}"
    first = key not in context.lost_responses
    context.lost_responses.add(key)
    return first or mode == "every"
