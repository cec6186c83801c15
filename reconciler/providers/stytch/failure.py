"""What a failed attempt means: which error it is, and whether the call may be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import (
    AccessDenied,
    ConnectionNotFound,
    MalformedAnswer,
    NotFound,
    OrganizationNotFound,
    ProviderError,
    RequestRejected,
    TimedOut,
    Unavailable,
    UnknownOutcome,
)
from reconciler.providers.stytch.advice import (
    DEAD_IN_SESSION_MODE,
    DEAD_SESSION,
    LOG_IN_AGAIN,
    LOG_IN_OR_CHECK,
    SDK_ORIGIN,
    advice,
)
from reconciler.providers.stytch.answer import envelope, identifier, request_id, shown
from reconciler.providers.stytch.hiding import repeats_secret
from reconciler.providers.stytch.retry import retry_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.providers.stytch.answer import Answer
    from reconciler.providers.stytch.call import Call
    from reconciler.providers.stytch.transport import ConnectionFailed

THROTTLED: Final = 429
_CLIENT_CLOSED: Final = 499
_REPEATABLE: Final = frozenset({408, 429, _CLIENT_CLOSED, 500, 502, 503, 504})
_REDIRECT: Final = range(300, 400)
_SERVER_ERROR: Final = 500
_NO_CHANCE: Final = 8

_MAY_HAVE_HAPPENED: Final = "it may have been carried out, read the live state before repeating it"

_NOT_FOUND: Final = {
    "organization_not_found": OrganizationNotFound,
    "oidc_connection_not_found": ConnectionNotFound,
    "sso_connection_not_found": ConnectionNotFound,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that brought nothing.

    ``wait`` is in seconds: what the service asked for, or None if it asked for nothing, until the client
    puts its own guess there, which is then not ``is_asked``.
    ``throttled`` concerns all calls, not this one alone. ``never_sent`` tells that no connection
    was made.
    """

    error: ProviderError
    repeatable: bool = False
    wait: float | None = None
    is_asked: bool = True
    throttled: bool = False
    never_sent: bool = False


def refusal(
    call: Call, answer: Answer, wall: float, *, session_mode: bool = False, secrets: Sequence[str] = ()
) -> Failure:
    """Return what an answer with a status other than 2xx means; ``wall`` is the present, for dates.

    ``secrets`` are not to be repeated, should the server do so.
    """
    said = envelope(answer)
    error_type = identifier(said, "error_type")
    wait = retry_after(answer.retry_after, wall)
    throttled = answer.status == THROTTLED or (answer.status in _REPEATABLE and wait is not None)
    login = _login_advice(error_type, session_mode=session_mode)
    kind = AccessDenied if login else _kind(call, answer.status, error_type)
    hint = login or _hint(kind, answer.status, error_type)
    return Failure(
        kind(
            _message(call, answer.status, said, hint, secrets),
            status=answer.status,
            error_type=_unless_secret(error_type, secrets),
            request_id=_unless_secret(request_id(said), secrets),
        ),
        repeatable=answer.status == THROTTLED or (answer.status in _REPEATABLE and not call.writes),
        wait=wait,
        throttled=throttled,
    )


def unreadable(call: Call, answer: Answer) -> Failure:
    """Return what a good status with a body that is no answer means."""
    known = request_id(envelope(answer))
    if call.writes:
        text = f"{call}: accepted, but the answer cannot be read; read the live state before repeating it"
        return Failure(UnknownOutcome(text, status=answer.status, request_id=known))
    text = f"{call}: the answer is truncated, or not the API's own; check base_url and any proxy in between"
    return Failure(MalformedAnswer(text, status=answer.status, request_id=known), repeatable=True)


def too_large(call: Call, largest: int) -> Failure:
    """Return what an answer without end means."""
    text = f"{call}: the answer is longer than {largest} bytes and was not read to its end"
    return Failure(UnknownOutcome(text) if call.writes else MalformedAnswer(text))


def timed_out(call: Call) -> Failure:
    """Return what an attempt without an answer within its deadline means."""
    text = f"{call}: no answer within {call.deadline:g} s"
    if call.writes:
        return Failure(TimedOut(f"{text}; {_MAY_HAVE_HAPPENED}"))
    return Failure(Unavailable(text), repeatable=True)


def no_connection(call: Call, failed: ConnectionFailed) -> Failure:
    """Return what it means that the connection broke, or that there was none."""
    if not failed.never_sent:
        return _broken(call, f"{call}: the connection broke ({failed.reason})")
    text = f"{call}: no connection to the service ({failed.reason}); check base_url and the network"
    return Failure(Unavailable(text), repeatable=not failed.is_lasting, never_sent=True)


def _broken(call: Call, text: str) -> Failure:
    if call.writes:
        return Failure(UnknownOutcome(f"{text}; {_MAY_HAVE_HAPPENED}"))
    return Failure(Unavailable(text), repeatable=True)


def _unless_secret(name: str, secrets: Iterable[str]) -> str:
    """Return an identifier, or nothing if it is a secret; a very short one is in many by chance."""
    secrets = (secret for secret in secrets if len(secret) >= _NO_CHANCE)
    return "" if repeats_secret(name, secrets) else name


def _kind(call: Call, status: int, error_type: str) -> type[ProviderError]:
    if status in {401, 403} or error_type in SDK_ORIGIN:
        return AccessDenied
    if status == 404:  # noqa: PLR2004  the statuses are named by the branches
        return _NOT_FOUND.get(error_type, NotFound)
    if status == THROTTLED:
        return Unavailable
    if status >= _SERVER_ERROR or status in _REPEATABLE or status < 200:  # noqa: PLR2004  neither success nor refusal
        return UnknownOutcome if call.writes else Unavailable
    return RequestRejected


def _login_advice(error_type: str, *, session_mode: bool) -> str:
    if error_type in DEAD_SESSION:
        return LOG_IN_AGAIN
    return LOG_IN_OR_CHECK if session_mode and error_type in DEAD_IN_SESSION_MODE else ""


def _hint(kind: type[ProviderError], status: int, error_type: str) -> str:
    return _MAY_HAVE_HAPPENED if kind is UnknownOutcome else advice(status, error_type)


def _message(
    call: Call, status: int, said: Mapping[str, Any] | None, hint: str, secrets: Iterable[str]
) -> str:
    words = shown(_words(said), secrets).rstrip(".") or _unsaid(status)
    return f"{call}: {words}; {hint}" if hint else f"{call}: {words}"


def _words(said: Mapping[str, Any] | None) -> object:
    """Return the server's own words: of the envelope, of OAuth's form, or of the schema's form."""
    if not said:
        return None
    for name in ("error_message", "error_description"):
        if said.get(name):
            return said[name]
    return next((_schema_words(said[name]) for name in ("body", "params", "query") if name in said), None)


def _schema_words(findings: object) -> str:
    if not isinstance(findings, list):
        return ""
    return "; ".join(
        f"{one.get('dataPath', '')} {one.get('message', '')}".strip()
        for one in findings
        if isinstance(one, dict)
    )


def _unsaid(status: int) -> str:
    if status in _REDIRECT:
        return "the answer redirects elsewhere and is not followed; base_url must name the API itself"
    return f"the service answered {status} without saying why"
