"""The ASGI application: finds the operation of a request, has it answered, keeps the request log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from reconciler.emulator.calls import Operation, Surface
from reconciler.emulator.errors import ApiError, JsonObject
from reconciler.emulator.operations import OPERATIONS
from reconciler.emulator.pipeline import Exchange, answer
from reconciler.emulator.request_log import LoggedRequest, RequestLog, redacted, redacted_headers

if TYPE_CHECKING:
    import re

    from starlette.types import Receive, Scope, Send

    from reconciler.emulator.answers import Answer
    from reconciler.emulator.calls import Call
    from reconciler.emulator.world import World


class Application:
    """Serves `world` over ASGI and writes what it was asked into `log`."""

    def __init__(self, world: World, log: RequestLog) -> None:
        self._world = world
        self._log = log
        self._routes = tuple((compile_path(one.path)[0], one) for one in OPERATIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "lifespan":
            await _run_lifespan(receive, send)
            return
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        operation, path = _find(self._routes, request.method, request.scope["path"])
        exchange = await self._exchange(request, operation, path)
        started, clock = self._world.now(), time.perf_counter()
        reply: Answer | None = None
        try:
            reply = await answer(self._world, exchange)
        finally:
            self._log.add(self._entry(request, exchange, reply, started, time.perf_counter() - clock))
        return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)

    async def _exchange(self, request: Request, operation: Operation, path: dict[str, str]) -> Exchange:
        environment = self._world.settings.environment or "test"
        return Exchange(
            operation=operation,
            path=path,
            query=request.query_params,
            headers=request.headers,
            content=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
            secure=request.url.scheme == "https",
            request_id=self._world.identifiers.new("request-id", environment),
        )

    def _entry(
        self, request: Request, exchange: Exchange, reply: Answer | None, started: float, duration: float
    ) -> LoggedRequest:
        reveal = self._world.settings.log_secrets
        body, headers, query = exchange.body, dict(request.headers), dict(request.query_params)
        return LoggedRequest(
            number=self._log.next_number(),
            operation=exchange.operation.name,
            method=request.method,
            path=request.scope["path"],
            query=query if reveal else redacted(query),
            headers=headers if reveal else redacted_headers(headers),
            body=body if reveal else redacted(body),
            status=None if reply is None else reply.status,
            error_type=None if reply is None else reply.error_type,
            request_id=exchange.request_id,
            organization_id=exchange.organization_id,
            started_at=started,
            duration=duration,
            applied=exchange.applied,
        )


def _find(
    routes: tuple[tuple[re.Pattern[str], Operation], ...], method: str, path: str
) -> tuple[Operation, dict[str, str]]:
    refusal = _UNKNOWN_ROUTE
    for pattern, operation in routes:
        match = pattern.match(path)
        if match is None:
            continue
        if operation.method == method:
            return operation, match.groupdict()
        refusal = _WRONG_METHOD
    return refusal, {}


async def _run_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse_route(_world: World, _call: Call) -> JsonObject:
    raise ApiError("route_not_found")


async def _refuse_method(_world: World, _call: Call) -> JsonObject:
    raise ApiError("method_not_allowed")


_UNKNOWN_ROUTE = Operation("unknown-route", "", "", _refuse_route, Surface.NONE)
_WRONG_METHOD = Operation("wrong-method", "", "", _refuse_method, Surface.NONE)
