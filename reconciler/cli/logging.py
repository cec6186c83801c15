"""Log lines on standard error, as text or as JSON."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from reconciler.providers.stytch.journal import structured
from reconciler.providers.stytch.libraries import import_lean

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from reconciler.cli.console import Console
    from reconciler.providers.stytch.journal import Journal

_LEVELS: Final = {0: logging.WARNING, 1: logging.INFO}


def journal_of(console: Console) -> Journal:
    """Return what sends log lines to standard error: warnings, with ``-v`` every API call."""

    def write_down(event: str, /, *, is_warning: bool, **facts: object) -> None:
        if is_warning or console.verbosity:
            _configure(console)
            structured(event, is_warning=is_warning, **facts)

    return write_down


def _configure(console: Console) -> None:
    """Set structlog up when there is a first line; most runs have none, and it takes long to import."""
    structlog = import_lean("structlog")
    if structlog.is_configured():
        return

    as_json = console.log_format == "json"
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else _as_text
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


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return ``time level event name=value …``; control characters are escaped."""
    time, level, name = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    facts = " ".join(f"{key}={_plain(value)}" for key, value in event.items())
    return f"{time} {str(level).upper()} {_plain(name)} {facts}".rstrip()


def _plain(value: Any) -> str:  # noqa: ANN401 - whatever was logged
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
