"""Searches the organizations of a project, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation, typed
from reconciler.emulator.organizations import with_active_connections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.request import ApiCall

_DEFAULT_LIMIT, _MAXIMUM_LIMIT, _SHORTEST_FUZZY = 100, 1000, 3
_ANY_OF = "IN (SELECT value FROM json_each(?))"
_CONTAINS = "LIKE '%' || ? || '%'"
_LISTED = "EXISTS (SELECT 1 FROM json_each(organizations.document, '$.{}') WHERE value {})"
_MEMBERS = (
    "EXISTS (SELECT 1 FROM members WHERE members.organization_id = organizations.organization_id"
    " AND json_extract(members.document, '$.email_address') {})"
)
_CONNECTIONS = (
    "EXISTS (SELECT 1 FROM connections"
    " WHERE connections.organization_id = organizations.organization_id AND {})"
)

# filter_name: the condition on a row of `organizations`, with one parameter
_ARRAY_FILTERS = {
    "organization_ids": f"organization_id {_ANY_OF}",
    "organization_slugs": f"slug {_ANY_OF}",
    "member_emails": _MEMBERS.format(_ANY_OF),
    "allowed_domains": _LISTED.format("email_allowed_domains", _ANY_OF),
    "claimed_email_domains": _LISTED.format("claimed_email_domains", _ANY_OF),
}
_FUZZY_FILTERS = {
    "organization_name_fuzzy": "instr(lower(json_extract(document, '$.organization_name')), lower(?))",
    "organization_slug_fuzzy": "instr(lower(slug), lower(?))",
    "member_email_fuzzy": _MEMBERS.format(_CONTAINS),
    "allowed_domain_fuzzy": _LISTED.format("email_allowed_domains", _CONTAINS),
}
_HAS_ACTIVE = _CONNECTIONS.format("json_extract(connections.document, '$.status') = 'active'") + " = ?"
_HAS_CONNECTION = _CONNECTIONS.format("connections.connection_id = ?")
# values of the switch `last-cursor`
_LAST_CURSORS: JsonObject = {"absent": {}, "null": {"next_cursor": None}, "empty": {"next_cursor": ""}}

Condition = tuple[str, object]


async def search_organizations(context: Context, call: ApiCall) -> JsonObject:
    """POST /v1/b2b/organizations/search."""
    limit, after = _limit(call.body), _position(call.body)
    conditions = [("project_id = ?", call.caller.project_id), *_conditions(call.body)]
    total = int(context.state.rows(_select("count(*)", conditions), (value for _, value in conditions))[0][0])
    page = _page(context, [*conditions, ("sequence > ?", after)], limit + 1)
    organizations = _show(context, [json.loads(document) for _, document in page[:limit]])
    metadata: JsonObject = {"total": -1 if context.switches["search-total"] == "hidden" else total}
    if len(page) > limit:
        repeats = context.switches["search-cursor"] == "repeats"
        metadata |= {"next_cursor": _cursor(after if repeats else page[limit - 1][0])}
    else:
        metadata |= _LAST_CURSORS[context.switches["last-cursor"]]
    return {"organizations": organizations, "results_metadata": metadata}


def _select(columns: str, conditions: Iterable[Condition]) -> str:
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    return f"SELECT {columns} FROM organizations WHERE {where}"  # noqa: S608 -- conditions are constants above


def _page(context: Context, conditions: list[Condition], size: int) -> list[tuple[int, str]]:
    statement = f"{_select('sequence, document', conditions)} ORDER BY sequence LIMIT {size}"
    return [(row[0], row[1]) for row in context.state.rows(statement, (value for _, value in conditions))]


def _show(context: Context, organizations: list[JsonObject]) -> list[JsonObject]:
    connections: defaultdict[str, list[JsonObject]] = defaultdict(list)
    ids = [organization["organization_id"] for organization in organizations]
    for connection in context.state.where("connections", "organization_id", *ids):
        connections[connection["organization_id"]].append(connection)
    return [
        with_active_connections(organization, connections[organization["organization_id"]])
        for organization in organizations
    ]


def _limit(body: JsonObject) -> int:
    limit = body.get("limit")
    if limit is None or limit == 0:
        return _DEFAULT_LIMIT
    if not 1 <= typed("limit", limit, int) <= _MAXIMUM_LIMIT:
        raise ApiError("user_search_invalid_limit")
    return int(limit)


def _position(body: JsonObject) -> int:
    cursor = body.get("cursor")
    if not cursor:
        return 0
    text = typed("cursor", cursor, str)
    try:
        return int(base64.urlsafe_b64decode(text).decode("ascii").removeprefix("after:"))
    except (binascii.Error, ValueError):
        raise ApiError("user_search_invalid_cursor") from None


def _cursor(sequence: int) -> str:
    return base64.urlsafe_b64encode(f"after:{sequence}".encode()).decode()


def _conditions(body: JsonObject) -> list[Condition]:
    query = body.get("query")
    if query is None:
        return []
    operands = typed("query", query, dict).get("operands") or []
    if query.get("operator", "AND") != "AND":
        raise ApiError("user_search_invalid_operator")
    if not all(isinstance(operand, dict) for operand in typed("operands", operands, list)):
        raise SchemaViolation("operands", "array")
    return [_condition(operand) for operand in operands]


def _condition(operand: JsonObject) -> Condition:
    name, value = operand.get("filter_name"), operand.get("filter_value")
    if not name:
        raise ApiError("organization_search_missing_filter_name")
    if value is None:
        raise ApiError("organization_search_missing_filter_value")
    if name in _ARRAY_FILTERS:
        return _ARRAY_FILTERS[name], json.dumps(_strings(value))
    if name in _FUZZY_FILTERS:
        return _FUZZY_FILTERS[name], _fuzzy(name, value)
    if name == "has_active_sso_connection":
        if not isinstance(value, bool):
            raise ApiError("organization_search_expected_boolean")
        return _HAS_ACTIVE, int(value)
    if name == "sso_connection_id":
        return _HAS_CONNECTION, _string(value)
    raise ApiError("organization_search_filter_name_not_recognized")


def _strings(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError("organization_search_expected_array_of_strings")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ApiError("organization_search_expected_string")
    return value


def _fuzzy(name: str, value: object) -> str:
    text = _string(value)
    if len(text) < _SHORTEST_FUZZY:
        raise ApiError(f"organization_search_{name.removeprefix('organization_')}_too_short")
    return text
