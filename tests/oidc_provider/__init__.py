"""OpenID providers that others wrote, on loopback, with TLS by the tests' authority.

npm's oidc-provider is certified; Authlib's provider and pyop are by other authors, and answer differently.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.idp.provider import RIGHT, certificate
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER: Final = Path(__file__).parent
PYTHON: Final = Path(sys.prefix) / "providers/bin/python"
INSTALL_HINT: Final = (
    "needs Node.js 20 or later, and an OpenID provider for it: npm ci --prefix tests/oidc_provider,"
    " or make tools"
)


def is_installed() -> bool:
    """Whether Node.js and the npm package are installed."""
    return shutil.which("node") is not None and (FOLDER / "node_modules/oidc-provider").is_dir()


@contextmanager
def oidc_provider(clients: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Run npm's oidc-provider, which knows these clients; return its issuer."""
    with oidc_providers([{"clients": clients}]) as issuers:
        yield issuers[0]


@contextmanager
def oidc_providers(settings: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    """Run npm's oidc-provider once for each settings, which `provider.mjs` describes; return the addresses.

    ``certificate`` in the settings is the kind of its certificate.
    """
    if not is_installed():
        skip_or_fail(INSTALL_HINT)
    kinds = [item.get("certificate", RIGHT) for item in settings]
    with_tls = [{**item, **_tls(kind)} for item, kind in zip(settings, kinds, strict=True)]
    with _running(("node", "--no-warnings", "provider.mjs"), with_tls) as answer:
        yield answer["issuers"]


@contextmanager
def python_provider(name: str, redirect_url: str) -> Iterator[Any]:
    """Run `authlib` or `pyop`; return its issuer, and id and secret of a client for each method."""
    if not PYTHON.exists():
        skip_or_fail("needs OpenID providers of Python: make providers")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = {"name": name, "redirect_url": redirect_url, "port": port, **_tls(RIGHT)}
    with _running((str(PYTHON), "python_provider.py"), settings) as answer:
        yield answer


def _tls(kind: str) -> dict[str, str]:
    key, chain = certificate(kind)
    return {"key": key, "certificate": chain}


@contextmanager
def _running(command: tuple[str, ...], settings: object) -> Iterator[Any]:
    """Run a provider until its standard input ends; it says by one line of JSON that it answers."""
    with subprocess.Popen(
        command,
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        lines = (line for line in process.stdout if line.startswith("{"))  # after warnings about its keys
        try:
            answer = json.loads(next(lines, "null"))
            assert answer, "the provider ended at once"
            yield answer
        finally:
            process.stdin.close()
            process.wait(timeout=10)
