"""Proxies and certificates of the environment: which are used, and which are refused in one sentence."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.http.client import client_settings

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "https://test.stytch.com"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_environment_is_used_for_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pass@proxy.example.com:3128")
    assert client_settings(SERVICE)["trust_env"]
    monkeypatch.setenv("HTTPS_PROXY", "malformed://")
    assert not client_settings("http://127.0.0.1:8080")["trust_env"]


def test_where_no_tls_is_spoken_no_certificate_is_trusted() -> None:
    assert client_settings(SERVICE)["verify"].cert_store_stats()["x509"] > 0
    assert client_settings("http://127.0.0.1:8080")["verify"].cert_store_stats()["x509"] == 0


def test_a_proxy_of_another_kind_is_refused_without_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:canary@proxy.example.com")
    with pytest.raises(UsageError, match="socks5") as refused:
        client_settings(SERVICE)
    assert "canary" not in shown(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:canary/@127.0.0.1:9",
        "http://u:canary@host:99999",
        "http://u:canary@a..b:1",
        f"http://u:canary@{'a' * 64}:1",
        "http://u:canary@",
        "http://u:1#canary@host:1",
        "http://u:1?canary@host:1",
        "http://u:canary@[::1",
        "canary://x",
        "u:canary@host:port",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"])
def test_a_malformed_proxy_is_refused_without_its_address(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(UsageError, match="proxy") as refused:
        client_settings(SERVICE)
    assert "canary" not in shown(refused.value)


def test_a_malformed_exception_from_the_proxy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary@proxy.example.com")
    monkeypatch.setenv("NO_PROXY", "[::1")
    with pytest.raises(UsageError, match="NO_PROXY") as refused:
        client_settings(SERVICE)
    assert "canary" not in shown(refused.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        client_settings(SERVICE)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
