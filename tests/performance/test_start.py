"""What a call imports."""

import os
import subprocess
import sys
from pathlib import Path

import certifi


def test_no_library_is_changed_by_importing_the_package(tmp_path: Path) -> None:
    """A program that imports the package trusts the same certificates as before."""
    code = (
        "import ssl; before = dict(vars(ssl.SSLContext))\n"
        "import reconciler.cli.plan, rich.console\n"
        "assert dict(vars(ssl.SSLContext)) == before\n"
        "assert ssl.create_default_context().cert_store_stats()['x509'] > 0\n"
    )
    environment = os.environ | {"SSL_CERT_FILE": certifi.where()}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
