"""Where every attempt at a call is written down."""

from __future__ import annotations

from typing import Protocol

from reconciler.providers.stytch.libraries import import_lean


class Journal(Protocol):
    """Is told of every attempt: never headers, never bodies."""

    def __call__(self, event: str, /, *, is_warning: bool, **facts: object) -> None:
        """Write down an event with its facts; a warning is an attempt that has to be repeated."""
        ...


def structured(event: str, /, *, is_warning: bool, **facts: object) -> None:
    """Log through structlog, however that is configured."""
    log = import_lean("structlog").get_logger(__name__)
    (log.warning if is_warning else log.info)(event, **facts)
