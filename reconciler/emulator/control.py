"""The control API: reads and changes a running emulator, for tests in other languages."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from reconciler.emulator.access import check_origin
from reconciler.emulator.errors import ApiError
from reconciler.emulator.request import PlainRoute, Response, json_response
from reconciler.emulator.request_log import REDACTED, redacted
from reconciler.emulator.rule_parsing import parse_fault
from reconciler.emulator.rules import RateLimit
from reconciler.emulator.seed import apply_seed, edit_connection, put_tenant, remove_connection
from reconciler.emulator.switches import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Request

    Handler = Callable[[Context, Request, JsonObject], JsonObject | None]

_TABLES = ("projects", "organizations", "connections", "members", "sessions", "tenants", "discovery")


def _read_log(context: Context, request: Request, _body: JsonObject) -> JsonObject:
    operation = request.query.get("operation")
    entries = context.log.entries if operation is None else context.log.of(operation)
    return {"requests": [asdict(entry) for entry in entries]}


def _clear_log(context: Context, _request: Request, _body: JsonObject) -> None:
    context.log.clear()


def _read_switches(context: Context, _request: Request, _body: JsonObject) -> JsonObject:
    values = context.switches.values
    return {
        "switches": [
            {
                "name": switch.name,
                "number": switch.number,
                "value": values[switch.name],
                "default": switch.default,
                "alternatives": list(switch.alternatives),
                "summary": switch.summary,
            }
            for switch in SWITCHES
        ]
    }


def _set_switches(context: Context, _request: Request, body: JsonObject) -> JsonObject:
    for name, value in body.items():
        context.switches.set(name, str(value))
    return {"switches": context.switches.values}


def _read_faults(context: Context, _request: Request, _body: JsonObject) -> JsonObject:
    return {"faults": {name: fault.text for name, fault in dict(context.faults.rules).items()}}


def _add_fault(context: Context, _request: Request, body: JsonObject) -> JsonObject:
    return {"id": context.faults.add(parse_fault(str(body.get("fault", ""))))}


def _remove_fault(context: Context, request: Request, _body: JsonObject) -> None:
    del context.faults.rules[request.path_params["name"]]


def _clear_faults(context: Context, _request: Request, _body: JsonObject) -> None:
    context.faults.rules.clear()


def _set_limits(context: Context, _request: Request, body: JsonObject) -> JsonObject:
    """`{"rate_limits": [{"requests": 100, "seconds": 1, "operations": ["*"]}]}`."""
    limits = tuple(
        RateLimit(
            int(limit["requests"]), float(limit.get("seconds", 1)), tuple(limit.get("operations", ("*",)))
        )
        for limit in body.get("rate_limits", ())
    )
    context.limits.replace(limits)
    return {"rate_limits": len(limits)}


def _move_clock(context: Context, _request: Request, body: JsonObject) -> JsonObject:
    context.clock_offset += float(body.get("seconds", 0))
    return {"now": context.now()}


def _seed(context: Context, _request: Request, body: JsonObject) -> None:
    apply_seed(context, body, context.settings.project.project_id)


def _read_state(context: Context, request: Request, _body: JsonObject) -> JsonObject:
    state = {table: list(context.state.all(table)) for table in _TABLES}
    return state if request.query.get("secrets") == "show" else _without_secrets(state)


def _put_tenant(context: Context, request: Request, body: JsonObject) -> JsonObject:
    return {"issuer": request.base_url + put_tenant(context, request.path_params["tenant"], body)}


def _delete_tenant(context: Context, request: Request, _body: JsonObject) -> None:
    context.state.delete("tenants", request.path_params["tenant"])


def _put_discovery(context: Context, _request: Request, body: JsonObject) -> None:
    context.state.put("discovery", {**body, "issuer": str(body["issuer"])})


def _edit_connection(context: Context, request: Request, body: JsonObject) -> JsonObject:
    return {"connection": redacted(edit_connection(context, request.path_params["connection_id"], body))}


def _remove_connection(context: Context, request: Request, _body: JsonObject) -> None:
    remove_connection(context, request.path_params["connection_id"])


def _without_secrets(state: JsonObject) -> JsonObject:
    for tenant in state["tenants"]:
        if tenant.get("clients"):
            tenant["clients"] = dict.fromkeys(tenant["clients"], REDACTED)
    visible: JsonObject = redacted(state)
    return visible


def _route(name: str, method: str, path: str, handler: Handler) -> PlainRoute:
    async def handle(context: Context, request: Request) -> Response:
        try:
            check_origin(context, request.headers)
            return json_response(200, handler(context, request, _body(request.content)) or {})
        except ApiError as error:
            return json_response(error.status, {"error": error.message})
        except KeyError as error:
            return json_response(404, {"error": f"there is no {error}"})
        except (ValueError, TypeError) as error:
            return json_response(400, {"error": str(error)})

    return PlainRoute(f"control-{name}", method, f"/_control/{path}", handle, logged=False)


def _body(content: bytes) -> JsonObject:
    body = json.loads(content or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


CONTROL_ROUTES = (
    _route("read-log", "GET", "requests", _read_log),
    _route("clear-log", "DELETE", "requests", _clear_log),
    _route("read-switches", "GET", "switches", _read_switches),
    _route("set-switches", "PUT", "switches", _set_switches),
    _route("read-faults", "GET", "faults", _read_faults),
    _route("add-fault", "POST", "faults", _add_fault),
    _route("clear-faults", "DELETE", "faults", _clear_faults),
    _route("remove-fault", "DELETE", "faults/{name}", _remove_fault),
    _route("set-limits", "PUT", "rate-limits", _set_limits),
    _route("move-clock", "POST", "clock", _move_clock),
    _route("seed", "POST", "seed", _seed),
    _route("read-state", "GET", "state", _read_state),
    _route("put-tenant", "PUT", "identity-providers/{tenant}", _put_tenant),
    _route("delete-tenant", "DELETE", "identity-providers/{tenant}", _delete_tenant),
    _route("put-discovery", "PUT", "discovery", _put_discovery),
    _route("edit-connection", "PATCH", "connections/{connection_id}", _edit_connection),
    _route("remove-connection", "DELETE", "connections/{connection_id}", _remove_connection),
)
