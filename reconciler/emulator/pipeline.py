"""From a request to its answer: who, how often, what, whose, may they, do it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.emulator.answers import JSON, Answer, json_answer
from reconciler.emulator.authentication import authenticate_backend, authenticate_frontend
from reconciler.emulator.authorization import authorize
from reconciler.emulator.calls import Call, Surface
from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation
from reconciler.emulator.organizations import find_organization
from reconciler.emulator.origins import check_origin

if TYPE_CHECKING:
    from reconciler.emulator.calls import Caller, Operation
    from reconciler.emulator.context import Context
    from reconciler.emulator.exchange import Exchange


async def answer(context: Context, operation: Operation, exchange: Exchange) -> Answer:
    """Do what was asked; every refusal of the API is an answer too."""
    frontend = operation.surface is Surface.FRONTEND
    try:
        payload = await _perform(context, operation, exchange)
    except ApiError as error:
        return error_answer(context, error, exchange.request_id, frontend=frontend)
    except UnicodeEncodeError:
        refusal = ApiError("bad_request", "The body contains text that is no Unicode.")
        return error_answer(context, refusal, exchange.request_id, frontend=frontend)
    except SchemaViolation as violation:
        if frontend:
            return json_answer(400, violation.frontend_payload())
        return error_answer(context, violation.backend_error(), exchange.request_id)
    document = {**payload, "request_id": exchange.request_id, "status_code": 200}
    return json_answer(200, {"data": document} if frontend else document)


def error_answer(context: Context, error: ApiError, request_id: str, *, frontend: bool = False) -> Answer:
    """The envelope; on the frontend API its Content-Type is what the switch `frontend-error-type` says."""
    document = error.payload(request_id)
    if context.switches["error-request-id"] == "absent":
        del document["request_id"]
    body = json.dumps(document).encode()
    media_type = context.switches["frontend-error-type"] if frontend else JSON
    return Answer(error.status, body, media_type, error.headers, error.error_type)


async def _perform(context: Context, operation: Operation, exchange: Exchange) -> JsonObject:
    if context.settings.require_https and not exchange.secure:
        raise ApiError("use_https")
    caller = _authenticate(context, operation, exchange)
    context.limits.check(operation, caller.project_id)
    exchange.body = _parsed(exchange.content)
    organization = _organization(context, operation, exchange, caller)
    if organization is not None:
        exchange.organization_id = organization["organization_id"]
    authorize(operation, caller, organization)
    call = Call(
        operation=operation,
        caller=caller,
        path=exchange.path,
        query=exchange.query,
        headers=exchange.headers,
        body=exchange.body,
        organization=organization,
        base_url=exchange.base_url,
    )
    payload = await operation.handle(context, call)
    exchange.applied = True
    return payload


def _authenticate(context: Context, operation: Operation, exchange: Exchange) -> Caller:
    if operation.surface is Surface.BACKEND:
        return authenticate_backend(context, exchange.headers)
    check_origin(context, exchange.headers)
    return authenticate_frontend(context, exchange.headers, session_needed=operation.session_needed)


def _organization(
    context: Context, operation: Operation, exchange: Exchange, caller: Caller
) -> JsonObject | None:
    name = exchange.path.get("organization_id")
    if operation.surface is Surface.FRONTEND:
        name = caller.member["organization_id"] if caller.member else None
    return None if name is None else find_organization(context, caller.project_id, name)


def _parsed(content: bytes) -> JsonObject:
    if not content.strip():
        return {}
    try:
        document = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ApiError("bad_request", "The body is no JSON.") from None
    if not isinstance(document, dict):
        raise SchemaViolation("", "object")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
