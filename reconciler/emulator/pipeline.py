"""Handles an API request: authenticate, count, parse, find the organization, authorize, run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.emulator.authentication import authenticate_backend, authenticate_frontend, check_origin
from reconciler.emulator.authorization import authorize
from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation
from reconciler.emulator.organizations import find_organization
from reconciler.emulator.request import JSON, ApiCall, Response, Surface, json_response

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.request import Caller, Operation, Request


async def respond(context: Context, operation: Operation, request: Request) -> Response:
    """Run `operation`; every error of the API becomes a response."""
    try:
        payload = await _run(context, operation, request)
    except ApiError as error:
        return error_response(context, error, request)
    except UnicodeEncodeError:
        malformed = ApiError("bad_request", "The body contains text that is no Unicode.")
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
    return payload


def _authenticate(context: Context, operation: Operation, request: Request) -> Caller:
    if operation.surface is Surface.BACKEND:
        return authenticate_backend(context, request.headers)
    check_origin(context, request.headers)
    return authenticate_frontend(context, request.headers, session_needed=operation.session_needed)


def _organization(
    context: Context, operation: Operation, request: Request, caller: Caller
) -> JsonObject | None:
    reference = request.path_params.get("organization_id")
    if operation.surface is Surface.FRONTEND:
        reference = caller.member["organization_id"] if caller.member else None
    return None if reference is None else find_organization(context, caller.project_id, reference)


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
