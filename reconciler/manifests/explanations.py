"""What pydantic objects to → the sentence a person can act on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import COMPUTED_FIELDS
from reconciler.core.secret import SecretReference
from reconciler.manifests.composer import UNUSABLE
from reconciler.manifests.events import name_of
from reconciler.manifests.kinds import PLAIN_NUMBERS, TYPE_HINTS, WANTED, kind_of
from reconciler.manifests.patterns import object_to
from reconciler.manifests.scalars import Misread
from reconciler.manifests.shapes import choices, holds_keys, known_keys
from reconciler.manifests.text import UNSAFE

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from reconciler.manifests.events import Path, Value
    from reconciler.manifests.findings import DocumentFindings

KEY_STEP: Final = "[key]"
"""How pydantic says that it means a key of a mapping, not its value."""

_VARIABLES: Final = {
    "client_secret": "ACME_CLIENT_SECRET",
    "secret": "STYTCH_SECRET",
    "session_token": "STYTCH_SESSION_TOKEN",
    "session_jwt": "STYTCH_SESSION_JWT",
}
"""What holds a secret, and an example of where that secret could be."""

_WRITE_OR_REMOVE: Final = "write a value, or remove the line: what is not declared is left as it is"
_BEGINNING: Final = "begin with a key and a colon, such as organization: acme"

_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def explain(error: ErrorDetails, definition: type, value: Value, report: DocumentFindings) -> None:
    """Report one objection; ``definition`` tells what would have been right."""
    is_key = _is_about_a_key(error, definition)
    path: Path = error["loc"][:-1] if is_key else error["loc"]
    found = path[-1] if is_key else _at(value, path)
    if found is not UNUSABLE:
        _Explanation(path, found, is_key, definition, report).give(error["type"], error.get("ctx", {}))


def _is_about_a_key(error: ErrorDetails, definition: type) -> bool:
    """Tell whether a key of a free mapping is meant: a key can be called like the step that says so."""
    path = error["loc"]
    if path[1:][-1:] != (KEY_STEP,) or error["type"] == "extra_forbidden":
        return False
    return holds_keys(definition, path[:-2]) and not known_keys(definition, path[:-2])


class _Explanation:
    """One objection, and all that is needed to put it into words."""

    def __init__(
        self,
        path: Path,
        found: Value,
        is_key: bool,
        definition: type,
        report: DocumentFindings,
    ) -> None:
        self._path = path
        self._found = found
        self._is_key = is_key
        self._definition = definition
        self._report = report
        self._name = f"`{_name(path, is_key)}`" if path else "the document"

    def give(self, kind: str, context: dict[str, Any]) -> None:
        if kind == "extra_forbidden":
            self._unknown_key()
        elif kind == "missing":
            self._missing_key()
        elif self._found is None and not self._is_key:
            self._no_value()
        elif self._found in ("", []):
            self._empty()
        elif kind in _BOUNDS:
            self._out_of_bounds(*_BOUNDS[kind], context)
        elif kind == "value_error" or self._found is Misread.DATE:
            self._add("invalid-date", f"{self._name} is not a date", "write a day that exists, as YYYY-MM-DD")
        elif isinstance(self._found, str):
            self._wrong_text(kind, context)
        else:
            self._wrong_type(kind)

    def _wrong_text(self, kind: str, context: dict[str, Any]) -> None:
        if kind == "string_pattern_mismatch":
            self._misfit(context["pattern"])
        elif kind == "string_too_long":
            limit = context["max_length"]
            self._add("too-long", f"{self._name} is longer than {limit} characters", "shorten it")
        elif kind == "literal_error":
            self._unknown_choice()
        else:
            self._wrong_type(kind)

    def _unknown_key(self) -> None:
        known = known_keys(self._definition, self._path[:-1])
        close = get_close_matches(str(self._path[-1])[:80], known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
        if self._path[-1] in COMPUTED_FIELDS:
            hint = "remove it: the server decides it"
        self._report.add("unknown-key", self._path, f"unknown key {self._name}", hint=hint, at="key")

    def _missing_key(self) -> None:
        summary = f"the key {self._name} is missing"
        hint = f"add {name_of(self._path)}: at the top, with the organization's id, slug or external id"
        self._report.add("missing-key", self._path[:-1], summary, hint=hint)

    def _no_value(self) -> None:
        hint = _WRITE_OR_REMOVE
        if holds_keys(self._definition, self._path):
            hint = "write its keys below it, indented, or {} for none" if self._path else _BEGINNING
        self._add("no-value", f"{self._name} has no value", hint)

    def _empty(self) -> None:
        if self._is_key:
            where = name_of(self._path[:-1])
            self._add("empty-key", f"a key below `{where}` is empty", "give it a name, or remove the line")
        elif _is_secret(self._path):
            self._wrong_secret()
        elif isinstance(self._found, list):
            hint = "list at least one, or remove the line"
            self._add("empty-value", f"{self._name} is an empty list", hint)
        else:
            is_scope = "custom_scopes" in self._path[:-1]
            hint = "separate scopes by single spaces" if is_scope else _WRITE_OR_REMOVE
            self._add("empty-value", f"{self._name} is empty", hint)

    def _misfit(self, pattern: str) -> None:
        if UNSAFE.search(self._found):
            return  # reported where texts are looked at for this
        objection = object_to(pattern, self._found)
        self._add(objection.code, f"{self._name} {objection.summary}", objection.hint)

    def _out_of_bounds(self, key: str, words: str, context: dict[str, Any]) -> None:
        self._add("out-of-bounds", f"{self._name} has to be {words} {context[key]:g}", "correct the number")

    def _unknown_choice(self) -> None:
        known = choices(self._definition, self._path)
        close = get_close_matches(self._found[:80].lower(), known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}"
        self._add("unknown-value", f"{self._name} cannot be {self._found[:80]!r}", hint)

    def _wrong_type(self, kind: str) -> None:
        if _is_secret(self._path):
            self._wrong_secret()
        elif isinstance(self._found, SecretReference):
            self._add("secret-out-of-place", f"{self._name} cannot hold a reference to a secret")
        elif WANTED.get(kind) == "text" and not isinstance(self._found, dict | list):
            self._unquoted()
        elif self._found is Misread.NUMBER and WANTED.get(kind) in PLAIN_NUMBERS:
            summary = f"{self._name} has to be {WANTED[kind]} in plain decimal digits"
            self._add("wrong-type", summary, PLAIN_NUMBERS[WANTED[kind]])
        else:
            summary = (
                f"{self._name} has to be {WANTED.get(kind, 'something else')}, not {kind_of(self._found)}"
            )
            self._add("wrong-type", summary, self._type_hint(kind))

    def _type_hint(self, kind: str) -> str:
        """Return what to do, where the kind of the value alone tells it."""
        if kind == "bool_type" and self._found is Misread.OFF:
            return "write false"
        if kind == "dict_type" and not self._path:
            return _BEGINNING
        return TYPE_HINTS.get(kind, "write a single value")

    def _unquoted(self) -> None:
        """Report text that YAML takes for something else, and show it as it has to be written."""
        written = self._report.written(self._path)
        is_choice = choices(self._definition, self._path)
        is_shown = written and self._path[0] != "target"  # where it may be a credential by mistake
        hint = f"write it in quotes: {_quoted(written)}" if is_shown else "write it in quotes"
        if is_choice and written not in is_choice:
            hint = f"known: {', '.join(is_choice)}"
        kind = "a boolean" if self._found is Misread.OFF else kind_of(self._found)
        self._add("not-text", f"{self._name} is {kind} to YAML, not text", hint)

    def _wrong_secret(self) -> None:
        """Report a secret that is written out. Nothing of it is repeated."""
        hint = f"refer to it, such as ${{env:{_VARIABLES[str(self._path[-1])]}}}"
        if self._found == "":
            self._add("empty-value", f"{self._name} is empty", hint)
        elif isinstance(self._found, str):
            summary = f"{self._name} is written out; a secret never stands in a file"
            self._add("literal-secret", summary, f"{hint}, and replace it if Git has seen it")
        else:
            summary = f"{self._name} has to be a reference to a secret, not {kind_of(self._found)}"
            self._add("wrong-type", summary, hint)

    def _add(self, code: str, summary: str, hint: str = "") -> None:
        self._report.add(code, self._path, summary, hint=hint, at="key" if self._is_key else "value")


def _at(value: Value, path: Path) -> Value:
    """Return what stands at a path; a scope's index may count the words of a text."""
    for step in path:
        if isinstance(value, str) and isinstance(step, int):
            value = value.split(" ")
        value = value[step] if _has(value, step) else None
    return value


def _has(value: Value, step: str | int) -> bool:
    return step in value if isinstance(value, dict) else isinstance(step, int) and isinstance(value, list)


def _is_secret(path: Path) -> bool:
    """Tell whether a secret belongs at ``path``, so that nothing of what is there may be shown."""
    match path:
        case ("connections", _, "client_secret") | ("target", "secret" | "session_token" | "session_jwt"):
            return True
        case _:
            return False


def _name(path: Path, is_key: bool) -> str:
    return str(path[-1])[:80] if is_key else name_of(path)


def _quoted(written: str) -> str:
    return "'" + written.replace("'", "''") + "'"
