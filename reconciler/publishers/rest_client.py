"""Calls a forge's REST API, with limited retries, pagination, and errors that never show the token."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx

from reconciler.core.errors import PublishingFailed, UnknownPublication, UsageError
from reconciler.http.client import (
    NOT_SENT,
    LimitedBody,
    ResponseTooLarge,
    client_settings,
    first_header,
    refuse_nested_codings,
)
from reconciler.http.clock import BlockingClock, backoff, retry_after
from reconciler.http.json_fields import JsonObject, parse_json
from reconciler.http.urls import is_secure, is_visible, parse_url, split_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RETRY_TIMEOUT: Final = 120.0
"""Seconds in all that one call may take with its repetitions."""

MAX_ATTEMPTS: Final = 6

_TIMEOUT: Final = 30.0
"""Seconds for one attempt to connect, to send, and to go on answering."""

_DEADLINE: Final = 60.0
"""Seconds for one attempt in all, however slowly the response comes."""

_MAX_BODY_BYTES: Final = 32 * 1024 * 1024
"""A page of a hundred comments of the largest size that GitHub allows (64 KiB) is about a fifth of it."""

_MAX_MESSAGE: Final = 500
"""Characters of a forge's message that are shown."""

_MAX_PAGES: Final = 100
_NOT_FOUND: Final = 404

_UNCERTAIN: Final = frozenset({500, 502, 503, 504})
"""The server failed; it may have done the work before."""


@dataclass(frozen=True, slots=True)
class _Response:
    """A response that was read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes
    next_url: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status <= 299  # noqa: PLR2004 - the bounds of HTTP's success statuses

    @property
    def is_uncertain(self) -> bool:
        """Whether the call may have been carried out."""
        return self.status in _UNCERTAIN

    @property
    def is_rate_limit(self) -> bool:
        """Whether the forge says "later", and nothing was done.

        GitHub says so with 403 as well as 429: with ``Retry-After``, with no calls remaining, or, for its
        secondary limits, in the message only (REST documentation, "Rate limits").
        """
        if self.status == 429:  # noqa: PLR2004 - Too Many Requests
            return True
        if self.status != 403:  # noqa: PLR2004 - Forbidden
            return False
        is_used_up = self.headers.get("x-ratelimit-remaining") == "0"
        return is_used_up or "retry-after" in self.headers or b"secondary rate limit" in self.body.lower()

    @property
    def message(self) -> str:
        """The forge's message, where it is as GitHub and GitLab write it, with GitHub's first detail."""
        try:
            document = parse_json(self.body)
        except ValueError:
            return ""
        if not isinstance(document, dict):
            return ""
        message = str(document.get("message") or document.get("error") or "")
        errors = document.get("errors")
        entries = errors if isinstance(errors, list) else ()
        details = [entry.get("message") for entry in entries if isinstance(entry, dict)]
        return ": ".join(map(str, filter(None, (message, *details[:1]))))

    def wait(self, now: float) -> float | None:
        """Return the seconds that the forge asks to wait, or None."""
        seconds = retry_after(first_header(self.headers, "retry-after"), now)
        if seconds is not None:
            return seconds
        reset = self.headers.get("x-ratelimit-reset") or self.headers.get("ratelimit-reset")
        remaining = self.headers.get("x-ratelimit-remaining") or self.headers.get("ratelimit-remaining")
        if remaining != "0" or not reset or not re.fullmatch(r"\d{1,12}", reset):
            return None
        return max(float(reset) - now, 0.0) + 1


class RestClient:
    """Calls one forge with one token; ``hints`` says what to do about a status.

    ``headers`` carries the token and is never shown.

    Raises:
        UsageError: the address or the token is unfit, or the environment names a proxy, or certificates
            to trust, that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        token: str,
        hints: Mapping[int, str],
        clock: BlockingClock | None = None,
    ) -> None:
        self._base_url = check_api_url(base_url)
        self._token = _check_token(token)
        self._hints = hints
        self._clock = clock or BlockingClock()
        self._http = httpx.Client(**client_settings(self._base_url), headers=dict(headers), timeout=_TIMEOUT)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, creates: bool = False
    ) -> JsonObject:
        """Send one call, again where that is safe, and return the object in its response.

        ``creates``: repeating it could leave two, so it is repeated only if it certainly did nothing.

        Raises:
            PublishingFailed: the forge refuses, cannot be reached, or answers with something else.
            UnknownPublication: a call that creates was sent, and its outcome is not known or unreadable.
        """
        response = self._send(method, self._base_url + path, body, creates=creates)
        called, error = f"{method} {path}", UnknownPublication if creates else PublishingFailed
        return _object(_parse(response, called, error), called, error)

    def send(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, creates: bool = False
    ) -> None:
        """Send one call as `call` does, and ignore its response."""
        self._send(method, self._base_url + path, body, creates=creates)

    def delete(self, path: str) -> None:
        """Delete a resource; one that no longer exists is not an error."""
        try:
            self.send("DELETE", path)
        except PublishingFailed as error:
            if error.status != _NOT_FOUND:
                raise

    def pages(self, path: str) -> Iterator[JsonObject]:
        """Yield the objects of a list, page by page as the ``Link`` header leads.

        Raises:
            PublishingFailed: as for `call`; the next page is on another host; there is no end.
        """
        url = self._base_url + path
        for _ in range(_MAX_PAGES):
            response = self._send("GET", url, None, creates=False)
            elements = _parse(response, f"GET {path}")
            if not isinstance(elements, list):
                raise PublishingFailed(f"GET {path} answered something other than a list")
            for element in elements:
                yield _object(element, f"GET {path}")
            if not response.next_url:
                return
            self._check_origin(response.next_url)
            url = response.next_url
        raise PublishingFailed(f"GET {path} did not end after {_MAX_PAGES} pages")

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None, *, creates: bool) -> _Response:
        end = self._clock.monotonic() + RETRY_TIMEOUT
        for attempt in count(1):
            response, failure = self._attempt(method, url, body, creates=creates)
            if response is not None and response.is_success:
                return response
            if response is not None and creates and response.is_uncertain:
                raise UnknownPublication(failure, status=response.status)
            is_temporary = response is None or response.is_rate_limit or response.is_uncertain
            wait = response.wait(self._clock.wall()) if response is not None else None
            wait = wait or backoff(attempt, self._clock.chance())
            if not is_temporary or attempt == MAX_ATTEMPTS or self._clock.monotonic() + wait > end:
                raise PublishingFailed(failure, status=response.status if response is not None else 0)
            self._clock.sleep(wait)
        raise AssertionError("the loop above returns or raises")

    def _attempt(
        self, method: str, url: str, body: Mapping[str, Any] | None, *, creates: bool
    ) -> tuple[_Response | None, str]:
        """Return the response, if there is one, and what to say if it is not a success."""
        called = f"{method} {parse_url(url).path}"
        try:
            response = self._exchange(method, url, body)
        except NOT_SENT as error:
            return None, f"{called} failed: {self._without_token(_reason(error))}"
        except (httpx.HTTPError, ResponseTooLarge) as error:
            failure = f"{called} was not answered: {self._without_token(_reason(error))}"
            if creates:
                raise UnknownPublication(failure) from None  # the cause's request carries the token
            return None, failure
        return response, self._failure(called, response)

    def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None) -> _Response:
        end = self._clock.monotonic() + _DEADLINE
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        with self._http.stream(method, url, content=content, headers=headers) as response:
            refuse_nested_codings(response)
            received = LimitedBody(_MAX_BODY_BYTES)
            for chunk in response.iter_bytes():
                received.add(chunk)
                if self._clock.monotonic() > end:
                    raise httpx.ReadTimeout(f"no complete answer within {_DEADLINE:.0f} s")
            next_url = response.links.get("next", {}).get("url", "")
            return _Response(response.status_code, response.headers, received.content(), next_url)

    def _failure(self, called: str, response: _Response) -> str:
        message = self._without_token(response.message)[:_MAX_MESSAGE]
        hint = self._hints.get(response.status, "")
        failure = f"{called} answered {response.status}{message and f': {message}'}"
        return f"{failure} ({hint})" if hint else failure

    def _without_token(self, text: str) -> str:
        return text.replace(self._token, "(token)")

    def _check_origin(self, url: str) -> None:
        """Refuse to carry the token to another host."""
        ours, theirs = parse_url(self._base_url), parse_url(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise PublishingFailed(f"the next page is on another host than {ours.netloc}: {theirs.netloc}")


def check_api_url(url: str) -> str:
    """Return the URL without a slash at its end.

    Raises:
        UsageError: it is not an https URL (http only for loopback), or carries credentials or a query.
    """
    parts = split_url(url)
    if parts is None or not is_secure(parts) or parts.username or parts.query or parts.fragment:
        host = parts.hostname if parts is not None else ""
        raise UsageError(
            f"{host or 'the API address'} cannot be called: it must be an https URL without "
            "credentials and query; http is for loopback hosts only"
        )
    return url.rstrip("/")


def _check_token(token: str) -> str:
    """Refuse what no header can carry, before a library's error quotes it."""
    if not is_visible(token):
        raise UsageError("the token is empty, or has characters that no token has, such as a line end")
    return token


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _parse(response: _Response, called: str, error: type[PublishingFailed] = PublishingFailed) -> object:
    try:
        return parse_json(response.body) if response.body else None
    except ValueError as cause:
        raise error(f"{called} answered something other than JSON") from cause


def _object(document: object, called: str, error: type[PublishingFailed] = PublishingFailed) -> JsonObject:
    if not isinstance(document, dict):
        raise error(f"{called} answered something other than an object")
    return JsonObject(document, called, error)
