"""The control endpoint: what a test in another language, or a curious person, may do to the emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.emulator.answers import Answer, json_answer
from reconciler.emulator.connection_defaults import release_connection
from reconciler.emulator.errors import ApiError
from reconciler.emulator.exchange import PlainRoute
from reconciler.emulator.fault_text import parse_fault
from reconciler.emulator.origins import check_origin
from reconciler.emulator.rate_limit import RateLimit
from reconciler.emulator.request_log import redacted
from reconciler.emulator.seed import apply_seed
from reconciler.emulator.switches import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.exchange import Exchange

    Handler = Callable[[Context, Exchange, JsonObject], JsonObject]

_TABLES = ("projects", "organizations", "connections", "members", "sessions", "tenants", "discovery")


def _read_log(context: Context, exchange: Exchange, _body: JsonObject) -> JsonObject:
    operation = exchange.query.get("operation")
    entries = context.log.entries if operation is None else context.log.of(operation)
    return {"requests": [entry.as_document() for entry in entries]}


def _clear_log(context: Context, _exchange: Exchange, _body: JsonObject) -> JsonObject:
    context.log.clear()
    return {}


def _read_switches(context: Context, _exchange: Exchange, _body: JsonObject) -> JsonObject:
    positions = context.switches.as_mapping()
    return {
        "behaviours": [
            {
                "name": one.name,
                "number": one.number,
                "value": positions[one.name],
                "default": one.default,
                "alternatives": list(one.alternatives),
                "summary": one.summary,
            }
            for one in SWITCHES
        ]
    }


def _set_switches(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    for name, value in body.items():
        context.switches.set(name, str(value))
    return {"behaviours": context.switches.as_mapping()}


def _read_faults(context: Context, _exchange: Exchange, _body: JsonObject) -> JsonObject:
    return {"faults": {name: fault.text for name, fault in context.faults.rules.items()}}


def _add_fault(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    return {"id": context.faults.add(parse_fault(str(body.get("fault", ""))))}


def _remove_fault(context: Context, exchange: Exchange, _body: JsonObject) -> JsonObject:
    context.faults.remove(exchange.path["name"])
    return {}


def _clear_faults(context: Context, _exchange: Exchange, _body: JsonObject) -> JsonObject:
    context.faults.clear()
    return {}


def _set_limits(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    """`{"rate_limits": [{"requests": 100, "seconds": 1, "operations": ["*"]}]}`."""
    limits = tuple(
        RateLimit(
            int(limit["requests"]), float(limit.get("seconds", 1)), tuple(limit.get("operations", ("*",)))
        )
        for limit in body.get("rate_limits", ())
    )
    context.limits.replace(limits)
    return {"rate_limits": len(limits)}


def _move_clock(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    context.clock_offset += float(body.get("seconds", 0))
    return {"now": context.now()}


def _seed(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    apply_seed(context, body, context.settings.project.project_id)
    return {}


def _read_state(context: Context, exchange: Exchange, _body: JsonObject) -> JsonObject:
    state = {table: list(context.state.all(table)) for table in _TABLES}
    return state if exchange.query.get("secrets") == "show" else _without_secrets(state)


def _put_tenant(context: Context, exchange: Exchange, body: JsonObject) -> JsonObject:
    tenant = {**(context.state.get("tenants", exchange.path["tenant"]) or {}), **body}
    tenant["name"] = exchange.path["tenant"]
    context.state.put("tenants", tenant)
    return {"issuer": f"{exchange.base_url}/idp/{tenant['name']}"}


def _delete_tenant(context: Context, exchange: Exchange, _body: JsonObject) -> JsonObject:
    context.state.delete("tenants", exchange.path["tenant"])
    return {}


def _put_discovery(context: Context, _exchange: Exchange, body: JsonObject) -> JsonObject:
    context.state.put("discovery", {**body, "issuer": str(body["issuer"])})
    return {}


def _edit_connection(context: Context, exchange: Exchange, body: JsonObject) -> JsonObject:
    connection_id = exchange.path["connection_id"]
    with context.state.transaction():
        found = context.state.get("connections", connection_id)
        if found is None:
            raise KeyError(connection_id)
        edited = {**found, **body, "connection_id": connection_id}
        context.state.put("connections", edited)
    return {"connection": redacted(edited)}


def _remove_connection(context: Context, exchange: Exchange, _body: JsonObject) -> JsonObject:
    connection_id = exchange.path["connection_id"]
    with context.state.transaction():
        found = context.state.get("connections", connection_id)
        if found is None:
            raise KeyError(connection_id)
        release_connection(context, found)
        context.state.delete("connections", connection_id)
    return {}


def _without_secrets(state: JsonObject) -> JsonObject:
    tenants = [
        {**tenant, "clients": dict.fromkeys(tenant["clients"], "[redacted]")}
        if tenant.get("clients")
        else tenant
        for tenant in state["tenants"]
    ]
    hidden: JsonObject = redacted({**state, "tenants": tenants})
    return hidden


def _route(name: str, method: str, path: str, handler: Handler) -> PlainRoute:
    return PlainRoute(f"control-{name}", method, f"/_control/{path}", _answering(handler), logged=False)


def _answering(handler: Handler) -> Callable[[Context, Exchange], Awaitable[Answer]]:
    async def handle(context: Context, exchange: Exchange) -> Answer:
        try:
            check_origin(context, exchange.headers)
            return json_answer(200, handler(context, exchange, _body(exchange.content)))
        except ApiError as error:
            return json_answer(error.status, {"error": error.message})
        except KeyError as error:
            return json_answer(404, {"error": f"there is no {error}"})
        except (ValueError, TypeError) as error:
            return json_answer(400, {"error": str(error)})

    return handle


def _body(content: bytes) -> JsonObject:
    body = json.loads(content or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


CONTROL_ROUTES = (
    _route("read-log", "GET", "requests", _read_log),
    _route("clear-log", "DELETE", "requests", _clear_log),
    _route("read-behaviours", "GET", "behaviours", _read_switches),
    _route("set-behaviours", "PUT", "behaviours", _set_switches),
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
