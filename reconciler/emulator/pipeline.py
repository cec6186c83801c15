"""Handles a request: authenticate, count, parse, authorize and run it, with the effects of faults."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from reconciler.emulator.access import authenticate_backend, authenticate_frontend, authorize, check_origin
from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation, typed
from reconciler.emulator.organizations import find_organization
from reconciler.emulator.request import JSON, ApiCall, PlainRoute, Response, json_response
from reconciler.emulator.rules import Effect, retry_after_header

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.request import Caller, Operation, Request
    from reconciler.emulator.rules import Fault


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


async def respond_with_faults(context: Context, request: Request, faults: tuple[Fault, ...]) -> Outcome:
    """Handle `request`, with the effects of `faults` before or after its operation."""
    await asyncio.sleep(sum(_latency(context, fault) for fault in faults if fault.effect is Effect.LATENCY))
    remaining = [fault for fault in faults if fault.effect is not Effect.LATENCY]
    before = next((fault for fault in remaining if not fault.after), None)
    if before is not None:
        return _effect(context, request, before, None)
    endpoint = request.endpoint
    if isinstance(endpoint, PlainRoute):
        response = await endpoint.handle(context, request)
    else:
        response = await _respond(context, endpoint, request)
    if remaining:
        return _effect(context, request, remaining[0], response)
    return Lost() if _is_lost(context, request) else response


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


async def _respond(context: Context, operation: Operation, request: Request) -> Response:
    """Run `operation`; every error of the API becomes a response."""
    try:
        payload = await _run(context, operation, request)
    except ApiError as error:
        return error_response(context, error, request)
    except UnicodeEncodeError:
        malformed = ApiError("bad_request", "The body contains text that is not Unicode.")
        return error_response(context, malformed, request)
    except SchemaViolation as violation:
        if request.from_frontend:
            return json_response(400, violation.frontend_payload())
        return error_response(context, violation.backend_error(), request)
    document = {**payload, "request_id": request.request_id, "status_code": 200}
    return json_response(200, {"data": document} if request.from_frontend else document)


def error_response(context: Context, error: ApiError, request: Request) -> Response:
    """The response for `error`; the switch `frontend-error-type` sets its type on the frontend API."""
    document = error.payload(request.request_id)
    if context.switches["error-request-id"] == "absent":
        del document["request_id"]
    media_type = context.switches["frontend-error-type"] if request.from_frontend else JSON
    return Response(error.status, json.dumps(document).encode(), media_type, error.headers, error.error_type)


async def _run(context: Context, operation: Operation, request: Request) -> JsonObject:
    if context.settings.require_https and not request.secure:
        raise ApiError("use_https")
    caller = _authenticate(context, operation, request)
    context.limits.check(operation.name, caller.project_id)
    progress = request.progress
    progress.body = _parsed(request.content)
    organization = _organization(context, operation, request, caller)
    if organization is not None:
        progress.organization_id = organization["organization_id"]
    authorize(operation, caller, organization)
    call = ApiCall(
        caller=caller,
        path_params=request.path_params,
        body=progress.body,
        organization=organization,
        base_url=request.base_url,
    )
    payload = await operation.handle(context, call)
    progress.applied = True
    progress.connection_id = payload.get("connection", payload).get("connection_id", "")
    return payload


def _authenticate(context: Context, operation: Operation, request: Request) -> Caller:
    if not operation.frontend:
        return authenticate_backend(context, request.headers)
    check_origin(context, request.headers)
    return authenticate_frontend(context, request.headers, session_needed=operation.session_needed)


def _organization(
    context: Context, operation: Operation, request: Request, caller: Caller
) -> JsonObject | None:
    reference = request.path_params.get("organization_id")
    if operation.frontend:
        reference = caller.member["organization_id"] if caller.member else None
    return None if reference is None else find_organization(context, caller.project_id, reference)


def _parsed(content: bytes) -> JsonObject:
    if not content.strip():
        return {}
    try:
        document = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ApiError("bad_request", "The body is not JSON.") from None
    return typed("", document, dict)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
