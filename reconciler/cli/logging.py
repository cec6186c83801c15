"""Log lines on standard error, as text or as JSON."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import structlog

from reconciler.providers.stytch.client import log_event

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from reconciler.cli.console import Console
    from reconciler.providers.stytch.client import ApiLog

_LEVELS: Final = {0: logging.WARNING, 1: logging.INFO}


def log_api_calls(console: Console) -> ApiLog:
    """Configure logging, and return what logs API calls: every call with ``-v``, otherwise only retries."""
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
        if is_warning or console.verbosity:
            log_event(event, is_warning=is_warning, **facts)

    return log


def _render_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return ``time level event name=value …``; control characters are escaped."""
    time, level, name = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    facts = " ".join(f"{key}={_quote(value)}" for key, value in event.items())
    return f"{time} {str(level).upper()} {_quote(name)} {facts}".rstrip()


def _quote(value: Any) -> str:  # noqa: ANN401 - anything can be logged
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
