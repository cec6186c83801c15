"""Validates a value with its pydantic model, and reports every error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.manifests.validation_errors import report_error

if TYPE_CHECKING:
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.yaml_reader import Value

T = TypeVar("T")


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
            report_error(error, model, value, findings)
        return None
    return validated
