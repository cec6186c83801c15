"""A scripted identity provider: a server with TLS on loopback that answers each path as it is told."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import socketserver
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Script = Callable[["Request"], Iterator[bytes]]

METADATA: Final = "/.well-known/openid-configuration"
RIGHT: Final = "right"

RSA_KEY: Final = {
    "kty": "RSA",
    "use": "sig",
    "alg": "RS256",
    "kid": "key-1",
    "n": "lN2za60tmPWCMxRMThY7yhcrbRIzDHid2HOivI9Fq3hK4jVeKvLOU6bry2OaIvp_juQfZXtJz6Px8DlysqV8m9"
    "NKXNIIqOmmVlb6zgCXPfZueAG6_1xwe3-NQnGs3qCmnxCrPRI0PPqtnmlK8sIP0zU-f5-LljGAodTCjzYrnJLt"
    "6LEOAHqn0DarRsF-SoVyDaqjcgLc43ghOYJ7uYAkao4koR9MyYyQr1QgrUi0i0ytmJFJ69KVCbRyMk_JtK4BME"
    "ffvdZOkZCi3dnSsWjVRkjhX5UdAsqMyKUX5ytUC2xCdYYcXJHPPbXw8AVavcf2-Tj_biYciV3Cl7BCrrgVWw",
    "e": "AQAB",
}
"""A public key of 2048 bits; the private one was discarded."""


@dataclass(frozen=True)
class Request:
    """What was sent: everything up to the empty line, and the form after it."""

    method: str
    path: str
    query: Mapping[str, str]
    head: str
    form: Mapping[str, str] = field(default_factory=dict)


def answer(status: int, body: bytes | object = b"", **headers: str) -> Script:
    """Return a script for an answer; a body that is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-length": str(len(content)), "connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}

    def script(_request: Request) -> Iterator[bytes]:
        yield head(status, lines) + content

    return script


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def redirect(location: str) -> Script:
    return answer(302, location=location)


def leads_back(**parameters: str) -> Script:
    """Return a script that redirects to the redirect_uri of the request, with its state."""

    def script(request: Request) -> Iterator[bytes]:
        query = urlencode({"state": request.query["state"], **parameters})
        yield from redirect(f"{request.query['redirect_uri']}?{query}")(request)

    return script


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def certificate(kind: str) -> tuple[str, str]:
    """Return a private key, and the chain that a server sends, both in PEM.

    Kinds: right, expired, future, other-name, incomplete, soon, very-soon, private or private-chain; a host
    name is a right one for that host.
    """
    now, days = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    match kind:
        case "expired":
            leaf = authority().issue_cert("localhost", not_before=now - 30 * days, not_after=now - days)
        case "future":
            leaf = authority().issue_cert("localhost", not_before=now + days, not_after=now + 30 * days)
        case "soon":
            leaf = authority().issue_cert("localhost", not_after=now + 10 * days)
        case "very-soon":
            leaf = authority().issue_cert("localhost", not_after=now + 2 * days)
        case "other-name":
            leaf = authority().issue_cert("other.example.com")
        case "private":
            leaf = trustme.CA().issue_cert("localhost")
        case "private-chain":
            leaf = trustme.CA().create_child_ca().issue_cert("localhost")
        case "incomplete":
            leaf = authority().create_child_ca().issue_cert("localhost")
        case _:
            host = "localhost" if kind == RIGHT else kind
            leaf = authority().issue_cert(host, not_after=now + 90 * days)
    chain = leaf.cert_chain_pems[:1] if kind == "incomplete" else leaf.cert_chain_pems
    return leaf.private_key_pem.bytes().decode(), "".join(pem.bytes().decode() for pem in chain)


@cache
def server_context(kind: str) -> ssl.SSLContext:
    """Return the context of a server with a certificate of a kind."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with trustme.Blob("".join(certificate(kind)).encode()).tempfile() as file:
        context.load_cert_chain(file)
    return context


@dataclass
class ScriptedProvider:
    """The server's scripts by path, and the requests that came.

    A path that has none answers 404. ``issuer`` is its address.
    """

    issuer: str = ""
    scripts: dict[str, Script] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def publish(self, headers: Mapping[str, str] | None = None, /, **metadata: object) -> None:
        """Publish right metadata with one right key; ``metadata`` is laid over it, and None removes."""
        document: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **metadata,
        }
        published = {name: value for name, value in document.items() if value is not None}
        self.scripts[METADATA] = answer(200, published, **(headers or {}))
        self.scripts["/keys"] = answer(200, {"keys": [RSA_KEY]}, **(headers or {}))
        self.scripts["/authorize"] = leads_back(error="login_required")

    def answer(self, path: str, body: bytes | object, status: int = 200, **headers: str) -> None:
        self.scripts[path] = answer(status, body, **headers)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def scripted_provider(kind: str = RIGHT) -> Iterator[ScriptedProvider]:
    """Run a provider with the certificate of a kind; it publishes what is right."""
    provider = ScriptedProvider()
    context = server_context(kind)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as connection:
                connection.settimeout(20)
                request = read_request(connection)
                provider.requests.append(request)
                script = provider.scripts.get(request.path, answer(404))
                for part in script(request):
                    connection.sendall(part)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"https://localhost:{server.server_address[1]}"
        provider.publish()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def read_request(connection: ssl.SSLSocket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            raise OSError("closed")
        received += part
    start, _, body = received.partition(b"\r\n\r\n")
    text = start.decode("latin-1")
    length = re.search(r"(?i)\ncontent-length: (\d+)", text)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    method, target, _ = text.split("\r\n")[0].split(" ")
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Request(method, parts.path, query, text, dict(parse_qsl(body.decode())))


def key_digest(kind: str) -> str:
    """Return the SHA-256 of a certificate's public key, by which a browser can be told to trust it."""
    _, chain = certificate(kind)
    key = x509.load_pem_x509_certificate(chain.encode()).public_key()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


def write_authority(folder: Path) -> str:
    """Write the certificate of the authority; return its name for `idp.ca_file`."""
    authority().cert_pem.write_to_path(str(folder / "ca.pem"))
    return "ca.pem"
