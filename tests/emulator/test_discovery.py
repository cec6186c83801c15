"""What an update makes of a new issuer."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.calls import error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

ISSUER = "https://idp.example.com"
URLS = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
WELL_KNOWN = "/.well-known/openid-configuration"


def metadata(issuer: str = ISSUER) -> dict[str, str]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/a",
        "token_endpoint": f"{issuer}/t",
        "userinfo_endpoint": f"{issuer}/u",
        "jwks_uri": f"{issuer}/j",
    }


def inferred(issuer: str = ISSUER) -> dict[str, str]:
    return dict(zip(URLS, (f"{issuer}/{end}" for end in "atuj"), strict=True))


@pytest.fixture
def update(api: Api, emulator: Emulator) -> Callable[..., dict[str, Any]]:
    connection_id = emulator.add_connection("acme")["connection_id"]

    def put(**body: Any) -> dict[str, Any]:
        response = api("PUT", f"/v1/b2b/sso/oidc/acme/connections/{connection_id}", json=body)
        assert response.status_code == 200, response.text
        return response.json()  # type: ignore[no-any-return]  # JSON

    return put


def urls(response: dict[str, Any]) -> dict[str, str]:
    return {name: response["connection"][name] for name in URLS}


def test_urls_of_a_new_issuer_are_discovered(update: Callable[..., Any], emulator: Emulator) -> None:
    emulator.set_discovery(ISSUER, metadata())
    response = update(issuer=ISSUER)
    assert urls(response) == inferred()
    assert "warning" not in response
    assert response["connection"]["status"] == "pending"
    assert update(client_id="c", client_secret="s")["connection"]["status"] == "active"


def test_urls_in_the_body_override_discovered_ones(update: Callable[..., Any], emulator: Emulator) -> None:
    emulator.set_discovery(ISSUER, metadata())
    response = update(issuer=ISSUER, token_url="https://mine.example/t")
    assert urls(response) == {**inferred(), "token_url": "https://mine.example/t"}


def test_a_later_change_of_the_issuer_alone_overwrites_explicit_urls(
    update: Callable[..., Any], emulator: Emulator
) -> None:
    update(issuer="https://old.example", **dict.fromkeys(URLS, "https://mine.example/x"))
    emulator.set_discovery(ISSUER, metadata())
    assert urls(update(issuer=ISSUER)) == inferred()


def test_a_failed_discovery_is_a_warning_and_the_body_is_stored(
    update: Callable[..., Any], emulator: Emulator
) -> None:
    emulator.set_discovery(ISSUER, failure="connection refused")
    response = update(issuer=ISSUER, client_id="c")
    assert "connection refused" in response["warning"]
    assert response["connection"]["issuer"] == ISSUER
    assert response["connection"]["client_id"] == "c"
    assert urls(response) == dict.fromkeys(URLS, "")


def test_an_issuer_outside_loopback_is_not_contacted(update: Callable[..., Any]) -> None:
    response = update(issuer="https://login.microsoftonline.com/tenant/v2.0")
    assert "discovery-fetch" in response["warning"]


def test_create_does_not_discover(api: Api, emulator: Emulator) -> None:
    emulator.set_discovery(ISSUER, metadata())
    response = api("POST", "/v1/b2b/sso/oidc/acme", json={"issuer": ISSUER}).json()
    assert urls(response) == dict.fromkeys(URLS, "")


class Provider(BaseHTTPRequestHandler):
    """An issuer on loopback: its path says what it responses."""

    def do_GET(self) -> None:
        where = self.path.split("/.well-known", maxsplit=1)[0].strip("/")
        base = f"http://{self.headers['host']}/{where}"
        self.server.seen.append(self.path)  # type: ignore[attr-defined]  # set by the fixture
        body = {
            "good": json.dumps(metadata(base)).encode(),
            "list": b"[]",
            "garbage": b"<html>",
            "huge": b'"' + b"x" * (2 << 20) + b'"',
        }.get(where, b"gone")
        self.send_response({"moved": 302, "missing": 404}.get(where, 200))
        self.send_header("location", "/good" + WELL_KNOWN)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the emulator had enough

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def provider() -> Iterator[Any]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    server.seen = []  # type: ignore[attr-defined]  # for the tests
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_loopback_issuer_is_fetched(update: Callable[..., Any], provider: Any) -> None:
    issuer = f"http://127.0.0.1:{provider.server_address[1]}/good"
    assert urls(update(issuer=issuer)) == inferred(issuer)
    assert provider.seen == [f"/good{WELL_KNOWN}"]


@pytest.mark.parametrize("where", ["missing", "moved", "garbage", "list", "huge"])
def test_a_loopback_issuer_without_a_valid_document(
    update: Callable[..., Any], provider: Any, where: str
) -> None:
    response = update(issuer=f"http://127.0.0.1:{provider.server_address[1]}/{where}")
    assert response["warning"]
    assert urls(response) == dict.fromkeys(URLS, "")
    assert provider.seen == [f"/{where}{WELL_KNOWN}"]


def test_an_issuer_without_a_server(update: Callable[..., Any], provider: Any) -> None:
    port = provider.server_address[1]
    provider.server_close()
    assert update(issuer=f"http://127.0.0.1:{port}/good")["warning"]


def test_fetching_can_be_switched_off(update: Callable[..., Any], emulator: Emulator, provider: Any) -> None:
    emulator.set_switch("discovery-fetch", "never")
    assert update(issuer=f"http://127.0.0.1:{provider.server_address[1]}/good")["warning"]
    assert provider.seen == []


@pytest.mark.parametrize(
    ("position", "path"), [("trimmed", f"/good{WELL_KNOWN}"), ("literal", f"/good/{WELL_KNOWN}")]
)
def test_a_trailing_slash(
    update: Callable[..., Any], emulator: Emulator, provider: Any, position: str, path: str
) -> None:
    emulator.set_switch("issuer-trailing-slash", position)
    update(issuer=f"http://127.0.0.1:{provider.server_address[1]}/good/")
    assert provider.seen == [path]


def test_the_built_in_provider_is_read_in_process(update: Callable[..., Any], emulator: Emulator) -> None:
    path = emulator.add_identity_provider("acme")
    issuer = f"http://127.0.0.1{path}"
    assert urls(update(issuer=issuer))["jwks_url"] == f"{issuer}/jwks"


def test_a_connection_deleted_during_discovery_is_not_found(
    api: Api, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = emulator.add_connection("acme")["connection_id"]

    async def discover_and_lose(*_arguments: object) -> None:
        emulator.remove_connection(connection_id)

    monkeypatch.setattr("reconciler.emulator.connection_update.discover", discover_and_lose)
    response = api("PUT", f"/v1/b2b/sso/oidc/acme/connections/{connection_id}", json={"issuer": ISSUER})
    assert error(response) == (404, "oidc_connection_not_found")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:1", "https://localhost:1"])
def test_the_warning_says_why_there_is_no_connection(update: Callable[..., Any], issuer: str) -> None:
    host = issuer.partition("://")[2]
    assert update(issuer=issuer)["warning"].endswith(
        f"{issuer} could not be retrieved: no connection to {host}: Connection refused."
    )
