"""Parses fault rules and rate limits written as one line of text."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.emulator.endpoints import ENDPOINT_NAMES
from reconciler.emulator.errors import CATALOGUE
from reconciler.emulator.rules import Always, Chance, Effect, Every, Fault, First, Nth, RateLimit
from reconciler.emulator.switches import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.rules import Occasion

_FORM = "OPERATION:EFFECT[:OPTION=VALUE,…], as in create-oidc-connection:reset:after,first=1"
_STATUSES = {
    408: "search_timeout",
    429: "too_many_requests",
    499: "client_closed_request",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "server_unavailable",
    504: "gateway_timeout",
}
_OCCASIONS: dict[str, Callable[[str], Occasion]] = {
    "first": lambda text: First(_whole("first", text)),
    "nth": lambda text: Nth(_whole("nth", text)),
    "every": lambda text: Every(_whole("every", text)),
    "chance": lambda text: Chance(_number("chance", text, "a number", 1)),
}
_OPTIONS = (
    *(*_OCCASIONS, "after", "before", "status", "seconds"),
    *("up-to", "retry-after", "retry-after-date", "organization"),
)
# effects that apply after the operation unless `before` is given
_AFTER_BY_DEFAULT = {Effect.TRUNCATED, Effect.INCOMPLETE}
_SECONDS = {Effect.HANG: 60.0, Effect.LATENCY: 0.1}
_EFFECTS = tuple(effect.value for effect in Effect if effect is not Effect.ERROR)
_LIMIT = re.compile(r"(\d+)/(\d+(?:\.\d+)?)?([smhd])(?::(.+))?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class UnknownFaultError(ValueError):
    """A fault rule that cannot be parsed."""


class UnknownRateLimitError(ValueError):
    """A rate limit that cannot be parsed."""


def parse_fault(text: str) -> Fault:
    """`OPERATION:EFFECT[:OPTION=VALUE,…]` as a rule.

    EFFECT is a status (429, 500, 502, 503, 504, …), an error_type, or one of `Effect`. Options: `first`,
    `nth`, `every` (counts), `chance` (0 to 1), `after` and `before` (the change), `status`, `seconds`,
    `up-to`, `retry-after` and `retry-after-date` (seconds), `organization`.

    Raises:
        UnknownFaultError: names the part that cannot be parsed and the nearest known word.
    """
    operations, _, rest = text.partition(":")
    effect, _, options = rest.partition(":")
    if not operations or not effect:
        raise UnknownFaultError(f"fault '{text}' is not of the form {_FORM}")
    values = _options(options)
    kind, error_type = _effect(effect)
    return Fault(
        effect=kind,
        operations=_operations(operations),
        occasion=_occasion(values),
        organization=values.get("organization"),
        after="after" in values or (kind in _AFTER_BY_DEFAULT and "before" not in values),
        status=_whole("status", values["status"]) if "status" in values else None,
        error_type=error_type,
        seconds=_number("seconds", values["seconds"]) if "seconds" in values else _SECONDS.get(kind, 0.0),
        up_to=_number("up-to", values["up-to"]) if "up-to" in values else None,
        retry_after=_retry_after(values),
        retry_after_date="retry-after-date" in values,
        text=text,
    )


def parse_rate_limit(text: str) -> RateLimit:
    """`REQUESTS/[COUNT]UNIT[:OPERATION+OPERATION]`, as in `100/s` or `100/m:search-organizations`.

    Raises:
        UnknownRateLimitError: another form, or an unknown operation.
    """
    match = _LIMIT.fullmatch(text)
    if match is None or float(match[2] or 1) == 0:
        raise UnknownRateLimitError(
            f"rate limit '{text}' is not of the form REQUESTS/UNIT[:OPERATIONS], as in 100/s or 5/10s:list-*"
        )
    operations = tuple(match[4].split("+")) if match[4] else ("*",)
    for pattern in operations:
        if not any(fnmatchcase(name, pattern) for name in ENDPOINT_NAMES):
            known = ", ".join(ENDPOINT_NAMES)
            raise UnknownRateLimitError(f"unknown operation '{pattern}' in a rate limit; known: {known}")
    return RateLimit(int(match[1]), float(match[2] or 1) * _UNITS[match[3]], operations)


def _options(text: str) -> dict[str, str]:
    values = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in _OPTIONS:
            raise UnknownFaultError(f"unknown option '{name}'{_nearest(name, _OPTIONS)}")
        values[name] = value
    return values


def _operations(text: str) -> tuple[str, ...]:
    known = (*ENDPOINT_NAMES, "reads", "writes")
    patterns = tuple(text.split("+"))
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownFaultError(f"unknown operation '{pattern}'{_nearest(pattern, known)}")
    return patterns


def _effect(text: str) -> tuple[Effect, str | None]:
    if text.isdigit() and int(text) in _STATUSES:
        return Effect.ERROR, _STATUSES[int(text)]
    if text in CATALOGUE:
        return Effect.ERROR, text
    if text in _EFFECTS:
        return Effect(text), None
    known = (*map(str, _STATUSES), *_EFFECTS)
    hint = did_you_mean(text, (*known, *CATALOGUE)) or f", known: {', '.join(known)}, and every error_type"
    raise UnknownFaultError(f"unknown effect '{text}'{hint}")


def _occasion(values: dict[str, str]) -> Occasion:
    named = [name for name in _OCCASIONS if name in values]
    if len(named) > 1:
        raise UnknownFaultError(f"a fault has one occasion, not both '{named[0]}' and '{named[1]}'")
    return _OCCASIONS[named[0]](values[named[0]]) if named else Always()


def _retry_after(values: dict[str, str]) -> float | None:
    for name in ("retry-after", "retry-after-date"):
        if name in values:
            return _number(name, values[name])
    return None


def _whole(name: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise UnknownFaultError(f"'{name}' needs a whole number from 1, not '{text}'")
    return int(text)


def _number(name: str, text: str, unit: str = "seconds", highest: int = 3600) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise UnknownFaultError(f"'{name}' needs {unit} from 0 to {highest}, not '{text}'")
    return number


def _nearest(name: str, known: tuple[str, ...]) -> str:
    return did_you_mean(name, known) or f"; known: {', '.join(known)}"
