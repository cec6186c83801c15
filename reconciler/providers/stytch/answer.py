"""What came back, read within bounds and by its content, whatever type it claims to have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from reconciler.providers.stytch.hiding import without_secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping

LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes after decompression; a list of a thousand organizations is about one hundredth of it."""

_LONGEST_MESSAGE: Final = 300
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")

_ENVELOPE_KEYS: Final = frozenset(
    {
        "request_id",
        "status_code",
        "connection",
        "connection_id",
        "oidc_connections",
        "saml_connections",
        "external_connections",
        "organization",
        "organizations",
    }
)


class AnswerTooLarge(Exception):
    """The answer does not end within `LARGEST_ANSWER`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and the one header that matters; the body may hold secrets and is not shown."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the status says that the call was carried out (one SDK expects 201 as well)."""
        return 200 <= self.status <= 299  # noqa: PLR2004  the bounds of HTTP's success statuses


async def read_body(chunks: AsyncIterable[bytes], largest: int) -> bytes:
    """Put a body together.

    Raises:
        AnswerTooLarge: it is longer than ``largest`` bytes.
    """
    parts: list[bytes] = []
    size = 0
    async for part in chunks:
        size += len(part)
        if size > largest:
            raise AnswerTooLarge
        parts.append(part)
    return b"".join(parts)


def parse(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object in a body, or None if there is no such thing; half a character is no text."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def payload(answer: Answer, *, wrapped: bool) -> Mapping[str, Any] | None:
    """Return what a good answer holds, or None if it is not what the API answers with.

    ``wrapped`` tells that the payload is expected under ``data``, as the session API has it.
    """
    document = parse(answer.body)
    if document is not None and wrapped:
        inner = document.get("data")
        document = inner if isinstance(inner, dict) else None
    if document is None or _ENVELOPE_KEYS.isdisjoint(document):
        return None
    return None if _is_refusal(document) else document


def envelope(answer: Answer) -> Mapping[str, Any] | None:
    """Return what a refusal says of itself; the session API does not wrap it, but it might."""
    document = parse(answer.body)
    inner = document.get("data") if document else None
    return inner if isinstance(inner, dict) else document


def identifier(document: Mapping[str, Any] | None, name: str) -> str:
    """Return a short identifier from an envelope (error_type, request_id), or nothing."""
    value = document.get(name) if document else None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def request_id(document: Mapping[str, Any] | None) -> str:
    """Return the request's id from an envelope, for support to find the call by."""
    return identifier(document, "request_id")


def shown(message: object, secrets: Iterable[str] = ()) -> str:
    """Return a foreign message fit for one line: no control or invisible characters, bounded.

    ``secrets`` are taken out, should the server repeat what it was sent.
    """
    if not isinstance(message, str):
        return ""
    told = without_secrets(message, secrets)[:4096]
    visible = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in told)
    line = " ".join(visible.split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}…"


def _is_refusal(document: Mapping[str, Any]) -> bool:
    status = document.get("status_code")
    return isinstance(status, int) and status >= 300  # noqa: PLR2004  the end of HTTP's success statuses
