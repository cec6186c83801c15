"""Stytch's browser SDK in a page of headless Chromium, with a member's session."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from selenium.webdriver.support.ui import WebDriverWait

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN
from tests.chromium import log_of
from tests.clients.calling import Client, Session, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from reconciler.emulator import RunningEmulator

FOLDER = Path(__file__).parent
SDK = FOLDER / "node_modules/@stytch/vanilla-js/dist/esm"
INSTALL_HINT = "needs Stytch's browser SDK: npm ci --prefix tests/clients"
_CALL = "const done = arguments[1]; window.call(...arguments[0]).then(done);"


def is_installed() -> bool:
    """Whether the npm packages are installed."""
    return SDK.is_dir()


class _Page(SimpleHTTPRequestHandler):
    """Serves the page and the SDK's modules from the npm package."""

    def translate_path(self, path: str) -> str:
        name = urlsplit(path).path
        return str(
            SDK / name.removeprefix("/sdk/") if name.startswith("/sdk/") else FOLDER / "browser_sdk.html"
        )

    def log_message(self, *_: object) -> None:
        """Do not log."""


@contextmanager
def page_server() -> Iterator[str]:
    """Serve the page from another origin than the API's; yields its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def browser_client(
    chrome: Chrome, page: str, running: RunningEmulator, session: Session | None
) -> Iterator[Client]:
    """Yield the SDK in a new page with a session, by default of an admin of acme."""
    session = session or running.emulator.add_session("acme", "stytch_admin")
    settings = {
        "baseUrl": running.base_url,
        "publicToken": DEFAULT_PUBLIC_TOKEN,
        "tokens": {name: session[name] for name in ("session_token", "session_jwt")},
    }
    chrome.get("about:blank")
    chrome.get(f"{page}/#{quote(json.dumps(settings))}")
    WebDriverWait(chrome, 30).until(lambda driver: driver.title == "ready")
    yield _BrowserClient(chrome)
    chrome.delete_all_cookies()


def contacted_hosts(chrome: Chrome) -> set[str]:
    """The hosts that pages have sent requests to since the last call."""
    events = (json.loads(entry["message"])["message"] for entry in log_of(chrome, "performance"))
    sent = (
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    )
    return {urlsplit(url).hostname or "" for url in sent if url.startswith(("http", "ws"))}


class _BrowserClient:
    def __init__(self, chrome: Chrome) -> None:
        self._chrome = chrome

    def create(self, organization: str, **fields: Any) -> Any:
        return self._call("sso.oidc.createConnection", fields)["connection"]

    def update(self, organization: str, connection_id: str, **fields: Any) -> Any:
        data = {"connection_id": connection_id, **fields}
        return self._call("sso.oidc.updateConnection", data)["connection"]

    def list(self, organization: str) -> Any:
        return self._call("sso.getConnections")

    def delete(self, organization: str, connection_id: str) -> str:
        return str(self._call("sso.deleteConnection", connection_id)["connection_id"])

    def organization(self, organization: str) -> Any:
        return self._call("organization.get")

    def find(self, slug: str) -> str:
        response = self._call("organization.getBySlug", {"organization_slug": slug})
        return str(response["organization"]["organization_id"])

    def _call(self, method: str, *arguments: Any) -> Any:
        return value_of(self._chrome.execute_async_script(_CALL, [method, *arguments]))
