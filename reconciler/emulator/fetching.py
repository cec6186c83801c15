"""Sends the emulator's requests to identity providers, with limits of host, size and time."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.emulator.connection_fields import is_loopback, scheme_and_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.emulator.context import Context

SECONDS = 5.0
_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of an identity provider."""

    status: int
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """The body; raises ValueError if it is not a JSON object."""
        try:
            document = json.loads(self.body)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if isinstance(document, dict):
            return document
        raise ValueError("it is not a JSON object")


async def ask(
    context: Context,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Answer:
    """The answer to one request; no redirect is followed.

    Raises:
        OSError: a host that is not asked, no answer, or none in time.
        ValueError: an answer that is too long.
    """
    loopback = is_loopback(scheme_and_host(url)[1])
    mode = context.switches["discovery-fetch"]
    if mode == "never" or (mode == "loopback" and not loopback):
        raise OSError("this emulator does not fetch it, see the switch discovery-fetch")
    try:
        async with asyncio.timeout(SECONDS):
            return await _asked(context, method, url, headers or {}, form)
    except TimeoutError:
        raise OSError(f"no response within {SECONDS:g} s") from None


async def _asked(
    context: Context, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
) -> Answer:
    import httpx  # noqa: PLC0415 -- importing the package loads no client or server

    tls = httpx.create_ssl_context()  # trusts SSL_CERT_FILE, if it is set
    if context.settings.ca_file is not None:
        tls.load_verify_locations(context.settings.ca_file)
    body = bytearray()
    use_proxies = not is_loopback(scheme_and_host(url)[1])
    try:
        async with (
            httpx.AsyncClient(verify=tls, trust_env=use_proxies, timeout=SECONDS) as client,
            client.stream(
                method, url, headers={"accept": "application/json", **headers}, data=form
            ) as response,
        ):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _BYTES:
                    raise ValueError(f"it is longer than {_BYTES} bytes")
            return Answer(status=response.status_code, body=bytes(body))
    except httpx.ConnectError as error:
        raise OSError(_connection_problem(error, error.request.url.netloc.decode())) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error


def _connection_problem(error: BaseException, address: str) -> str:
    """Why there is no connection: the client only says that all attempts failed."""
    reasons = {os.strerror(cause.errno) for cause in _causes(error) if cause.errno}
    return f"no connection to {address}: {', '.join(sorted(reasons)) or error}"


def _causes(error: BaseException | None) -> Iterator[OSError]:
    """The errors of the operating system that led to `error`, of every address that was tried."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    elif isinstance(error, OSError) and not isinstance(error, ssl.SSLError | socket.gaierror):
        yield error
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
