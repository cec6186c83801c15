"""A forge on a loopback port: serves what a subclass answers, with faults, and remembers all calls."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

MOST_PER_PAGE = 100


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What happens to the next call of this method: another answer, or none, before or after its work."""

    method: str
    answer: Answer | None = None
    after_the_work: bool = False


class FakeForge:
    """Subclasses say what is answered, and hold what is written."""

    page_size = MOST_PER_PAGE
    moment = "2099-01-01T00:00:00Z"
    """When comments are written."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.forge = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def writes(self) -> list[str]:
        """Return the calls that change something, as ``METHOD path``."""
        return [f"{call.method} {call.path}" for call in self.calls if call.method != "GET"]

    def page(self, call: Call, elements: list[Any]) -> Answer:
        """Return one page, with a Link header as both forges send it."""
        size = min(int(call.query.get("per_page", 30)), self.page_size)
        number = int(call.query.get("page", 1))
        headers = {}
        if number * size < len(elements):
            following = {**call.query, "page": str(number + 1)}
            query = "&".join(f"{key}={value}" for key, value in following.items())
            url = f"{self.origin}{call.path}?{query}"
            headers["Link"] = f'<{url}>; rel="next", <{url}>; rel="last"'
        return Answer(200, elements[(number - 1) * size : number * size], headers)

    def fault_for(self, call: Call) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if fault.method == call.method:
                return self.faults.pop(index)
        return None


class _Server(ThreadingHTTPServer):
    forge: FakeForge
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm: ClassVar[bool] = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Keep quiet."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(
            self.command,
            unquote(parts.path) if "%2F" not in parts.path else parts.path,
            dict(parse_qsl(parts.query)),
            json.loads(text) if text else None,
            headers,
            text,
        )
        forge = self.server.forge
        forge.calls.append(call)
        fault = forge.fault_for(call)
        if fault is None:
            self._send(forge.answer(call))
            return
        if fault.after_the_work:
            forge.answer(call)
        if fault.answer is None:
            self.close_connection = True
            self.connection.close()
        else:
            self._send(fault.answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the library finds them by name

    def _send(self, answer: Answer) -> None:
        text = b"" if answer.document is None else json.dumps(answer.document).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
