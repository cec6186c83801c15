"""What a call imports."""

import os
import subprocess
import sys
from pathlib import Path

import certifi


def test_the_libraries_that_plan_needs_do_not_bring_along_their_command_lines(tmp_path: Path) -> None:
    code = "import sys, reconciler.cli.plan; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = {*done.stdout.split()}
    assert "aiohttp" in found
    assert {"httpx", "jinja2"} & found == set()


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
