"""Sends signed webhooks as the Standard Webhooks specification describes, with limited retries.

The address is treated like a secret, because many services put a token into it: messages name its host only.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

import httpx

from reconciler.core.errors import PublishingFailed, UsageError
from reconciler.http.client import client_settings, first_header, is_lasting
from reconciler.http.clock import Clock, backoff, retry_after
from reconciler.http.connection_errors import proxy_of, reason
from reconciler.http.urls import is_secure, split_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
"""The lengths of a key that the specification allows."""

RETRYABLE: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks are sent, and the key that signs them."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def host(self) -> str:
        """The part of the address that messages name."""
        return httpx.URL(self.url).netloc.decode("ascii").rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a delivery may take, in seconds, and how many attempts it may have."""

    attempt: float = 15.0
    total: float = 60.0
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an attempt failed, and whether another one may succeed. ``wait``: the seconds that it asks for."""

    reason: str
    is_temporary: bool
    wait: float | None = None


def read_endpoint(url: str, secret: str) -> Endpoint:
    """Return the endpoint of an address and a secret, as the environment holds them.

    Raises:
        UsageError: one of them is unusable. Neither is quoted.
    """
    parts = split_url(url)
    if parts is None or not is_secure(parts) or parts.username is not None or parts.fragment:
        raise UsageError(
            "RECONCILER_WEBHOOK_URL cannot be used: it must be an https URL without user name and fragment; "
            "http is for loopback hosts only"
        )
    return Endpoint(url=url, key=_read_key(secret))


def message_id(body: bytes) -> str:
    """Return the ID of a message: the same body is the same message, however often it is sent."""
    return f"msg_{hashlib.sha256(body).hexdigest()[:32]}"


def sign(key: bytes, message: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that identify and sign a message; ``timestamp`` is that of this attempt."""
    digest = hmac.digest(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


async def deliver(
    endpoint: Endpoint, body: bytes, *, clock: Clock | None = None, limits: Limits | None = None
) -> str:
    """Send a message until it is accepted, and return its ID.

    Raises:
        PublishingFailed: the endpoint refuses it, or no attempt succeeded in time.
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """
    clock, limits = clock or Clock(), limits or Limits()
    settings = client_settings(endpoint.url)
    async with httpx.AsyncClient(**settings, timeout=limits.attempt) as client:
        sender = _Sender(endpoint, client, proxy_of(settings), clock, limits)
        return await sender.send(body)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends messages to one endpoint."""

    endpoint: Endpoint
    client: httpx.AsyncClient
    proxy: httpx.Proxy | None
    clock: Clock
    limits: Limits

    async def send(self, body: bytes) -> str:
        message, end = message_id(body), self.clock.monotonic() + self.limits.total
        for attempt in count(1):
            failure = await self._attempt(message, body, end - self.clock.monotonic())
            if failure is None:
                return message
            wait = failure.wait or backoff(attempt, self.clock.chance())
            is_last = attempt >= self.limits.attempts or self.clock.monotonic() + wait >= end
            if is_last or not failure.is_temporary:
                attempts = f" (attempts: {attempt})" if attempt > 1 else ""
                raise PublishingFailed(f"the webhook was not delivered: {failure.reason}{attempts}")
            await self.clock.sleep(wait)
        raise AssertionError("the loop above returns or raises")

    async def _attempt(self, message: str, body: bytes, left: float) -> _Failure | None:
        """Send the message once, in ``left`` seconds at most; return why it failed."""
        headers = {
            "content-type": "application/json",
            "user-agent": "reconciler",
            **sign(self.endpoint.key, message, int(self.clock.wall()), body),
        }
        try:
            async with asyncio.timeout(min(self.limits.attempt, left)):
                request = self.client.stream("POST", self.endpoint.url, content=body, headers=headers)
                async with request as response:
                    return self._failure(response)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            return _Failure(f"{self.endpoint.host} did not answer in time", is_temporary=True)
        except httpx.HTTPError as error:
            problem = reason(error, self.endpoint.url, self.proxy)
            return _Failure(problem, is_temporary=not is_lasting(error))

    def _failure(self, response: httpx.Response) -> _Failure | None:
        """Return why a response is a failure; its body is not read."""
        if response.is_success:
            return None
        hint = "; redirects are not followed" if response.is_redirect else ""
        return _Failure(
            f"{self.endpoint.host} answered {response.status_code}{hint}",
            is_temporary=response.status_code in RETRYABLE,
            wait=retry_after(first_header(response.headers, "retry-after"), self.clock.wall()),
        )


def _read_key(secret: str) -> bytes:
    """Return the key in a secret.

    Raises:
        UsageError: it has another form, or another length.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise UsageError(
            f"RECONCILER_WEBHOOK_SECRET cannot be used: it must be `{_PREFIX}` and 24 to 64 bytes in base64, "
            f"such as the output of: echo {_PREFIX}$(openssl rand -base64 32)"
        )
    return key
