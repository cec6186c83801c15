"""Validates a value with its pydantic model, and reports every error."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.core.connection import COMPUTED_FIELDS
from reconciler.core.errors import did_you_mean
from reconciler.manifests.field_types import (
    BY_ENVIRONMENT,
    COMMAS_IN_SCOPES,
    EXCLUDED_PATTERN,
    ONE_ID,
    choices,
    is_mapping,
    known_keys,
)
from reconciler.manifests.findings import name_of
from reconciler.manifests.text_patterns import (
    UNSAFE,
    describe_mismatch,
    find_typographic,
    missing_blank,
    plain_scopes,
    shell_variable,
)
from reconciler.manifests.yaml_reader import INVALID, YamlScalarKind, parse_date

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from reconciler.core.codes import Code
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.yaml_reader import Path, Value

T = TypeVar("T")

_KEY_STEP: Final = "[key]"
"""The last step of pydantic's location for an error in a key of a mapping."""

_EXAMPLE_VARIABLES: Final = {
    "client_secret": "ACME_CLIENT_SECRET",
    "secret": "STYTCH_SECRET",
    "session_token": "STYTCH_SESSION_TOKEN",
    "session_jwt": "STYTCH_SESSION_JWT",
    "identity": "AGE_IDENTITY",
}
"""The fields that hold a secret, each with an example of a variable."""

_WRITE_OR_REMOVE: Final = "write a value, or remove the line to leave the field unmanaged"
_FIRST_LINE: Final = "begin with a key and a colon, such as organization: acme"

_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}

_EXPECTED: Final = {
    "string_type": "text",
    "literal_error": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "date_type": "a date",
}
"""What pydantic expects, by the type of its error."""

_TYPE_HINTS: Final = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "int_from_float": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "date_type": "write it as YYYY-MM-DD",
    "list_type": "write [one, two], or a line with - for each",
    "dict_type": "write its keys below it, indented",
}
"""How to write a value of the expected type, by the type of the error."""

_SYNONYMS: Final = {
    **dict.fromkeys(
        ("azure", "azure-ad", "azuread", "aad", "entra", "entra-id", "microsoft", "ms-entra"),
        "microsoft-entra",
    ),
    **dict.fromkeys(("google", "gsuite", "g-suite", "workspace"), "google-workspace"),
    **dict.fromkeys(("ping", "ping-federate", "pingidentity"), "pingfederate"),
    **dict.fromkeys(("oidc", "custom", "other", "auth0", "cognito", "openid"), "generic"),
    **dict.fromkeys(("deleted", "delete", "removed", "destroyed", "gone"), "absent"),
    **dict.fromkeys(("active", "enabled", "created", "exists"), "present"),
    **dict.fromkeys(("ignored", "ignore"), "unmanaged"),
}
"""Other names of values that a field may have."""

_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")

_NUMBER_HINTS: Final = {
    "a number": "write it such as 10 or 0.5, without exponent, underscores or leading zeros",
    "a whole number": "write it such as 10, without point, exponent, underscores or leading zeros",
}
"""How to write a number that YAML knows in more forms than manifests do, by what is expected."""

_TYPE_NAMES: Final = (
    (bool, "a boolean"),
    (int | float, "a number"),
    (date, "a date"),
    (str, "text"),
    (dict, "a mapping"),
    (list, "a list"),
)


@cache
def adapter(model: type) -> TypeAdapter[Any]:
    """Return pydantic's validator of a model."""
    return TypeAdapter(model)


def validate(model: type[T], value: Value, findings: DocumentFindings) -> T | None:
    """Return the value in the shape of its model, or None after reporting every error."""
    kind: type = model
    try:
        validated: T = adapter(kind).validate_python(value)
    except ValidationError as failed:
        for error in failed.errors(include_url=False, include_input=False):
            if findings.is_full:
                break  # describing an error takes time, and a hostile file can have any number
            _report_error(error, model, value, findings)
        return None
    return validated


def _report_error(error: ErrorDetails, model: type, document: Value, findings: DocumentFindings) -> None:
    """Report one error of pydantic; ``document`` is what was validated."""
    path: Path = tuple(step for step in error["loc"] if step not in {ONE_ID, BY_ENVIRONMENT})
    is_key = _is_about_a_key(path, error["type"], model)
    path = path[:-1] if is_key else path
    value = path[-1] if is_key else _value_at(document, path)
    if value is not INVALID:
        report = _ErrorReport(path=path, value=value, is_key=is_key, model=model, findings=findings)
        report.add(error["type"], error.get("ctx", {}))


def _is_about_a_key(path: Path, kind: str, model: type) -> bool:
    """Whether a key of a mapping is meant; a key may itself be called like the step that says so."""
    if path[1:][-1:] != (_KEY_STEP,) or kind == "extra_forbidden":
        return False
    return is_mapping(model, path[:-2]) and not known_keys(model, path[:-2])


class _ErrorReport:
    """One error, and what is needed to describe it."""

    def __init__(
        self, *, path: Path, value: Value, is_key: bool, model: type, findings: DocumentFindings
    ) -> None:
        self._path = path
        self._value = value
        self._is_key = is_key
        self._model = model
        self._findings = findings
        self._name = f"`{_name(path, is_key)}`" if path else "the document"

    def add(self, kind: str, context: dict[str, Any]) -> None:
        """Add the finding. ``kind`` and ``context`` are pydantic's."""
        if kind == "extra_forbidden":
            self._unknown_key()
        elif kind == "missing":
            self._missing_key()
        elif self._value is None and not self._is_key:
            self._no_value()
        elif self._value in ("", []) or kind == "too_short":
            self._empty()
        elif kind in _BOUNDS:
            self._out_of_bounds(*_BOUNDS[kind], context)
        elif kind == "value_error" or self._value is YamlScalarKind.DATE:
            self._add("invalid-date", f"{self._name} is not a date", self._date_hint())
        elif isinstance(self._value, str):
            self._wrong_text(kind, context)
        else:
            self._wrong_type(kind)

    def _date_hint(self) -> str:
        day = _DAY_FIRST.fullmatch(self._value) if isinstance(self._value, str) else None
        if day and parse_date(written := f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"):
            return f"write it as YYYY-MM-DD: {written}"
        return "write a day that exists, as YYYY-MM-DD"

    def _wrong_text(self, kind: str, context: dict[str, Any]) -> None:
        if kind in {"string_pattern_mismatch", EXCLUDED_PATTERN}:
            self._pattern_mismatch(context["pattern"])
        elif kind == COMMAS_IN_SCOPES:
            self._commas_in_scopes()
        elif kind == "string_too_long":
            limit = context["max_length"]
            self._add("too-long", f"{self._name} is longer than {limit} characters", "shorten it")
        elif kind == "literal_error":
            self._unknown_choice()
        else:
            self._wrong_type(kind)

    def _unknown_key(self) -> None:
        known = known_keys(self._model, self._path[:-1])
        hint = did_you_mean(str(self._path[-1])[:80], known, f"known keys: {', '.join(known)}")
        if self._path[-1] in COMPUTED_FIELDS:
            hint = "remove it: the server sets it"
        self._findings.add("unknown-key", self._path, f"unknown key {self._name}", hint=hint, at="key")

    def _missing_key(self) -> None:
        summary = f"the key {self._name} is missing"
        hint = f"add {self._path[-1]}:"
        if self._path == ("organization",):
            hint += " at the top, with the organization's ID, slug or external ID"
        self._findings.add("missing-key", self._path[:-1], summary, hint=hint)

    def _no_value(self) -> None:
        hint = _WRITE_OR_REMOVE
        if is_mapping(self._model, self._path):
            hint = "write its keys below it, indented, or {} for none" if self._path else _FIRST_LINE
        self._add("no-value", f"{self._name} has no value", hint)

    def _empty(self) -> None:
        if self._is_key:
            mapping = name_of(self._path[:-1])
            self._add("empty-key", f"a key below `{mapping}` is empty", "give it a name, or remove the line")
        elif _is_secret(self._path):
            self._wrong_secret()
        elif isinstance(self._value, list | dict):
            kind = "list" if isinstance(self._value, list) else "mapping"
            hint = "list at least one, or remove the line"
            self._add("empty-value", f"{self._name} is an empty {kind}", hint)
        else:
            is_scope = "custom_scopes" in self._path[:-1]
            hint = "separate scopes by single spaces" if is_scope else _WRITE_OR_REMOVE
            self._add("empty-value", f"{self._name} is empty", hint)

    def _pattern_mismatch(self, pattern: str) -> None:
        if UNSAFE.search(self._value):
            return  # reported with the characters of the file
        mismatch = describe_mismatch(pattern, self._value)
        self._add(mismatch.code, f"{self._name} {mismatch.summary}", mismatch.hint)

    def _commas_in_scopes(self) -> None:
        scopes = " ".join(plain_scopes(self._value))
        self._add(
            "invalid-scope",
            f"{self._name} is separated by commas, which would be part of the scopes",
            "separate scopes by single spaces" + (f": {scopes}" if scopes else ""),
        )

    def _out_of_bounds(self, key: str, words: str, context: dict[str, Any]) -> None:
        self._add("out-of-bounds", f"{self._name} must be {words} {context[key]:g}", "correct the number")

    def _unknown_choice(self) -> None:
        known = choices(self._model, self._path)
        hint = did_you_mean(self._value[:80].lower(), known, f"known values: {', '.join(known)}")
        if (synonym := _SYNONYMS.get(self._value.lower().replace("_", "-"))) in known:
            hint = f"write {synonym}"
        elif mismatch := find_typographic(self._value):
            self._add(mismatch.code, f"{self._name} {mismatch.summary}", mismatch.hint)
            return
        self._add("unknown-value", f"{self._name} cannot be {self._value[:80]!r}", hint)

    def _wrong_type(self, kind: str) -> None:
        expected = _EXPECTED.get(kind, "text")
        if _is_secret(self._path):
            self._wrong_secret()
        elif expected == "text" and not isinstance(self._value, dict | list):
            self._not_quoted()
        elif self._value is YamlScalarKind.NUMBER and expected in _NUMBER_HINTS:
            summary = f"{self._name} must be {expected} in plain decimal digits"
            self._add("wrong-type", summary, _NUMBER_HINTS[expected])
        else:
            summary = f"{self._name} must be {expected}, not {_type_name(self._value)}"
            self._add("wrong-type", summary, self._type_hint(kind))

    def _type_hint(self, kind: str) -> str:
        if kind == "bool_type" and self._value is YamlScalarKind.OFF:
            return "write false"
        if kind == "dict_type":
            return self._mapping_hint()
        return _TYPE_HINTS.get(kind, "write a single value")

    def _mapping_hint(self) -> str:
        if isinstance(self._value, str) and (key := missing_blank(self._value)):
            return f"write a space after the colon of `{key}:`"
        if not self._path:
            return _FIRST_LINE
        if self._path == ("connections",) and isinstance(self._value, list):
            return "remove the - before each connection, and write its name and a colon, such as okta:"
        return _TYPE_HINTS["dict_type"]

    def _not_quoted(self) -> None:
        """Report text that YAML reads as another type, and show it as it has to be written."""
        text = self._findings.text(self._path)
        is_shown = text and self._path[0] not in {"target", "secrets"}  # it may be a misplaced credential
        hint = f"quote it: {_quoted(text)}" if is_shown else "quote it"
        known = choices(self._model, self._path)
        if known and text not in known:
            hint = f"known values: {', '.join(known)}"
        kind = "a boolean" if self._value is YamlScalarKind.OFF else _type_name(self._value)
        self._add("not-text", f"{self._name} must be text, but YAML reads this as {kind}", hint)

    def _wrong_secret(self) -> None:
        """Report a secret that is written out. Nothing of it is repeated."""
        hint = f"for example ${{env:{_EXAMPLE_VARIABLES[str(self._path[-1])]}}}"
        if self._value == "":
            self._add("empty-value", f"{self._name} is empty", hint)
        elif isinstance(self._value, str):
            self._add("literal-secret", *self._literal_secret(hint))
        else:
            summary = f"{self._name} must be a reference to a secret, not {_type_name(self._value)}"
            self._add("wrong-type", summary, hint)

    def _literal_secret(self, hint: str) -> tuple[str, str]:
        if shell_variable(self._value):
            return (
                f"{self._name} looks like a variable of a shell, which is not replaced",
                "write ${env:NAME}, with the name of the variable",
            )
        return (
            f"{self._name} is written out: secrets must not be stored in manifests; use a reference",
            f"{hint}; rotate the secret if it was committed to Git",
        )

    def _add(self, code: Code, summary: str, hint: str = "") -> None:
        self._findings.add(code, self._path, summary, hint=hint, at="key" if self._is_key else "value")


def _type_name(value: Value) -> str:
    if isinstance(value, YamlScalarKind):
        return value.value
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "nothing")


def _value_at(document: Value, path: Path) -> Value:
    """Return the value at a path; the index of a scope may count the words of a text."""
    value = document
    for step in path:
        if isinstance(value, str) and isinstance(step, int):
            value = value.split(" ")
        value = value[step] if _has(value, step) else None
    return value


def _has(value: Value, step: str | int) -> bool:
    return step in value if isinstance(value, dict) else isinstance(step, int) and isinstance(value, list)


def _is_secret(path: Path) -> bool:
    """Whether the field at ``path`` holds a secret, so that its value must not be shown."""
    match path:
        case ("connections", _, "client_secret") | ("target", "secret" | "session_token" | "session_jwt"):
            return True
        case ("secrets", "age", "identity"):
            return True
        case _:
            return False


def _name(path: Path, is_key: bool) -> str:
    return str(path[-1])[:80] if is_key else name_of(path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
