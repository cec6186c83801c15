"""What carries one request to the service and its answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.providers.stytch.answer import Answer


class Transport(Protocol):
    """Sends every request to one address, once, whatever becomes of it, and follows nobody elsewhere.

    It does not bound time, but for connecting: whoever asks does.
    """

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, largest: int
    ) -> Answer:
        """Send a request and return its answer, decompressed.

        Raises:
            AnswerTooLarge: it is longer than ``largest`` bytes.
            ConnectionFailed: there is no answer, or not all of it.
        """
        ...


class ConnectionFailed(Exception):
    """The connection broke, or there was none.

    ``reason`` is the name that the library has for it; its words, and the error itself, could show the
    request with its credentials. ``never_sent`` tells that no byte of the request can have reached the
    service, ``is_lasting`` that another attempt would meet the same.
    """

    def __init__(self, reason: str, *, never_sent: bool = False, is_lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.never_sent = never_sent
        self.is_lasting = is_lasting
