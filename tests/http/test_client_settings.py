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
PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_proxy_of_the_environment_is_used_for_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert proxy_url() == PROXY
    monkeypatch.setenv("HTTPS_PROXY", "malformed://")
    assert client_settings("http://127.0.0.1:8080")["proxy"] is None


def test_httpx_reads_nothing_more_from_the_environment() -> None:
    assert not client_settings(SERVICE)["trust_env"]
    assert not client_settings("http://127.0.0.1:8080")["trust_env"]


@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTP_PROXY", "FTP_PROXY"])
@pytest.mark.parametrize("url", ["socks5h://127.0.0.1:1080", "http://bad path/x", "http://[::1"])
def test_a_proxy_that_is_not_used_is_not_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv(variable, url)
    assert proxy_url() == PROXY


def test_a_proxy_for_all_is_used_and_one_for_http_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.example.com")
    assert proxy_url() is None
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert proxy_url() == PROXY


@pytest.mark.parametrize("url", [f" {PROXY}", f"{PROXY} ", f"{PROXY}/", PROXY.removeprefix("http://")])
def test_a_proxy_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    assert proxy_url() in {PROXY, f"{PROXY}/"}


def test_the_password_of_a_proxy_need_not_be_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:p\u00e9@proxy.example.com")
    assert client_settings(SERVICE)["proxy"].raw_auth == (b"user", "p\u00e9".encode())


@pytest.mark.parametrize("url", [PROXY, "socks5://proxy.example.com", "http://u:a/b@proxy.example.com"])
@pytest.mark.parametrize("exceptions", ["test.stytch.com", ".stytch.com", "a.example, stytch.com", "*"])
def test_where_no_proxy_excepts_the_host_none_is_used_or_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, exceptions: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert proxy_url() is None


@pytest.mark.parametrize("exceptions", ["::1", "[::1]"])
def test_no_proxy_excepts_ipv6_addresses(monkeypatch: pytest.MonkeyPatch, exceptions: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert client_settings("https://[::1]:8443")["proxy"] is None


@pytest.mark.parametrize(
    "exceptions",
    ["::1", "[::1]", "[::1", "fe80::/10", "fd00::/8,10.0.0.0/8", "fe80::1%eth0", "10.0.0.0/8", "a b", "http://x"],
)  # fmt: skip
def test_exceptions_for_other_hosts_change_nothing(monkeypatch: pytest.MonkeyPatch, exceptions: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert proxy_url() == PROXY


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
        "http://u:canary\x01@host",
        "http://u:canary\udcff@host",
        "canary://x",
        "u:canary@host:port",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_malformed_proxy_is_refused_without_its_address(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(UsageError, match="proxy") as refused:
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


def proxy_url() -> str | None:
    """Return the URL of the proxy to the service."""
    proxy = client_settings(SERVICE)["proxy"]
    return None if proxy is None else str(proxy.url)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
