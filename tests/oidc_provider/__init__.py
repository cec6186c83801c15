"""A certified OpenID provider on loopback: npm's oidc-provider, with TLS by the tests' authority."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.idp.provider import authority
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER: Final = Path(__file__).parent
INSTALL_HINT: Final = (
    "needs Node.js 20 or later, and an OpenID provider for it: npm ci --prefix tests/oidc_provider,"
    " or make tools"
)


def is_installed() -> bool:
    """Whether Node.js and the npm package are installed."""
    return shutil.which("node") is not None and (FOLDER / "node_modules/oidc-provider").is_dir()


@contextmanager
def oidc_provider(clients: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Run a provider that knows these clients; return its issuer."""
    if not is_installed():
        skip_or_fail(INSTALL_HINT)
    leaf = authority().issue_cert("localhost")
    certificate = "".join(pem.bytes().decode() for pem in leaf.cert_chain_pems)
    settings = {"clients": clients, "key": leaf.private_key_pem.bytes().decode(), "certificate": certificate}
    with subprocess.Popen(
        ("node", "--no-warnings", "provider.mjs"),
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
        line = process.stdout.readline()
        while line and not line.startswith("https://"):  # it begins with warnings about keys for development
            line = process.stdout.readline()
        try:
            assert line, "the provider ended at once"
            yield line.strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)
