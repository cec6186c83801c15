"""Runs pydantic over a value that was not recognised, and has what it objects to explained."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.manifests.explanations import explain

if TYPE_CHECKING:
    from reconciler.manifests.events import Value
    from reconciler.manifests.findings import DocumentFindings

T = TypeVar("T")


@lru_cache(maxsize=8)
def adapter(definition: type) -> TypeAdapter[Any]:
    """Return pydantic's reading of a definition."""
    return TypeAdapter(definition)


def validated(definition: type[T], value: Value, report: DocumentFindings) -> T | None:
    """Return the value in the shape of the definition, or None after reporting every objection."""
    kind: type = definition
    try:
        found: T = adapter(kind).validate_python(value)
    except ValidationError as failed:
        for error in failed.errors(include_url=False, include_input=False):
            explain(error, definition, value, report)
        return None
    return found
