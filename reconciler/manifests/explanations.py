"""What pydantic objects to → the sentence a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.manifests.composer import UNUSABLE

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from reconciler.manifests.events import Path, Value
    from reconciler.manifests.findings import DocumentFindings

_EXPECTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "float_type": "a number",
    "date_type": "a date",
    "dataclass_exact_type": "a reference",
    "literal_error": "text",
}
_SECRETS: Final = frozenset({"client_secret", "secret", "session_token"})


def explain(error: ErrorDetails, definition: type, value: Value, report: DocumentFindings) -> None:
    """Report one objection; ``definition`` tells what would have been right."""
    path: Path = tuple(step for step in error["loc"] if step != "[key]")
    is_key = "[key]" in error["loc"]
    found = path[-1] if is_key else _at(value, path)
    if found is UNUSABLE:
        return
    report.add("x", path, error["msg"])


def _at(value: Value, path: Path) -> Value:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return value
