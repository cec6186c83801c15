"""Reads the server's certificate of a TLS connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpcore import AsyncNetworkStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An accepted certificate. ``not_after`` is when it expires, in seconds since 1970."""

    not_after: float


def peer_certificate(stream: AsyncNetworkStream | None) -> Certificate | None:
    """Return the certificate of a connection, or None without TLS."""
    connection = stream.get_extra_info("ssl_object") if stream else None
    fields = connection.getpeercert() if connection else None
    expires = fields.get("notAfter") if fields else None
    return Certificate(not_after=ssl.cert_time_to_seconds(expires)) if isinstance(expires, str) else None
