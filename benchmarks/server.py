"""A service on loopback that responds like the API after a given latency, at little cost.

It runs in another process, keeps connections in memory and counts requests. Lists are encoded once.
It does not check correctness; the emulator does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from benchmarks import estate

_REFUSED: Final = json.dumps({"status_code": 429, "error_type": "too_many_requests"}).encode()
_REQUEST_ID: Final = "request-id-test-00000000-0000-4000-8000-000000000000"
_REASONS: Final = {200: b"OK", 404: b"Not Found", 429: b"Too Many Requests"}
_SSO: Final = "/v1/b2b/sso/"
_OIDC: Final = "/v1/b2b/sso/oidc/"
_ORGANIZATIONS: Final = "/v1/b2b/organizations/"
_NOT_FOUND: Final = {"status_code": 404, "error_type": "route_not_found"}


@dataclass(slots=True)
class Service:
    """A number of organizations, with all of their connections or none.

    ``rate`` bounds the requests in each second of the clock; after ``halve_after`` requests it is halved.
    ``ports`` are those of the connections' identity providers.
    """

    organizations: int
    is_empty: bool
    rate: float = 0.0
    halve_after: int = 0
    ports: tuple[int, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    first: float = 0.0
    last: float = 0.0
    _second: int = 0
    _in_second: int = 0
    _connections: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _lists: dict[int, bytes] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def respond(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Handle a request; return status and body."""
        if path == "/counts":
            return 200, self._statistics()
        self.last = time.monotonic()
        self.first = self.first or self.last
        if not self._is_within_rate():
            self.counts["429"] += 1
            return 429, _REFUSED
        self.accepted += 1
        return self._route(method, path, body)

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if path == _ORGANIZATIONS + "search":
            self.counts["search"] += 1
            return 200, self._search(json.loads(body or b"{}"))
        if method == "GET" and path.startswith(_SSO):
            self.counts["list"] += 1
            return 200, self._list(estate.index_of(path[len(_SSO) :]))
        if method == "GET" and path.startswith(_ORGANIZATIONS):
            self.counts["organization"] += 1
            index = estate.index_of(path[len(_ORGANIZATIONS) :])
            return 200, _encoded({"organization": estate.organization(index)})
        return self._write(method, path, body)

    def _write(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.counts[method] += 1
        parts = path.removeprefix(_OIDC).removeprefix(_SSO).split("/")
        index = estate.index_of(parts[0])
        self._lists.pop(index, None)
        if method == "POST":
            return 200, self._create(index, json.loads(body))
        if method == "PUT":
            return 200, self._update(index, parts[2], json.loads(body))
        if method == "DELETE":
            self._of(index).pop(parts[2])
            return 200, _encoded({"connection_id": parts[2]})
        return 404, _encoded(_NOT_FOUND)

    def _list(self, index: int) -> bytes:
        encoded = self._lists.get(index)
        if encoded is None:
            encoded = self._lists[index] = _encoded(
                {
                    "oidc_connections": list(self._of(index).values()),
                    "saml_connections": [],
                    "external_connections": [],
                }
            )
        return encoded

    def _search(self, body: dict[str, Any]) -> bytes:
        operands = body.get("query", {}).get("operands", [])
        wanted = [
            estate.index_of(organization_id)
            for operand in operands
            if operand["filter_name"] == "organization_ids"
            for organization_id in operand["filter_value"]
        ]
        organizations = [estate.organization(index) for index in wanted if index < self.organizations]
        return _encoded(
            {
                "organizations": organizations,
                "results_metadata": {"total": len(organizations), "next_cursor": ""},
            }
        )

    def _create(self, index: int, body: dict[str, Any]) -> bytes:
        number = next(self._ids)
        blank = dict.fromkeys((*estate.declared(0, 0), "client_secret", "custom_scopes"), "")
        created = {
            **estate.live(index, number),
            **blank,
            "attribute_mapping": {},
            "status": "pending",
            "identity_provider": "generic",
            **body,
        }
        self._of(index)[created["connection_id"]] = created
        return _encoded({"connection": created})

    def _update(self, index: int, connection_id: str, body: dict[str, Any]) -> bytes:
        connection = self._of(index)[connection_id]
        connection |= body | {"status": "active"}
        return _encoded({"connection": connection})

    def _of(self, index: int) -> dict[str, dict[str, Any]]:
        if index not in self._connections:
            if not self.is_empty:  # only the encoded list is kept
                connections = [estate.live(index, number, self.ports) for number in range(estate.CONNECTIONS)]
                return {connection["connection_id"]: connection for connection in connections}
            self._connections[index] = {}
        return self._connections[index]

    def _is_within_rate(self) -> bool:
        if not self.rate:
            return True
        second = int(time.time())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        is_halved = self.halve_after and self.accepted >= self.halve_after
        return self._in_second <= (self.rate / 2 if is_halved else self.rate)

    def _statistics(self) -> bytes:
        seconds = self.last - self.first
        return _encoded({"counts": self.counts, "accepted": self.accepted, "seconds": seconds})


class Connection(asyncio.Protocol):
    """Reads requests from one socket and responds to each after ``latency`` seconds."""

    def __init__(self, service: Service, latency: float) -> None:
        self._service = service
        self._latency = latency
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to every complete request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin-1")
            size = _content_length(head)
            if len(self._received) < end + 4 + size:
                return
            body = self._received[end + 4 : end + 4 + size]
            self._received = self._received[end + 4 + size :]
            method, path, _rest = head.split(" ", 2)
            status, response = self._service.respond(method, path, body)
            head_bytes = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                status,
                _REASONS[status],
                len(response),
            )
            assert self._transport is not None
            asyncio.get_running_loop().call_later(self._latency, self._send, head_bytes + response)

    def _send(self, response: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


def _content_length(head: str) -> int:
    for line in head.split("\r\n"):
        if line[:15].lower() == "content-length:":
            return int(line[15:])
    return 0


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps({"status_code": 200, "request_id": _REQUEST_ID, **document}).encode()


async def _serve(service: Service, latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service, latency), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # the parent process closes it
    server.close()


def main() -> None:
    """Serve until standard input ends; the port is printed first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, required=True)
    parser.add_argument("--empty", action="store_true", help="organizations have no connections")
    parser.add_argument("--latency", type=float, default=estate.LATENCY, help="seconds")
    parser.add_argument("--rate", type=float, default=0.0, help="requests in each second; 0: no limit")
    parser.add_argument("--halve-after", type=int, default=0, help="requests after which the rate is halved")
    parser.add_argument("--ports", default="", help="of identity providers, separated by commas")
    options = parser.parse_args()
    ports = tuple(map(int, options.ports.split(","))) if options.ports else ()
    service = Service(options.organizations, options.empty, options.rate, options.halve_after, ports)
    asyncio.run(_serve(service, options.latency))


if __name__ == "__main__":
    main()
