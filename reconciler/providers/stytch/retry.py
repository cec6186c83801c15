"""Decides how long failed requests are retried, and when an outage stops all retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.http.clock import Clock

DEFAULT_RETRY_TIMEOUT: Final = 120.0
"""Seconds in all that one request may take with its repetitions."""

FIRST_CONTACT_TIMEOUT: Final = 10.0
"""Seconds for reaching a service that has never answered: more often a wrong address than an outage."""

_FORGOTTEN_AFTER: Final = 300.0
"""Seconds after the last failure, more than lie between two attempts at any request."""


class Outage:
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
