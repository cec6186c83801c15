"""A folder with manifests, for the tests that run the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from reconciler.emulator import RunningEmulator

SECRET: Final = "s3cret-of-the-idp"


def write_project(
    folder: Path, organizations: Mapping[str, Collection[str]], *, absent: Collection[str] = ()
) -> None:
    """Declare connections by name for each organization; those in ``absent`` are to be deleted."""
    (folder / "organizations").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(
        "version: 1\nlimits: {requests_per_second: 500, max_deletes: 1000, max_delete_percent: 100}\n",
        encoding="utf-8",
    )
    for organization, names in organizations.items():
        document = {
            "organization": organization,
            "connections": {name: connection(organization, name, absent=name in absent) for name in names},
        }
        path = folder / "organizations" / f"{organization}.yaml"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def connection(organization: str, name: str, *, absent: bool = False) -> dict[str, str]:
    """One complete declaration, as in a manifest."""
    issuer = f"https://{name}.{organization}.example"
    declared = {
        "identity_provider": "okta",
        "issuer": issuer,
        "client_id": f"client-{organization}-{name}",
        "client_secret": "${env:IDP_CLIENT_SECRET}",
        "authorization_url": f"{issuer}/authorize",
        "token_url": f"{issuer}/token",
        "userinfo_url": f"{issuer}/userinfo",
        "jwks_url": f"{issuer}/keys",
    }
    return declared | ({"state": "absent"} if absent else {})


def start_apply(running: RunningEmulator, folder: Path) -> subprocess.Popen[str]:
    """Start an apply of the project in that folder."""
    keys = running.emulator.settings.project
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("STYTCH_")},
            "STYTCH_BASE_URL": running.base_url,
            "STYTCH_PROJECT_ID": keys.project_id,
            "STYTCH_SECRET": keys.secret,
            "IDP_CLIENT_SECRET": SECRET,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
