"""Fields of what a forge answers, as the types that they must have."""

from __future__ import annotations

from typing import Any

from reconciler.core.errors import PublishingFailed


def text_of(document: Any, name: str) -> str:  # noqa: ANN401 - JSON
    """Return a text, empty where it is missing or null.

    Raises:
        PublishingFailed: it is something else.
    """
    value = document.get(name) if isinstance(document, dict) else None
    if value is not None and not isinstance(value, str):
        raise PublishingFailed(f"the answer's {name} is no text")
    return value or ""


def number_of(document: Any, name: str) -> int:  # noqa: ANN401 - JSON
    """Return a number.

    Raises:
        PublishingFailed: there is none.
    """
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise PublishingFailed(f"the answer has no {name}")
    return value
