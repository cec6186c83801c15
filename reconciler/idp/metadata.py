"""Fetches and reads the metadata of an identity provider (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.http.json_fields import parse_json
from reconciler.http.urls import is_loopback, parse_url, split_url
from reconciler.idp.guarded_fetch import Answer, Cause, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.idp.guarded_fetch import GuardedFetcher

ENDPOINTS: Final[Mapping[str, str]] = {
    "authorization_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "userinfo_url": "userinfo_endpoint",
    "jwks_url": "jwks_uri",
}
"""The fields of a connection and the names of the same URLs in the metadata."""

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_GONE: Final = frozenset({404, 410})
_OK: Final = 200
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON object that was fetched. Its values come from outside, and may have any type."""

    answer: Answer
    values: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """Return a text, or None if it is absent, empty or of another type."""
        value = self.values.get(name)
        return value if isinstance(value, str) and value else None

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return the texts of a list, or None if there is no list."""
        value = self.values.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else None

    def is_true(self, name: str) -> bool:
        """Tell whether a flag is set."""
        return self.values.get(name) is True


def text_of(document: Document | NoAnswer | None, name: str) -> str:
    """Return a text of a document, or nothing if there is no document or no such text."""
    return (document.text(name) or "") if isinstance(document, Document) else ""


def metadata_url(issuer: str) -> str:
    """Return where an issuer publishes its metadata; without a slash at its end (Discovery, section 4)."""
    return issuer.removesuffix("/") + _WELL_KNOWN


def with_client_id(url: str, client_id: str) -> str:
    """Return the URL with a client_id, by which Okta tells apart what it publishes."""
    return f"{url}{'&' if '?' in url else '?'}client_id={quote(client_id, safe='')}"


def issuer_endpoints(
    metadata: Document | NoAnswer | None, issuer: str, could_be_declared: Callable[[str], bool]
) -> Mapping[str, str] | str:
    """Return the endpoints in an issuer's own metadata, by field, or why the metadata does not count.

    It counts if it names the issuer byte for byte, and endpoints that a manifest could declare: https, or
    http where the issuer itself is on this machine.
    """
    if not isinstance(metadata, Document):
        return metadata.reason if metadata else "there is no metadata"
    if metadata.text("issuer") != issuer:
        return "the metadata names another issuer"
    endpoints = {field: url for field, name in ENDPOINTS.items() if (url := metadata.text(name))}
    is_local = is_loopback(parse_url(issuer).hostname or "")
    bad = next(
        (
            field
            for field, url in endpoints.items()
            if not could_be_declared(url) or not _is_endpoint(url, is_local=is_local)
        ),
        "",
    )
    return f"`{ENDPOINTS[bad]}` is not a valid https URL" if bad else endpoints


def _is_endpoint(url: str, *, is_local: bool) -> bool:
    parts = split_url(url)
    if parts is None:
        return False
    is_plain = parts.scheme == "http" and is_local and is_loopback(parts.hostname or "")
    return parts.scheme == "https" or is_plain


class Documents:
    """Fetches JSON documents, each of them once in a run, however many connections share it."""

    def __init__(self, fetcher: GuardedFetcher) -> None:
        self._fetcher = fetcher
        self._tasks: dict[str, asyncio.Task[Document | NoAnswer]] = {}

    async def get(self, url: str) -> Document | NoAnswer:
        """Return the JSON object at a URL, or why there is none."""
        if url not in self._tasks:
            self._tasks[url] = asyncio.create_task(self._fetch(url))
        return await asyncio.shield(self._tasks[url])

    async def metadata(self, url: str) -> Document | NoAnswer:
        """Return the metadata at a URL, or why there is none."""
        document = await self.get(url)
        if isinstance(document, Document) and document.text("issuer") is None:
            return _rejected(document.answer, "the document names no issuer")
        return document

    async def _fetch(self, url: str) -> Document | NoAnswer:
        answer = await self._fetcher.get(url)
        return read_document(answer) if isinstance(answer, Answer) else answer


def read_document(answer: Answer) -> Document | NoAnswer:
    """Return the JSON object in an answer, or why it holds none."""
    status = answer.status
    if status in _GONE:
        return NoAnswer(
            url=answer.url, cause=Cause.NOT_FOUND, reason=f"it answers {status}", redirects=answer.redirects
        )
    if status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        return NoAnswer(
            url=answer.url, cause=Cause.UNREACHABLE, reason=f"it answers {status}", redirects=answer.redirects
        )
    if status != _OK:
        return _rejected(answer, f"it answers {status}")
    try:
        values = parse_json(answer.body)
    except ValueError as error:
        return _rejected(answer, _problem(answer, error))
    return (
        Document(answer=answer, values=values)
        if isinstance(values, dict)
        else _rejected(answer, "the response is JSON but not an object")
    )


def _problem(answer: Answer, error: ValueError) -> str:
    if answer.body.lstrip()[:1] == b"<":
        return "the response is an HTML page, perhaps a login page, instead of JSON"
    return (
        "the response is not JSON"
        if isinstance(error, UnicodeError)
        else f"the response cannot be read: {error}"
    )


def _rejected(answer: Answer, problem: str) -> NoAnswer:
    return NoAnswer(url=answer.url, cause=Cause.REJECTED, reason=problem, redirects=answer.redirects)
