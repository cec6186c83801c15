"""Calls to a forge's REST API: bounded repetition, pages, and errors that never show the token."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from reconciler.core.errors import PublishingFailed, UnknownPublication, UsageError
from reconciler.publishers.clock import SystemClock
from reconciler.publishers.patience import MOST_ATTEMPTS, PATIENCE, is_rate_limit, is_uncertain, waiting_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.publishers.clock import Clock

_TIMEOUT: Final = 30.0
"""Seconds for one attempt to connect, to send, and to go on answering."""

_MOST_PAGES: Final = 100
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class RestClient:
    """Calls one forge with one token; ``advice`` says what to do about a status.

    ``headers`` carries the token and is shown to nobody.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        token: str,
        advice: Mapping[int, str],
        clock: Clock | None = None,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._token = _checked_token(token)
        self._advice = advice
        self._clock = clock or SystemClock()
        self._http = httpx.Client(headers=dict(headers), timeout=_TIMEOUT, follow_redirects=False)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(self, method: str, path: str, *, json: object = None, creates: bool = False) -> Any:  # noqa: ANN401 - JSON
        """Send one call, again where that is safe, and return what was answered.

        ``creates``: repeating it could leave two, so it is repeated only if it certainly did nothing.

        Raises:
            PublishingFailed: the forge refuses, or cannot be reached.
            UnknownPublication: a call that creates was sent, and nobody knows what became of it.
        """
        return _json(self._send(method, self._base_url + path, json, creates=creates))

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the elements of a list, page by page as the ``Link`` header leads.

        Raises:
            PublishingFailed: as for `call`; the next page is on another host; there is no end.
        """
        url = self._base_url + path
        for _ in range(_MOST_PAGES):
            answer = self._send("GET", url, None, creates=False)
            elements = _json(answer)
            if not isinstance(elements, list):
                raise PublishingFailed(f"GET {path} answered something other than a list")
            yield from elements
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            self._check_origin(following)
            url = following
        raise PublishingFailed(f"GET {path} did not end after {_MOST_PAGES} pages")

    def _send(self, method: str, url: str, json: object, *, creates: bool) -> httpx.Response:
        end = self._clock.monotonic() + PATIENCE
        for attempt in count(1):
            answer, failure = self._attempt(method, url, json, creates=creates)
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and creates and is_uncertain(answer):
                raise UnknownPublication(failure, status=answer.status_code)
            passes = answer is None or is_rate_limit(answer) or is_uncertain(answer)
            wait = waiting_time(answer, attempt, self._clock.now())
            if not passes or attempt == MOST_ATTEMPTS or self._clock.monotonic() + wait > end:
                raise PublishingFailed(failure, status=answer.status_code if answer is not None else 0)
            self._clock.sleep(wait)
        raise AssertionError("the loop above returns or raises")

    def _attempt(
        self, method: str, url: str, json: object, *, creates: bool
    ) -> tuple[httpx.Response | None, str]:
        """Return the answer, if there is one, and what to say if it is not good."""
        try:
            answer = self._http.request(method, url, json=json)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return None, f"{_called(method, url)} failed: {self._safe(_reason(error))}"
        except httpx.HTTPError as error:
            failure = f"{_called(method, url)} was not answered: {self._safe(_reason(error))}"
            if creates:
                raise UnknownPublication(failure) from None  # the cause's request carries the token
            return None, failure
        return answer, self._words(method, url, answer)

    def _words(self, method: str, url: str, answer: httpx.Response) -> str:
        told = self._safe(_message(answer))
        advice = self._advice.get(answer.status_code, "")
        said = f"{_called(method, url)} answered {answer.status_code}{told and f': {told}'}"
        return f"{said} ({advice})" if advice else said

    def _safe(self, text: str) -> str:
        return text.replace(self._token, "(token)") if self._token else text

    def _check_origin(self, url: str) -> None:
        """Refuse to carry the token to another host."""
        ours, theirs = urlsplit(self._base_url), urlsplit(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise PublishingFailed(f"the next page is on another host than {ours.netloc}: {theirs.netloc}")


def checked_base_url(url: str) -> str:
    """Return the URL without a slash at its end.

    Raises:
        UsageError: it is no https URL (http only for loopback), or carries credentials or a query.
    """
    parts = urlsplit(url)
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_secure or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"{parts.hostname or 'the API address'} cannot be called: it must be an https URL without "
            "credentials and query; http is for loopback hosts only"
        )
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    """Refuse what no header can carry, before a library's error quotes it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("the token is empty, or has characters that no token has, such as a line end")
    return token


def _called(method: str, url: str) -> str:
    return f"{method} {urlsplit(url).path}"


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _json(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        path = answer.request.url.path
        raise PublishingFailed(
            f"{answer.request.method} {path} answered something other than JSON"
        ) from error


def _message(answer: httpx.Response) -> str:
    """Return what the forge says is wrong, if it says so in the way that GitHub and GitLab do."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    told = document.get("message") or document.get("error") or ""
    return str(told)[:500]
