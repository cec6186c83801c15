"""A connection that cannot be made says why, at once where waiting does not help."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.threats.conftest import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.workplace import CompletedRun, Workplace


@pytest.fixture
def aimed(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A project whose address the test chooses, without the proxies and certificates of this machine."""
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return place


def plan_at(place: Workplace, base_url: str) -> CompletedRun:
    place.setenv("STYTCH_BASE_URL", base_url)
    run = place.run("plan", "--no-secrets")
    assert run.code == 1
    assert "Traceback" not in run.output
    assert CANARY not in run.output
    return run


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve on a free port; ``answer`` handles each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = server.accept()
            except OSError:
                return
            with accepted:
                try:
                    answer(accepted)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    end = datetime.now(UTC) + timedelta(days=days)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=9))
        .not_valid_after(end)
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(signed.public_bytes(pem) + private)
    return file


def plan_with_tls(place: Workplace, file: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def handshake(accepted: socket.socket) -> None:
        context.wrap_socket(accepted, server_side=True).close()

    with answering(handshake) as port:
        run = plan_at(place, f"https://127.0.0.1:{port}")
        assert f"127.0.0.1:{port}" in run.output
    return run.output


@pytest.mark.parametrize("status", [407, 403])
def test_a_proxy_that_refuses_is_named_at_once(aimed: Workplace, status: int) -> None:
    """Case 21: a proxy answers 407 to CONNECT: a final error that names the proxy and 407."""
    asked: list[bytes] = []

    def refuse(accepted: socket.socket) -> None:
        asked.append(accepted.recv(65536))
        accepted.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    with answering(refuse) as port:
        aimed.setenv("HTTPS_PROXY", f"http://{CANARY}-user:{CANARY}-password@127.0.0.1:{port}")
        run = plan_at(aimed, "https://test.stytch.com")
    assert f"the proxy 127.0.0.1:{port} answered {status} to CONNECT" in run.output
    assert len(asked) == 1


def test_a_self_signed_certificate_says_what_adds_trust(aimed: Workplace, tmp_path: Path) -> None:
    """Case 22: says so, and which variable adds trust."""
    output = plan_with_tls(aimed, certificate(tmp_path))
    assert "self-signed" in output
    assert "SSL_CERT_FILE" in output


def test_an_expired_certificate_says_so(aimed: Workplace, tmp_path: Path) -> None:
    """Case 22: the same kind."""
    file = certificate(tmp_path, days=-1)
    aimed.setenv("SSL_CERT_FILE", str(file))
    assert "has expired" in plan_with_tls(aimed, file)


def test_a_certificate_of_another_host_says_so(aimed: Workplace, tmp_path: Path) -> None:
    """Case 22: the same kind."""
    file = certificate(tmp_path, host="127.0.0.9")
    aimed.setenv("SSL_CERT_FILE", str(file))
    assert "is for another" in plan_with_tls(aimed, file)


@pytest.mark.parametrize("proxied", [False, True], ids=["the API", "the proxy"])
def test_a_port_that_refuses_the_connection_is_named(aimed: Workplace, *, proxied: bool) -> None:
    """Case 22: the same kind; nobody listens there, and no password of a proxy is shown."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    if proxied:
        aimed.setenv("HTTPS_PROXY", f"http://{CANARY}-user:{CANARY}-password@127.0.0.1:{port}")
    run = plan_at(aimed, "https://test.stytch.com" if proxied else f"https://127.0.0.1:{port}")
    place = f"{'the proxy ' if proxied else ''}127.0.0.1:{port}"
    assert run.code == 1
    assert f"no connection to the service: {place} refused the connection" in run.output
    assert CANARY not in run.output


def test_a_port_without_tls_says_so(aimed: Workplace) -> None:
    """Case 22: the same kind."""

    def speak_plainly(accepted: socket.socket) -> None:
        accepted.recv(65536)
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with answering(speak_plainly) as port:
        run = plan_at(aimed, f"https://127.0.0.1:{port}")
    assert f"127.0.0.1:{port} does not speak TLS" in run.output


@pytest.mark.parametrize("file", ["missing/keys.log", "."])
def test_a_key_log_that_cannot_be_written_is_one_line(aimed: Workplace, file: str, tmp_path: Path) -> None:
    """Case 23: `SSLKEYLOGFILE` that cannot be written."""
    aimed.setenv("SSLKEYLOGFILE", str(tmp_path / file))
    run = plan_at(aimed, "https://127.0.0.1:9")
    assert "SSLKEYLOGFILE" in run.output
    assert "bug" not in run.output
