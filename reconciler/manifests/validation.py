"""Runs pydantic over a value, and turns what it objects to into findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from reconciler.manifests.explanations import explain

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from reconciler.manifests.events import Value
    from reconciler.manifests.findings import DocumentFindings

T = TypeVar("T")


def validate(adapter: TypeAdapter[T], definition: type, value: Value, report: DocumentFindings) -> T | None:
    """Return the value in the shape of the definition, or None after reporting every objection."""
    try:
        return adapter.validate_python(value)
    except ValidationError as failed:
        for error in failed.errors(include_url=False, include_input=False):
            explain(error, definition, value, report)
    return None
