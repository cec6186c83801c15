"""Log lines on standard error, as text or as JSON."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import structlog

from reconciler.providers.stytch.client import RETRY, log_event

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from reconciler.cli.console import Console
    from reconciler.providers.stytch.client import ApiLog

_SAME_WAIT: Final = 1.0
"""Seconds by which the ends of two waits may differ that are announced as one."""

_LEVELS: Final = {0: logging.WARNING, 1: logging.INFO}


def log_api_calls(console: Console) -> ApiLog:
    """Configure logging, and return what logs API calls: all with ``-v``, else waits are said in words."""
    as_json = console.log_format == "json"
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else _render_text
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(console.verbosity, logging.DEBUG)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

    def log(event: str, /, *, is_warning: bool, **facts: object) -> None:
        if console.verbosity or (is_warning and as_json and event != RETRY):
            log_event(event, is_warning=is_warning, **facts)

    waiting = WaitingLine(console)

    def log_or_say(event: str, /, *, is_warning: bool, **facts: object) -> None:
        log(event, is_warning=is_warning, **facts)
        if event == RETRY and not console.verbosity and not as_json:
            waiting.say(str(facts["cause"]), float(str(facts["seconds"])))

    return log_or_say


@dataclass(slots=True)
class WaitingLine:
    """Says once for all requests that wait together why, and for how long."""

    console: Console
    until: float = 0.0

    def say(self, cause: str, seconds: float) -> None:
        """Print that a request is sent again after a wait, unless that wait was announced already."""
        now = monotonic()
        if now + seconds <= self.until + _SAME_WAIT:
            return
        self.until = now + seconds
        self.console.info(f"{cause}, retrying in {max(seconds, 1):.0f} s")


def _render_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return ``time level event name=value …``; control characters are escaped."""
    time, level, name = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    facts = " ".join(f"{key}={_quote(value)}" for key, value in event.items())
    return f"{time} {str(level).upper()} {_quote(name)} {facts}".rstrip()


def _quote(value: Any) -> str:  # noqa: ANN401 - anything can be logged
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
