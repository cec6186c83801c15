"""Logs every attempt at an API call."""

from __future__ import annotations

from typing import Protocol

import structlog


class ApiLog(Protocol):
    """Receives every attempt: never headers, never bodies."""

    def __call__(self, event: str, /, *, is_warning: bool, **facts: object) -> None:
        """Log an event with its facts; a warning is an attempt that has to be repeated."""
        ...


def log_event(event: str, /, *, is_warning: bool, **facts: object) -> None:
    """Log through structlog, however that is configured."""
    log = structlog.get_logger(__name__)
    (log.warning if is_warning else log.info)(event, **facts)
