"""Reads a server's TLS certificate, and the length of a rejected chain."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpcore import AsyncNetworkStream

_MOST_BYTES: Final = 64 * 1024
_HANDSHAKE: Final = 22
_CERTIFICATE: Final = 11
_RECORD_HEADER: Final = 5
_HEADER: Final = 4
_LENGTH: Final = 3
"""Bytes of a length within a handshake; a record's own length follows as many."""


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


async def count_certificates(address: str, port: int, server_name: str) -> int:
    """Return how many certificates a server sends, or 0 if that is unknown.

    Python shows no chain that it does not accept. Up to TLS 1.2 it is sent in clear, so it is read from
    the bytes of a handshake, which ends there: nothing of ours is sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except OSError:
        return 0
    received = b""
    try:
        while len(received) < _MOST_BYTES and not certificates_in(received):
            with suppress(ssl.SSLWantReadError):
                handshake.do_handshake()
                break
            writer.write(outgoing.read())
            part = await reader.read(_MOST_BYTES)
            if not part:
                break
            received += part
            incoming.write(part)
    except OSError:  # the TLS library's own error is one as well
        return 0
    finally:
        writer.close()
    return certificates_in(received)


def certificates_in(received: bytes) -> int:
    """Count the certificates in the beginning of a handshake (RFC 5246, sections 6.2.1 and 7.4.2)."""
    messages = b"".join(_payloads(received))
    while len(messages) >= _HEADER:
        kind, length = messages[0], int.from_bytes(messages[1:_HEADER])
        body = messages[_HEADER : _HEADER + length]
        if len(body) < length:
            return 0
        if kind == _CERTIFICATE:
            return len([*_entries(body[_LENGTH:])])
        messages = messages[_HEADER + length :]
    return 0


def _payloads(received: bytes) -> Iterator[bytes]:
    """Yield what the complete records of a handshake hold."""
    while len(received) >= _RECORD_HEADER and received[0] == _HANDSHAKE:
        end = _RECORD_HEADER + int.from_bytes(received[_LENGTH:_RECORD_HEADER])
        if len(received) < end:
            return
        yield received[_RECORD_HEADER:end]
        received = received[end:]


def _entries(certificates: bytes) -> Iterator[bytes]:
    while len(certificates) >= _LENGTH:
        end = _LENGTH + int.from_bytes(certificates[:_LENGTH])
        yield certificates[_LENGTH:end]
        certificates = certificates[end:]
