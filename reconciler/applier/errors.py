"""Errors of an operation: the service refused it, it did not converge, or there was a concurrent change."""

from __future__ import annotations

from reconciler.core.errors import ProviderError


class DidNotConverge(ProviderError):
    """The live state cannot be brought to what is declared; nothing more should be tried."""


class ConcurrentChange(ProviderError):
    """Someone else changed the connection after the plan was made; nothing was overwritten."""


class WriteRefused(ProviderError):
    """The service rejected a write for good. ``what`` names what it refuses, ``reason`` is its own text."""

    def __init__(self, what: str, error: ProviderError) -> None:
        super().__init__(
            f"did not converge: the service refuses {what}: {error.message}",
            status=error.status,
            error_type=error.error_type,
            request_id=error.request_id,
        )
        self.what = what
        self.reason = error.message
