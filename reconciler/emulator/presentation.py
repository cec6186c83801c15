"""How a stored connection looks in an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

_SHOWN_TAIL = 4


def show_connection(context: Context, connection: JsonObject) -> JsonObject:
    """The wire form under the switches `client-secret`, `custom-scopes`, `new-fields`, `unset-fields`."""
    shown = dict(connection)
    secret = shown.get("client_secret")
    if secret and context.switches["client-secret"] == "masked":
        shown["client_secret"] = _masked(secret)
    if shown.get("custom_scopes") and context.switches["custom-scopes"] == "encoded":
        shown["custom_scopes"] = quote(shown["custom_scopes"], safe="%")
    if context.switches["new-fields"] == "present":
        shown["emulated_new_field"] = {"since": "tomorrow"}
    return _with_unset_fields(shown, context.switches["unset-fields"])


def show_list(context: Context, name: str, members: list[JsonObject]) -> JsonObject:
    """`name` with its members, under the switch `empty-lists`."""
    form = context.switches["empty-lists"]
    if members or form == "empty":
        return {name: members}
    return {name: None} if form == "null" else {}


def _masked(secret: str) -> str:
    tail = secret[-_SHOWN_TAIL:] if len(secret) >= 2 * _SHOWN_TAIL else ""
    return "*" * 8 + tail


def _with_unset_fields(shown: JsonObject, form: str) -> JsonObject:
    if form == "absent":
        return {name: value for name, value in shown.items() if value != ""}
    if form == "null":
        nulled = {name: None if value == "" else value for name, value in shown.items()}
        return {**nulled, "attribute_mapping": shown.get("attribute_mapping")}
    if form == "empty-object":
        return {"attribute_mapping": {}, **shown}
    return shown
