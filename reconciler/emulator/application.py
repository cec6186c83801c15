"""The ASGI application: finds the endpoint of a request, has it answered, keeps the request log."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import compile_path

from reconciler.emulator.answers import Answer
from reconciler.emulator.control import CONTROL_ROUTES
from reconciler.emulator.delivery import deliver
from reconciler.emulator.disturbances import outcome
from reconciler.emulator.errors import ApiError
from reconciler.emulator.exchange import Exchange, PlainRoute
from reconciler.emulator.identifiers import environment_of
from reconciler.emulator.operations import ENDPOINTS
from reconciler.emulator.origins import cross_origin_headers, preflight_headers
from reconciler.emulator.pipeline import error_answer
from reconciler.emulator.request_log import LoggedRequest, redacted, redacted_headers

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from reconciler.emulator.context import Context
    from reconciler.emulator.disturbances import Outcome
    from reconciler.emulator.exchange import Endpoint
    from reconciler.emulator.faults import Fault

_FRONTEND = "/sdk/"


class Application:
    """Serves `context` over ASGI and writes what it was asked into its request log."""

    def __init__(self, context: Context) -> None:
        self._context = context
        endpoints = (*ENDPOINTS, *(CONTROL_ROUTES if context.settings.control else ()))
        self._routes = tuple((compile_path(one.path)[0], one) for one in endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "lifespan":
            await _run_lifespan(receive, send)
            return
        request = Request(scope, receive)
        extra: Mapping[str, str] = {}
        if scope["path"].startswith(_FRONTEND):
            extra = cross_origin_headers(self._context, request.headers)
        await deliver(await self._respond(request), extra, scope, receive, send)

    async def _respond(self, request: Request) -> Outcome:
        if request.method == "OPTIONS" and request.scope["path"].startswith(_FRONTEND):
            return Answer(200, b"", "text/plain", preflight_headers(self._context, request.headers))
        endpoint, path = _find(self._routes, request.method, request.scope["path"])
        exchange = await self._exchange(request, endpoint, path)
        faults = self._context.faults.draw(endpoint, path.get("organization_id")) if _logged(endpoint) else ()
        started, clock = self._context.now(), time.perf_counter()
        result: Outcome | None = None
        try:
            result = await outcome(self._context, exchange, faults)
        finally:
            if _logged(endpoint):
                entry = _entry(self._context, request, exchange, result)
                spent = time.perf_counter() - clock
                self._context.log.add(
                    replace(entry, started_at=started, duration=spent, faults=_texts(faults))
                )
        return result

    async def _exchange(self, request: Request, endpoint: Endpoint, path: dict[str, str]) -> Exchange:
        settings = self._context.settings
        environment = settings.environment or environment_of(settings.project.project_id) or "test"
        return Exchange(
            endpoint=endpoint,
            path=path,
            query=request.query_params,
            headers=request.headers,
            content=await request.body(),
            base_url=str(request.base_url).rstrip("/"),
            secure=request.url.scheme == "https",
            request_id=self._context.identifiers.new("request-id", environment),
        )


def _find(
    routes: tuple[tuple[re.Pattern[str], Endpoint], ...], method: str, path: str
) -> tuple[Endpoint, dict[str, str]]:
    refusal = _UNKNOWN_ROUTE
    for pattern, endpoint in routes:
        match = pattern.match(path)
        if match is None:
            continue
        if endpoint.method == method or (endpoint.method == "GET" and method == "HEAD"):
            return endpoint, match.groupdict()
        refusal = _WRONG_METHOD
    return refusal, {}


def _logged(endpoint: Endpoint) -> bool:
    return not isinstance(endpoint, PlainRoute) or endpoint.logged


def _entry(
    context: Context,
    request: Request,
    exchange: Exchange,
    result: Outcome | None,
) -> LoggedRequest:
    reveal = context.settings.log_secrets
    headers, query = dict(request.headers), dict(request.query_params)
    answered = result if isinstance(result, Answer) else None
    return LoggedRequest(
        number=context.log.next_number(),
        operation=exchange.endpoint.name,
        method=request.method,
        path=request.scope["path"],
        query=query if reveal else redacted(query),
        headers=headers if reveal else redacted_headers(headers),
        body=exchange.body if reveal else redacted(exchange.body),
        status=None if answered is None else answered.status,
        error_type=None if answered is None else answered.error_type,
        request_id=exchange.request_id,
        organization_id=exchange.organization_id,
        applied=exchange.applied,
    )


def _texts(faults: tuple[Fault, ...]) -> tuple[str, ...]:
    return tuple(fault.text or fault.effect.value for fault in faults)


async def _run_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse_route(context: Context, exchange: Exchange) -> Answer:
    return error_answer(context, ApiError("route_not_found"), exchange.request_id)


async def _refuse_method(context: Context, exchange: Exchange) -> Answer:
    return error_answer(context, ApiError("method_not_allowed"), exchange.request_id)


_UNKNOWN_ROUTE = PlainRoute("unknown-route", "", "", _refuse_route)
_WRONG_METHOD = PlainRoute("wrong-method", "", "", _refuse_method)
