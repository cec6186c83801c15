"""The script a user would write on Stytch's Python SDK: read the YAML, list, compare; one after the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import stytch
import yaml

PLAIN = (
    "identity_provider",
    "issuer",
    "client_id",
    "authorization_url",
    "token_url",
    "userinfo_url",
    "jwks_url",
)


def differs(declared: dict[str, object], live: object) -> bool:
    """Tell whether a connection is not what is declared."""
    if any(getattr(live, name) != declared[name] for name in PLAIN):
        return True
    scopes = sorted(str(live.custom_scopes).split())  # type: ignore[attr-defined]  # the SDK's model
    mapping = live.attribute_mapping  # type: ignore[attr-defined]  # the SDK's model
    return scopes != declared["custom_scopes"] or mapping != declared["attribute_mapping"]


def client_for(base_url: str) -> stytch.B2BClient:
    """Return a client; the SDK takes https addresses only, therefore the address is set afterwards."""
    client = stytch.B2BClient(
        project_id="project-test-00000000-0000-4000-8000-000000000000",
        secret=os.environ["STYTCH_SECRET"],
        environment="test",
    )
    client.api_base.base_url = f"{base_url}/"
    return client


def main() -> None:
    """Print how many connections differ."""
    client = client_for(os.environ["BASE_URL"])
    changed = 0
    for file in sorted(Path("organizations").rglob("*.yaml")):
        manifest = yaml.safe_load(file.read_text())
        answer = client.sso.get_connections(organization_id=manifest["organization"])
        live = {one.display_name: one for one in answer.oidc_connections}
        for declared in manifest["connections"].values():
            found = live.get(declared["display_name"])
            changed += found is None or differs(declared, found)
    sys.stdout.write(f"{changed} differ\n")


if __name__ == "__main__":
    main()
