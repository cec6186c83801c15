"""A server that repeats every secret it receives, in every text of its responses."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD_SECRET = "old-live-Kanarienvogel~1"
ORGANIZATION = {
    "organization_id": "organization-test-acme",
    "organization_name": "Acme",
    "organization_slug": "acme",
}
CONNECTION = {
    "organization_id": "organization-test-acme",
    "connection_id": "oidc-connection-test-1",
    "status": "active",
    "display_name": "sso",
    "redirect_url": "https://test.stytch.com/v1/b2b/sso/callback/oidc-connection-test-1",
    "identity_provider": "generic",
    "issuer": "https://acme.example.com",
    "client_id": "client-of-acme",
    "client_secret": OLD_SECRET,
    "authorization_url": "https://acme.example.com/a",
    "token_url": "https://acme.example.com/t",
    "userinfo_url": "https://acme.example.com/u",
    "jwks_url": "https://acme.example.com/k",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.server.mode == "read":
            return self._refuse()
        if "/organizations/" in self.path:
            return self._answer(200, {"organization": ORGANIZATION})
        return self._answer(200, {"oidc_connections": [self.server.connection]})

    def do_POST(self) -> None:
        self._body()
        return self._answer(200, {"organizations": [ORGANIZATION], "results_metadata": {"total": 1}})

    def do_PUT(self) -> None:
        if self.server.mode == "warning":
            body = self._body()
            self.server.connection |= json.loads(body)
            return self._answer(200, {"connection": self.server.connection, "warning": self._told(body)})
        return self._refuse()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def _told(self, body: str) -> str:
        """Everything that came in, in clear and as it came."""
        secrets = json.loads(body or "{}").get("client_secret", "")
        authorization = self.headers["Authorization"]
        clear = base64.b64decode(authorization.partition(" ")[2]).decode()
        return f"you sent {body} {secrets} with {authorization} ({clear}); it was {OLD_SECRET}"

    def _refuse(self) -> None:
        told = self._told(self._body())
        status = 400 if self.server.mode != "denied" else 403
        self._answer(status, {"error_type": "bad_request", "error_message": told}, told)

    def _answer(self, status: int, document: dict[str, Any], reason: str = "") -> None:
        document |= {"request_id": "request-id-test-1", "status_code": status}
        content = json.dumps(document).encode()
        self.send_response(status, reason[:20].encode("ascii", "replace").decode() or None)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    mode = "refused"
    connection: dict[str, Any]


@contextmanager
def echoing(mode: str) -> Iterator[str]:
    """Serve on loopback, and yield the base URL; `mode` says which of the answers echoes."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.mode = mode
    server.connection = dict(CONNECTION)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
