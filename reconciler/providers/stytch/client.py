"""The one way to the API: paced, bounded in time and size, repeated where that is safe."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import MalformedAnswer, Unavailable, UnknownOutcome
from reconciler.providers.stytch.answer import (
    LARGEST_ANSWER,
    Answer,
    AnswerTooLarge,
    payload,
    request_id,
)
from reconciler.providers.stytch.clock import Clock
from reconciler.providers.stytch.failure import (
    Failure,
    no_connection,
    refusal,
    timed_out,
    too_large,
    unreadable,
)
from reconciler.providers.stytch.hiding import credentials_in
from reconciler.providers.stytch.journal import structured
from reconciler.providers.stytch.pace import Disturbed, LongPause
from reconciler.providers.stytch.retry import DEFAULT_PATIENCE, FIRST_CONTACT_PATIENCE, Outage, backoff
from reconciler.providers.stytch.transport import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.errors import ProviderError
    from reconciler.providers.stytch.call import Call
    from reconciler.providers.stytch.journal import Journal
    from reconciler.providers.stytch.pace import Pace, Turn
    from reconciler.providers.stytch.transport import Transport

    _Outcome = tuple[Mapping[str, Any] | Failure | None, float]

_OUTAGES: Final = (Unavailable, UnknownOutcome, MalformedAnswer)
"""What a service in trouble brings; any other refusal shows that it works."""


class Client:
    """Sends calls through a transport, within their deadlines.

    Reads are repeated after any failure that may pass, writes only where they certainly had no
    effect: when they were refused for their number (429), or never left for lack of a connection.
    ``patience`` bounds one call with its repetitions, in seconds, and all calls of one kind together
    where none of them works: then no more are sent for a while. ``session_mode`` is for the session
    API, whose payloads are wrapped. ``headers``, which carry the credentials, are asked for anew for each
    attempt.
    """

    def __init__(
        self,
        transport: Transport,
        pace: Pace,
        *,
        headers: Callable[[], Mapping[str, str]],
        clock: Clock | None = None,
        patience: float = DEFAULT_PATIENCE,
        session_mode: bool = False,
        largest_answer: int = LARGEST_ANSWER,
        journal: Journal = structured,
    ) -> None:
        self._transport = transport
        self._pace = pace
        self._clock = clock or Clock()
        self._patience = patience
        self._session_mode = session_mode
        self._headers = headers
        self._largest = largest_answer
        self._journal = journal
        self._outages: defaultdict[str, Outage] = defaultdict(lambda: Outage(self._clock))
        self._was_reached = False

    async def send(self, call: Call) -> Mapping[str, Any]:
        """Return the payload of a good answer.

        Raises:
            ProviderError: of the kind that `reconciler.providers.base.Provider` promises.
        """
        spent = 0.0
        attempt = 1
        outcome, seconds = await self._attempt(call, attempt, hesitates=call.recheck is not None)
        if outcome is None:
            outcome, seconds = await self._attempt_again(call, attempt)
        while isinstance(outcome, Failure):
            if not outcome.repeatable:
                raise outcome.error
            spent += seconds
            self._check_patience(call, outcome, attempt, spent)
            spent += await self._rest(outcome)
            attempt += 1
            outcome, seconds = await self._attempt_again(call, attempt)
        assert outcome is not None  # an attempt that hesitates is made again until it does not
        return outcome

    def secrets_in(self, call: Call) -> tuple[str, ...]:
        """Return what the service is told with this call and must not be repeated if it does."""
        secret = call.body.get("client_secret") if call.body else None
        credentials = credentials_in(self._headers())
        return (*credentials, secret) if isinstance(secret, str) else credentials

    async def _attempt_again(self, call: Call, attempt: int) -> _Outcome:
        """Attempt once more; a call with a recheck only right after it, without a pause in between.

        Raises:
            Unavailable: calls were refused so often that there was no such moment in all our patience.
        """
        if call.recheck is None:
            return await self._attempt(call, attempt)
        began = self._clock.monotonic()
        while self._clock.monotonic() - began <= self._patience:
            await call.recheck()
            outcome, seconds = await self._attempt(call, attempt, hesitates=True)
            if outcome is not None:
                return outcome, seconds
        raise Unavailable(
            f"{call}: not sent, in {self._patience:.0f} s the service never let calls through for long"
        )

    async def _attempt(self, call: Call, attempt: int, *, hesitates: bool = False) -> _Outcome:
        """Return what one attempt brought, and the seconds it took without waiting for its turn.

        It brings None, and nothing is sent, if it ``hesitates`` and would have to wait because the service
        refused another call meanwhile: what was known when it began to wait may be long past.
        """
        try:
            async with self._pace.turn(self._patience, undisturbed=hesitates) as turn:
                if attempt == 1:
                    self._check_outage(call)
                began = self._clock.monotonic()
                outcome = await self._try(call, attempt)
                self._take_note(call, outcome, turn)
                return outcome, self._clock.monotonic() - began
        except Disturbed:
            return None, 0.0
        except LongPause as pause:
            raise Unavailable(
                f"{call}: not sent, the service asked for no calls in the next {pause.seconds:.0f} s"
            ) from pause

    async def _try(self, call: Call, attempt: int) -> Mapping[str, Any] | Failure:
        began = self._clock.monotonic()
        answer = await self._exchange(call)
        outcome = answer if isinstance(answer, Failure) else self._judge(call, answer)
        status = 0 if isinstance(answer, Failure) else answer.status
        self._write_down(call, status, outcome, attempt, self._clock.monotonic() - began)
        if isinstance(outcome, Failure) and not outcome.wait:
            return replace(outcome, wait=backoff(attempt, self._clock.chance()), is_asked=False)
        return outcome

    def _write_down(
        self,
        call: Call,
        status: int,
        outcome: Mapping[str, Any] | Failure,
        attempt: int,
        seconds: float,
    ) -> None:
        self._journal(
            "api call",
            is_warning=isinstance(outcome, Failure) and outcome.repeatable,
            method=call.method,
            path=call.path,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            request_id=outcome.error.request_id if isinstance(outcome, Failure) else request_id(outcome),
            attempt=attempt,
        )

    def _check_outage(self, call: Call) -> None:
        seconds = self._outages[call.kind].seconds
        if seconds > self._patience:
            raise Unavailable(f"{call}: not sent, for {seconds:.0f} s no call of this kind has worked")

    def _take_note(self, call: Call, outcome: Mapping[str, Any] | Failure, turn: Turn) -> None:
        if isinstance(outcome, Failure) and outcome.throttled:
            self._pace.refused(turn, outcome.wait or 0.0, is_asked=outcome.is_asked)
        elif not isinstance(outcome, Failure) or not outcome.never_sent:
            self._pace.accepted(turn)
        if isinstance(outcome, Failure) and isinstance(outcome.error, _OUTAGES):
            self._outages[call.kind].failed()
        else:
            self._outages[call.kind].ended()

    async def _exchange(self, call: Call) -> Answer | Failure:
        try:
            async with asyncio.timeout(call.deadline):
                return await self._request(call)
        except TimeoutError:
            return timed_out(call)
        except AnswerTooLarge:
            self._was_reached = True
            return too_large(call, self._largest)
        except ConnectionFailed as failed:
            self._was_reached = self._was_reached or not failed.never_sent
            return no_connection(call, failed)

    async def _request(self, call: Call) -> Answer:
        content = None if call.body is None else json.dumps(call.body, ensure_ascii=False).encode()
        answer = await self._transport.exchange(
            call.method, call.path, self._headers(), content, self._largest
        )
        self._was_reached = True
        return answer

    def _judge(self, call: Call, answer: Answer) -> Mapping[str, Any] | Failure:
        if not answer.is_good:
            return refusal(
                call,
                answer,
                self._clock.wall(),
                session_mode=self._session_mode,
                secrets=self.secrets_in(call),
            )
        document = payload(answer, wrapped=self._session_mode)
        return unreadable(call, answer) if document is None else document

    def _check_patience(self, call: Call, failure: Failure, attempts: int, spent: float) -> None:
        tried = max(spent, self._outages[call.kind].seconds)
        if tried + (failure.wait or 0.0) > self._patience_for(failure):
            raise _given_up(failure, attempts, tried) from failure.error

    def _patience_for(self, failure: Failure) -> float:
        if failure.never_sent and not self._was_reached:
            return min(self._patience, FIRST_CONTACT_PATIENCE)
        return self._patience

    async def _rest(self, failure: Failure) -> float:
        """Wait before the next attempt, and return the seconds; the pace makes throttled calls wait."""
        seconds = failure.wait or 0.0
        if not failure.throttled:
            await self._clock.sleep(seconds)
        return seconds


def _given_up(failure: Failure, attempts: int, seconds: float) -> ProviderError:
    error = failure.error
    tried = f"gave up after {attempts} attempt{'s' if attempts > 1 else ''} in {seconds:.0f} s"
    return type(error)(
        f"{error.message}; {tried}, the next was due in {failure.wait or 0.0:.0f} s",
        status=error.status,
        error_type=error.error_type,
        request_id=error.request_id,
    )
