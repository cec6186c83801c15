"""What a call imports."""

import os
import subprocess
import sys
from pathlib import Path

import certifi

HEAVY = frozenset(
    {"aiohttp", "asyncio", "click", "deepdiff", "httpx", "jinja2", "pydantic", "rich", "structlog", "yaml"}
)

MANIFEST = """\
organization: acme
connections:
  okta:
    identity_provider: okta
    client_secret: ${env:ACME_SECRET}
"""


def imported(words: list[str], folder: Path) -> set[str]:
    """The heavy packages that a call imports."""
    code = (
        "import sys; sys.argv = ['reconciler', *sys.argv[1:]]\n"
        "from reconciler.__main__ import main\n"
        "code = main()\n"
        "print('imported', *sys.modules, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return {*done.stderr.rpartition("imported ")[2].split()} & HEAVY


def test_validate_imports_what_reads_and_nothing_that_calls(tmp_path: Path) -> None:
    (tmp_path / "organizations").mkdir()
    (tmp_path / "organizations" / "acme.yaml").write_text(MANIFEST, encoding="utf-8")
    assert imported(["validate"], tmp_path) <= {"click", "yaml"}


def test_the_libraries_that_plan_needs_do_not_bring_along_their_command_lines(tmp_path: Path) -> None:
    code = "import sys, reconciler.cli.plan; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = {*done.stdout.split()}
    assert "aiohttp" in found
    assert {"httpx", "rich", "pygments", "structlog", "deepdiff", "jinja2", "pydantic"} & found == set()


def test_whoever_imports_the_optional_parts_later_gets_them(tmp_path: Path) -> None:
    code = "import reconciler.cli.plan, rich.console, httpx"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_contexts_that_aiohttp_keeps_trust_nobody(tmp_path: Path) -> None:
    """A connection that forgot to say whom it trusts must fail, and reading certificates takes long."""
    code = (
        "import ssl; reads = ssl.SSLContext.set_default_verify_paths\n"
        "import reconciler.cli.plan, aiohttp.connector\n"
        "assert ssl.SSLContext.set_default_verify_paths is reads\n"
        "assert ssl.create_default_context().cert_store_stats()['x509'] > 0\n"
        "kept = aiohttp.connector._SSL_CONTEXT_VERIFIED\n"
        "assert kept.verify_mode is ssl.CERT_REQUIRED and kept.check_hostname\n"
        "for context in (kept, aiohttp.connector._SSL_CONTEXT_UNVERIFIED):\n"
        "    assert context.cert_store_stats()['x509'] == 0"
    )
    environment = os.environ | {"SSL_CERT_FILE": certifi.where()}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
