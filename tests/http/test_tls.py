"""Certificates that the environment names are trusted, and no others: on a loopback server with TLS."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import ipaddress
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.http.client import is_lasting
from reconciler.providers.stytch.http_transport import ConnectionFailed, HttpTransport
from tests.providers.test_interrupted_requests import INTERRUPTIONS, PATIENCE, get

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "loopback.pem"
    file.write_bytes(signed.public_bytes(pem) + private)
    return file


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def serving(certificate: Path) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def fetch(certificate: Path) -> bytes:
    async def main() -> bytes:
        async with serving(certificate) as address, HttpTransport(address) as transport:
            return (await transport.exchange("GET", "/", {}, None, 100)).body

    return asyncio.run(main())


def test_a_certificate_in_ssl_cert_file_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(certificate) == b"ok"


def test_a_certificate_in_ssl_cert_dir_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / f"{subject_hash()}.0").write_bytes(certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert fetch(certificate) == b"ok"


def test_any_other_certificate_ends_the_connection_before_anything_is_sent(certificate: Path) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        fetch(certificate)
    assert failed.value.not_sent
    assert failed.value.is_lasting


@asynccontextmanager
async def closing(first: bytes = b"") -> AsyncIterator[str]:
    """Serve an address whose connections send some bytes, and end with the first that comes after."""

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if first:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(first)
                await writer.drain()
            await reader.read(65536)
        finally:
            writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def failure_at(address: str) -> ConnectionFailed:
    async with HttpTransport(address) as transport:
        with pytest.raises(ConnectionFailed) as failed:
            await get(transport)
    return failed.value


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves a socket in its handshake to the GC
def test_a_server_that_closes_during_the_handshake_may_answer_the_next_attempt() -> None:
    async def main() -> ConnectionFailed:
        async with closing() as address:
            return await failure_at(f"https://{address}")

    failed = asyncio.run(main())
    gc.collect()
    assert failed.not_sent
    assert not failed.is_lasting


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves a socket in its handshake to the GC
def test_a_proxy_that_closes_its_tunnel_may_let_the_next_attempt_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> ConnectionFailed:
        async with closing(b"HTTP/1.1 200 OK\r\n\r\n") as address:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
            return await failure_at("https://stytch.example")

    failed = asyncio.run(main())
    gc.collect()
    assert failed.not_sent
    assert not failed.is_lasting


def test_a_handshake_that_takes_too_long_may_be_quicker_next_time() -> None:
    error = httpx.ConnectTimeout("")
    error.__context__ = ssl.SSLError("the handshake was cut off")
    assert not is_lasting(error)


def subject_hash() -> str:
    """The name under which OpenSSL looks for a certificate in a directory (X509_NAME_hash)."""
    attributes = NAME.public_bytes()[2:]  # without the header of the outer sequence
    return f"{int.from_bytes(hashlib.sha1(attributes).digest()[:4], 'little'):08x}"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves a socket in its handshake to the GC
@pytest.mark.parametrize("interrupt", INTERRUPTIONS)
def test_after_an_interruption_while_connecting_the_next_request_works(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Any
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def main() -> None:
        stalled = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not stalled.is_set():
                stalled.set()
                try:
                    await reader.read()
                finally:
                    writer.close()
            else:
                await writer.start_tls(context)
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with HttpTransport(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as transport:
            await interrupt(transport, stalled)
            async with asyncio.timeout(PATIENCE):
                assert [await get(transport) for _ in range(2)] == [200, 200]
        server.close()

    asyncio.run(main())
    gc.collect()
