"""Holds a value against a definition, and turns what is wrong with it into findings."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from reconciler.manifests.recognition import UNRECOGNISED, recogniser

if TYPE_CHECKING:
    from reconciler.manifests.events import Value
    from reconciler.manifests.findings import DocumentFindings


T = TypeVar("T")

_recogniser = lru_cache(maxsize=8)(recogniser)


def validate(definition: type[T], value: Value, report: DocumentFindings) -> T | None:
    """Return the value in the shape of the definition, or None after reporting every objection."""
    kind: type = definition
    found: T = _recogniser(kind)(value)
    if found is not UNRECOGNISED:
        return found
    from reconciler.manifests.objections import validated

    return validated(definition, value, report)
