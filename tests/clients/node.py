"""Stytch's Node SDK in a Node.js process, one line of JSON per call."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET
from tests.clients.calling import Client, Session, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator

FOLDER = Path(__file__).parent
INSTALL_HINT = (
    "needs Node.js 20 or later, and Stytch's SDKs for it: npm ci --prefix tests/clients, or make tools"
)


def is_installed() -> bool:
    """Whether Node.js and the npm packages are installed."""
    return shutil.which("node") is not None and (FOLDER / "node_modules/stytch").is_dir()


@contextmanager
def node_client(running: RunningEmulator, session: Session | None) -> Iterator[Client]:
    """Yield the SDK in another process."""
    command = ("node", "node_sdk.mjs", running.base_url, DEFAULT_PROJECT_ID, DEFAULT_SECRET)
    with subprocess.Popen(
        command,
        cwd=FOLDER,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the SDK warns about every other base URL
    ) as process:
        try:
            yield _NodeClient(process, session)
        finally:
            process.kill()


class _NodeClient:
    def __init__(self, process: subprocess.Popen[str], session: Session | None) -> None:
        self._process = process
        token = {"authorization": {"session_token": session["session_token"]}} if session else {}
        self._options = token

    def create(self, organization: str, **fields: Any) -> Any:
        data = {"organization_id": organization, **fields}
        return self._call("sso.oidc.createConnection", data)["connection"]

    def update(self, organization: str, connection_id: str, **fields: Any) -> Any:
        data = {"organization_id": organization, "connection_id": connection_id, **fields}
        return self._call("sso.oidc.updateConnection", data)["connection"]

    def list(self, organization: str) -> Any:
        return self._call("sso.getConnections", {"organization_id": organization})

    def delete(self, organization: str, connection_id: str) -> str:
        data = {"organization_id": organization, "connection_id": connection_id}
        return str(self._call("sso.deleteConnection", data)["connection_id"])

    def organization(self, organization: str) -> Any:
        return self._call("organizations.get", {"organization_id": organization})["organization"]

    def find(self, slug: str) -> str:
        operand = {"filter_name": "organization_slugs", "filter_value": [slug]}
        query = {"operator": "AND", "operands": [operand]}
        return str(
            self._call("organizations.search", {"query": query})["organizations"][0]["organization_id"]
        )

    def _call(self, method: str, data: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, data, self._options]) + "\n")
        self._process.stdin.flush()
        return value_of(json.loads(self._process.stdout.readline()))
