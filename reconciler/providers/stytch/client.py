"""Sends requests: within the rate limit, with limits on time and size, and with safe retries."""

from __future__ import annotations

import asyncio
import json
import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from reconciler.core.errors import MalformedAnswer, Unavailable, UnknownOutcome, count
from reconciler.http.client import ResponseTooLarge
from reconciler.http.clock import Clock, backoff
from reconciler.http.redaction import credentials_in, repeats_credentials
from reconciler.providers.stytch.call import MAX_RESPONSE_BYTES, ApiResponse, payload, request_id
from reconciler.providers.stytch.errors import (
    Failure,
    connection_failed,
    credentials_repeated,
    error_response,
    timed_out,
    too_large,
    unreadable_response,
)
from reconciler.providers.stytch.http_transport import ConnectionFailed
from reconciler.providers.stytch.rate_limiter import RateLimitChanged, RetryAfterTooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.errors import ProviderError
    from reconciler.providers.stytch.call import ApiRequest
    from reconciler.providers.stytch.http_transport import Transport
    from reconciler.providers.stytch.rate_limiter import RateLimiter, Slot

    _Outcome = Mapping[str, Any] | Failure

DEFAULT_RETRY_TIMEOUT: Final = 120.0
"""Seconds in all that one request may take with its repetitions."""

RETRY: Final = "retry"
"""The event that announces a wait, after the failed attempt was logged."""

FIRST_CONTACT_TIMEOUT: Final = 10.0
"""Seconds for reaching a service that has never answered: more often a wrong address than an outage."""

LONGEST_AGES: Final = (1.0, 8.0)
"""Seconds between the request of a reading and a write that rests on it; a later write reads first. What
is late again right after that is slow rather than frozen, so it reads once more only if other runs may
have ended their wait since; and then no more, however slow the service or the rate."""

_FORGOTTEN_AFTER: Final = 300.0
"""Seconds after the last failure, more than lie between two attempts at any request."""

_OUTAGES: Final = (Unavailable, UnknownOutcome, MalformedAnswer)
"""The errors of a service in trouble; any other error response shows that it works."""


class ApiLog(Protocol):
    """Receives every attempt: never headers, never bodies."""

    def __call__(self, event: str, /, *, is_warning: bool, **facts: object) -> None:
        """Log an event with its facts; a warning is an attempt that has to be repeated."""


def log_event(event: str, /, *, is_warning: bool, **facts: object) -> None:
    """Log through structlog, however that is configured."""
    log = structlog.get_logger(__name__)
    (log.warning if is_warning else log.info)(event, **facts)


class Client:
    """Sends requests through a transport, within their deadlines.

    Reads are repeated after any failure that may pass, writes only where they certainly had no effect:
    when they were refused for the rate limit (429), or never left for lack of a connection.
    ``retry_timeout`` bounds one request with its repetitions, in seconds, and all requests of one kind
    together where none of them works: then no more are sent for a while. ``session_mode`` is for the
    frontend API, whose payloads are wrapped. ``headers``, which carry the credentials, are asked for anew
    for each attempt.
    """

    def __init__(
        self,
        transport: Transport,
        rate_limiter: RateLimiter,
        *,
        headers: Callable[[], Mapping[str, str]],
        clock: Clock | None = None,
        retry_timeout: float = DEFAULT_RETRY_TIMEOUT,
        session_mode: bool = False,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        api_log: ApiLog = log_event,
    ) -> None:
        self._transport = transport
        self._rate_limiter = rate_limiter
        self._headers = headers
        self._clock = clock or Clock()
        self._retry_timeout = retry_timeout
        self._session_mode = session_mode
        self._max_response_bytes = max_response_bytes
        self._api_log = api_log
        self._outages: defaultdict[str, _Outage] = defaultdict(lambda: _Outage(self._clock))
        self._was_reached = False

    async def send(self, request: ApiRequest) -> Mapping[str, Any]:
        """Return the payload of a successful response.

        Raises:
            ProviderError: of the kind that `reconciler.providers.base.Provider` promises.
        """
        document, _ = await self.send_timed(request)
        return document

    async def send_timed(self, request: ApiRequest) -> tuple[Mapping[str, Any], float]:
        """Return the payload of a successful response, and when the request was sent, by our clock.

        Raises:
            ProviderError: as `send`.
        """
        attempt, spent = 1, 0.0
        while True:
            outcome, sent_at, seconds = await self._attempt(request, attempt)
            if not isinstance(outcome, Failure):
                return outcome, sent_at
            if not outcome.retryable:
                raise outcome.error
            spent += seconds
            wait = outcome.retry_after or backoff(attempt, self._clock.chance())
            self._check_retry_timeout(request, outcome, attempt, spent, wait)
            self._api_log(
                RETRY,
                is_warning=True,
                cause=_waiting_cause(outcome),
                seconds=round(wait, 1),
                method=request.method,
                path=request.path,
            )
            if not outcome.throttled:  # the rate limiter makes throttled requests wait
                await self._clock.sleep(wait)
            spent += wait
            attempt += 1

    def secrets_in(self, request: ApiRequest) -> tuple[str, ...]:
        """Return what the service gets with this request and must not be shown if it repeats it."""
        return (*credentials_in(self._headers()), *request.secrets)

    async def _attempt(self, request: ApiRequest, attempt: int) -> tuple[_Outcome, float, float]:
        """Make one attempt; a write never goes out on an old reading.

        What was read before a pause of the rate limiter may have changed by its end, and so may anything
        while this process was frozen. So the loop reads again until neither lies between recheck and write.
        """
        recheck = request.recheck
        if recheck is None:
            return await self._send_in_slot(request, attempt)
        read_at = recheck.read_at if attempt == 1 else await recheck.read_again()
        began: float | None = None
        rereads = 0
        while began is None or self._clock.monotonic() - began <= self._retry_timeout:
            try:
                return await self._send_in_slot(
                    request,
                    attempt,
                    fail_if_throttled=True,
                    read_at=read_at,
                    longest_age=LONGEST_AGES[rereads] if rereads < len(LONGEST_AGES) else math.inf,
                )
            except _ReadingTooOld:
                rereads += 1
            except RateLimitChanged:
                began = self._clock.monotonic() if began is None else began
            read_at = await recheck.read_again()
        raise Unavailable(
            f"{request}: not sent, the service has been throttling calls for {self._retry_timeout:.0f} s"
        )

    async def _send_in_slot(
        self,
        request: ApiRequest,
        attempt: int,
        *,
        fail_if_throttled: bool = False,
        read_at: float = 0.0,
        longest_age: float = math.inf,
    ) -> tuple[_Outcome, float, float]:
        """Return the outcome of one attempt, when it was sent, and the seconds from then on."""
        slots = self._rate_limiter.acquire(self._retry_timeout, fail_if_throttled=fail_if_throttled)
        try:
            async with slots as slot:
                if attempt == 1:
                    self._check_outage(request)
                sent_at = self._clock.monotonic()
                if sent_at - read_at > longest_age:
                    raise _ReadingTooOld
                if request.recheck:
                    request.recheck.sent_at = sent_at
                outcome = await self._send_once(request, attempt)
                self._record(request, outcome, slot)
                return outcome, sent_at, self._clock.monotonic() - sent_at
        except RetryAfterTooLong as pause:
            raise Unavailable(
                f"{request}: not sent, the service asked for no calls in the next {pause.seconds:.0f} s"
            ) from pause

    async def _send_once(self, request: ApiRequest, attempt: int) -> _Outcome:
        began = self._clock.monotonic()
        response = await self._exchange(request)
        outcome = response if isinstance(response, Failure) else self._read(request, response)
        self._api_log(
            "api call",
            is_warning=isinstance(outcome, Failure) and outcome.retryable,
            method=request.method,
            path=request.path,
            status=response.status if isinstance(response, ApiResponse) else 0,
            duration_ms=round((self._clock.monotonic() - began) * 1000, 1),
            request_id=self._request_id(request, outcome),
            attempt=attempt,
        )
        return outcome

    def _request_id(self, request: ApiRequest, outcome: _Outcome) -> str:
        if isinstance(outcome, Failure):
            return outcome.error.request_id
        return request_id(outcome, self.secrets_in(request))

    async def _exchange(self, request: ApiRequest) -> ApiResponse | Failure:
        budget = request.byte_budget
        max_bytes = min(self._max_response_bytes, budget.remaining if budget else self._max_response_bytes)
        content = None if request.body is None else json.dumps(request.body, ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(request.deadline):
                response = await self._transport.exchange(
                    request.method, request.path, self._headers(), content, max_bytes
                )
        except TimeoutError:
            return timed_out(request)
        except ResponseTooLarge:
            self._was_reached = True
            return too_large(request, budget.total if budget else max_bytes)
        except ConnectionFailed as failed:
            self._was_reached = self._was_reached or not failed.not_sent
            return connection_failed(request, failed)
        self._was_reached = True
        if budget:
            budget.remaining -= len(response.body)
        return response

    def _read(self, request: ApiRequest, response: ApiResponse) -> _Outcome:
        secrets = self.secrets_in(request)
        if not response.is_success:
            return error_response(
                request, response, self._clock.wall(), session_mode=self._session_mode, secrets=secrets
            )
        document = payload(response, wrapped=self._session_mode)
        if document is None:
            return unreadable_response(request, response, secrets)
        if repeats_credentials(response.body, document, credentials_in(self._headers())):
            return credentials_repeated(request)
        return document

    def _record(self, request: ApiRequest, outcome: _Outcome, slot: Slot) -> None:
        """Tell the rate limiter, and the outage of requests of this kind, how an attempt ended."""
        failure = outcome if isinstance(outcome, Failure) else None
        if failure is not None and failure.throttled:
            self._rate_limiter.throttled(slot, failure.retry_after or None)
        elif failure is None or not failure.not_sent:
            self._rate_limiter.succeeded(slot)
        if failure is not None and isinstance(failure.error, _OUTAGES):
            self._outages[request.kind].failed()
        else:
            self._outages[request.kind].ended()

    def _check_outage(self, request: ApiRequest) -> None:
        seconds = self._outages[request.kind].seconds
        if seconds > self._retry_timeout:
            raise Unavailable(f"{request}: not sent, no call of this kind has succeeded for {seconds:.0f} s")

    def _check_retry_timeout(
        self, request: ApiRequest, failure: Failure, attempts: int, spent: float, wait: float
    ) -> None:
        tried = max(spent, self._outages[request.kind].seconds)
        is_first_contact = failure.not_sent and not self._was_reached
        timeout = min(self._retry_timeout, FIRST_CONTACT_TIMEOUT) if is_first_contact else self._retry_timeout
        if tried + wait > timeout:
            raise _gave_up(failure.error, attempts, tried, wait) from failure.error


class _ReadingTooOld(Exception):
    """The reading that a write rests on was requested too long ago."""


class _Outage:
    """How long no request of one kind has worked, in a whole run.

    Against a service that is down every request would be retried until its own timeout, one after the
    other; so they share it. The service limits groups of endpoints separately, so one kind of request may
    be down while the others work. An outage without requests is forgotten after a while.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: float | None = None
        self._last_failure = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the first failure that no success has followed."""
        return 0.0 if self._began is None or self._is_forgotten else self._clock.monotonic() - self._began

    def failed(self) -> None:
        """Record a failure that may pass."""
        now = self._clock.monotonic()
        if self._began is None or self._is_forgotten:
            self._began = now
        self._last_failure = now

    def ended(self) -> None:
        """Record that the service works."""
        self._began = None

    @property
    def _is_forgotten(self) -> bool:
        return self._clock.monotonic() - self._last_failure > _FORGOTTEN_AFTER


def _waiting_cause(failure: Failure) -> str:
    """Return in words why a request is sent again."""
    if isinstance(failure.error, Unavailable) and failure.throttled:
        return "rate limited"
    if failure.not_sent:
        return "no connection"
    return f"the service answered {failure.error.status}" if failure.error.status else "no usable response"


def _gave_up(error: ProviderError, attempts: int, seconds: float, wait: float) -> ProviderError:
    tried = f"gave up after {count(attempts, 'attempt')} in {seconds:.0f} s"
    return type(error)(
        f"{error.message}; {tried}, the next was due in {wait:.0f} s",
        status=error.status,
        error_type=error.error_type,
        request_id=error.request_id,
    )
