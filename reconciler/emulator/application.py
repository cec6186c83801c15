"""The ASGI application: routes requests to endpoints, applies faults and writes the request log."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.routing import compile_path

from reconciler.emulator.access import cross_origin_headers
from reconciler.emulator.context import environment_of
from reconciler.emulator.control import CONTROL_ROUTES
from reconciler.emulator.endpoints import ENDPOINTS
from reconciler.emulator.errors import ApiError
from reconciler.emulator.pipeline import error_response, respond_with_faults
from reconciler.emulator.request import PlainRoute, Request, Response
from reconciler.emulator.request_log import LoggedRequest, redacted, redacted_headers
from reconciler.emulator.transport import deliver

if TYPE_CHECKING:
    import re

    from starlette.types import Receive, Scope, Send

    from reconciler.emulator.context import Context
    from reconciler.emulator.pipeline import Outcome
    from reconciler.emulator.request import Endpoint
    from reconciler.emulator.rules import Fault

    Routes = tuple[tuple[re.Pattern[str], Endpoint], ...]

_FRONTEND = "/sdk/"
_LOG = logging.getLogger("reconciler.emulator")


class Application:
    """Serves the API on the state of `context` and logs the requests there."""

    def __init__(self, context: Context) -> None:
        self._context = context
        endpoints = (*ENDPOINTS, *(CONTROL_ROUTES if context.settings.control else ()))
        self._routes = tuple((compile_path(endpoint.path)[0], endpoint) for endpoint in endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "lifespan":
            await _run_lifespan(receive, send)
            return
        http = StarletteRequest(scope, receive)
        frontend = scope["path"].startswith(_FRONTEND)
        headers = cross_origin_headers(self._context, http.headers, http.method) if frontend else {}
        preflight = frontend and http.method == "OPTIONS"
        try:
            outcome = Response(200, b"", "text/plain") if preflight else await self._respond(http)
        except ClientDisconnect:
            _LOG.info(
                "%s %s: the client disconnected before the end of its request", http.method, scope["path"]
            )
            return
        await deliver(outcome, headers, scope, receive, send)

    async def _respond(self, http: StarletteRequest) -> Outcome:
        endpoint, path_params = _find(self._routes, http.method, http.scope["path"])
        request = await self._request(http, endpoint, path_params)
        if isinstance(endpoint, PlainRoute) and not endpoint.logged:
            return await respond_with_faults(self._context, request, ())
        faults = self._context.faults.draw(
            endpoint.name, path_params.get("organization_id"), writes=endpoint.writes
        )
        started_at, counter = self._context.now(), time.perf_counter()
        outcome: Outcome | None = None
        try:
            outcome = await respond_with_faults(self._context, request, faults)
        finally:
            entry = _entry(self._context, request, outcome, faults)
            duration = time.perf_counter() - counter
            self._context.log.add(replace(entry, started_at=started_at, duration=duration))
        return outcome

    async def _request(
        self, http: StarletteRequest, endpoint: Endpoint, path_params: dict[str, str]
    ) -> Request:
        settings = self._context.settings
        environment = settings.environment or environment_of(settings.project.project_id) or "test"
        return Request(
            endpoint=endpoint,
            method=http.method,
            path=http.scope["path"],
            path_params=path_params,
            query=http.query_params,
            headers=http.headers,
            content=await http.body(),
            base_url=str(http.base_url).rstrip("/"),
            secure=http.url.scheme == "https",
            request_id=self._context.identifiers.new("request-id", environment),
        )


def _find(routes: Routes, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    refusal = _UNKNOWN_ROUTE
    for pattern, endpoint in routes:
        match = pattern.match(path)
        if match is None:
            continue
        if endpoint.method == method or (endpoint.method == "GET" and method == "HEAD"):
            return endpoint, match.groupdict()
        refusal = _WRONG_METHOD
    return refusal, {}


def _entry(
    context: Context, request: Request, outcome: Outcome | None, faults: tuple[Fault, ...]
) -> LoggedRequest:
    reveal = context.settings.log_secrets
    headers, query, body = dict(request.headers), dict(request.query), request.progress.body
    response = outcome if isinstance(outcome, Response) else None
    return LoggedRequest(
        operation=request.endpoint.name,
        method=request.method,
        path=request.path,
        query=query if reveal else redacted(query),
        headers=headers if reveal else redacted_headers(headers),
        body=body if reveal else redacted(body),
        status=None if response is None else response.status,
        error_type=None if response is None else response.error_type,
        request_id=request.request_id,
        organization_id=request.progress.organization_id,
        connection_id=request.progress.connection_id,
        applied=request.progress.applied,
        faults=tuple(fault.text or fault.effect.value for fault in faults),
    )


async def _run_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _refusal(name: str, error_type: str) -> PlainRoute:
    async def refuse(context: Context, request: Request) -> Response:
        return error_response(context, ApiError(error_type), request)

    return PlainRoute(name, "", "", refuse)


_UNKNOWN_ROUTE = _refusal("unknown-route", "route_not_found")
_WRONG_METHOD = _refusal("wrong-method", "method_not_allowed")
