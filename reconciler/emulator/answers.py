"""What goes back over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and headers; `error_type` is for the request log."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    error_type: str | None = None


def json_answer(status: int, document: object, **extra: str) -> Answer:
    """An answer with a JSON body; `extra` are headers, underscores standing for hyphens."""
    headers = {name.replace("_", "-"): value for name, value in extra.items()}
    return Answer(status, json.dumps(document, separators=(",", ":")).encode(), headers=headers)
