"""When a call to a forge may be sent again, and after how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx

PATIENCE: Final = 120.0
"""Seconds in all that one call may take with its repetitions."""

MOST_ATTEMPTS: Final = 6

_FIRST_WAIT: Final = 1.0

_UNCERTAIN: Final = frozenset({500, 502, 503, 504})
"""The server failed; whether it did the work before cannot be told."""


def is_rate_limit(answer: httpx.Response) -> bool:
    """Tell whether an answer means "later", and nothing was done.

    GitHub says so with 403 as well as 429: with ``Retry-After``, with no calls remaining, or, for
    its secondary limits, in the message only (REST documentation, "Rate limits").
    """
    if answer.status_code == 429:  # noqa: PLR2004 - Too Many Requests
        return True
    if answer.status_code != 403:  # noqa: PLR2004 - Forbidden
        return False
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in answer.headers or "secondary rate limit" in answer.text.lower()


def is_uncertain(answer: httpx.Response) -> bool:
    """Tell whether an answer leaves open if anything was done."""
    return answer.status_code in _UNCERTAIN


def waiting_time(answer: httpx.Response | None, attempt: int, now: float) -> float:
    """Return the seconds to wait after the ``attempt``-th failure (from 1): as told, or doubling."""
    told = _told(answer, now) if answer is not None else None
    return told if told is not None else _FIRST_WAIT * 2.0 ** (attempt - 1)


def _told(answer: httpx.Response, now: float) -> float | None:
    after = _number(answer.headers.get("retry-after"))
    if after is not None:
        return after
    reset = answer.headers.get("x-ratelimit-reset") or answer.headers.get("ratelimit-reset")
    remaining = answer.headers.get("x-ratelimit-remaining") or answer.headers.get("ratelimit-remaining")
    moment = _number(reset)
    return max(moment - now, 0.0) + 1 if moment is not None and remaining == "0" else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,12}", text) else None
