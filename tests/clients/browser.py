"""Stytch's browser SDK, headless, in a page of a real Chromium with a member's session."""

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

ROOM = Path(__file__).parent
SDK = ROOM / "node_modules/@stytch/vanilla-js/dist/esm"
HOW_TO_GET_IT = "needs Stytch's browser SDK: npm ci --prefix tests/clients"
_CALL = "const done = arguments[1]; window.call(...arguments[0]).then(done);"


def is_there() -> bool:
    """Whether this machine has what is needed, besides the browser."""
    return SDK.is_dir()


class _Page(SimpleHTTPRequestHandler):
    """The page, and the SDK's modules just as npm delivers them."""

    def translate_path(self, path: str) -> str:
        name = urlsplit(path).path
        return str(
            SDK / name.removeprefix("/sdk/") if name.startswith("/sdk/") else ROOM / "browser_sdk.html"
        )

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def page_server() -> Iterator[str]:
    """Yield the address of a server of the page, which is another origin than the API's."""
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
    """Yield the SDK in a fresh page in which a member, by default an admin of acme, is logged in."""
    session = session or running.emulator.add_session("acme", "stytch_admin")
    known = {
        "baseUrl": running.base_url,
        "publicToken": DEFAULT_PUBLIC_TOKEN,
        "tokens": {name: session[name] for name in ("session_token", "session_jwt")},
    }
    chrome.get("about:blank")
    chrome.get(f"{page}/#{quote(json.dumps(known))}")
    WebDriverWait(chrome, 30).until(lambda found: found.title == "ready")
    yield _BrowserClient(chrome)
    chrome.delete_all_cookies()


def hosts_asked(chrome: Chrome) -> set[str]:
    """The hosts that pages have sent requests to since this was asked last."""
    events = (json.loads(entry["message"])["message"] for entry in log_of(chrome, "performance"))
    sent = (one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent")
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
        found = self._call("organization.getBySlug", {"organization_slug": slug})
        return str(found["organization"]["organization_id"])

    def _call(self, method: str, *given: Any) -> Any:
        return value_of(self._chrome.execute_async_script(_CALL, [method, *given]))
