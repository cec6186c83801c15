"""Identity providers on loopback, each on a port of its own with TLS, that respond after a given latency.

They run in another process. Standard output: one line with their ports; after standard input has ended, one
with the number of requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.estate import LATENCY, issuer_at, provider_urls
from benchmarks.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CA_FILE: Final = "ca.pem"
_END: Final = b"\r\n\r\n"


@dataclass(slots=True)
class RunningProviders:
    """Providers that are running; ``requests`` is known after their end."""

    ports: tuple[int, ...]
    requests: int = 0


@contextmanager
def identity_providers(number: int, folder: Path) -> Iterator[RunningProviders]:
    """Run providers; the authority of their certificates is written below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.identity_providers", str(number), str(folder / CA_FILE)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        running = RunningProviders(tuple(json.loads(process.stdout.readline())))
        try:
            yield running
        finally:
            running.requests = int(process.communicate("")[0])


class _Provider:
    """The documents of all providers, and the number of requests."""

    def __init__(self) -> None:
        numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers()
        modulus = urlsafe_b64encode(numbers.n.to_bytes(256)).rstrip(b"=").decode()
        self._keys = {"keys": [{"kty": "RSA", "use": "sig", "kid": "1", "n": modulus, "e": "AQAB"}]}
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(_END)
                self.requests += 1
                await asyncio.sleep(LATENCY)
                writer.write(self._response(head.decode("latin-1").split(" ")[1], _port(writer)))
                if b"connection: close" in head.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _response(self, target: str, port: int) -> bytes:
        parts = urlsplit(target)
        if parts.path.endswith("/authorize"):
            query = parse_qs(parts.query)
            answer = urlencode({"state": query["state"][0], "error": "login_required"})
            location = f"{query['redirect_uri'][0]}?{answer}"
            return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0".encode() + _END
        document = self._keys if parts.path.endswith("/keys") else _metadata(port)
        body = json.dumps(document).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d" % len(body)
            + _END
            + body
        )


def _metadata(port: int) -> dict[str, object]:
    urls = provider_urls(issuer_at(port))
    return {
        "issuer": issuer_at(port),
        "authorization_endpoint": urls["authorization_url"],
        "token_endpoint": urls["token_url"],
        "userinfo_endpoint": urls["userinfo_url"],
        "jwks_uri": urls["jwks_url"],
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _port(writer: asyncio.StreamWriter) -> int:
    return int(writer.get_extra_info("sockname")[1])


async def _serve(number: int, ca_file: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    provider = _Provider()
    servers = [await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=context) for _ in range(number)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # the parent process closes it
    print(provider.requests, flush=True)
    for server in servers:
        server.close()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int)
    parser.add_argument("ca_file")
    options = parser.parse_args()
    asyncio.run(_serve(options.number, options.ca_file))


if __name__ == "__main__":
    main()
