"""What kinds of values are called, and how each is written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from reconciler.core.secret import SecretReference
from reconciler.manifests.scalars import Misread

if TYPE_CHECKING:
    from reconciler.manifests.events import Value

WANTED: Final = {
    "string_type": "text",
    "literal_error": "text",
    "dataclass_exact_type": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "date_type": "a date",
}
"""What pydantic wants, by the type of its objection."""

TYPE_HINTS: Final = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "int_from_float": "write a whole number, without quotes",
    "float_type": "write a number, without quotes",
    "date_type": "write it as YYYY-MM-DD",
    "list_type": "write [one, two], or a line with - for each",
    "dict_type": "write its keys below it, indented",
}
"""How to write it, by the same."""

PLAIN_NUMBERS: Final = {
    "a number": "write it such as 10 or 0.5, without exponent, underscores or leading zeros",
    "a whole number": "write it such as 10, without point, exponent, underscores or leading zeros",
}
"""How to write what YAML takes for a number that is none here, by what is wanted."""

_KINDS: Final = (
    (bool, "a boolean"),
    (int | float, "a number"),
    (date, "a date"),
    (str, "text"),
    (dict, "a mapping"),
    (list, "a list"),
    (SecretReference, "a reference to a secret"),
)


def kind_of(value: Value) -> str:
    """Return what a value is, with its article."""
    if isinstance(value, Misread):
        return value.value
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "nothing")
