"""A project whose one organization can be reached with every kind of credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_PUBLIC_TOKEN, DEFAULT_SECRET
from tests.support.fixtures import bare, running
from tests.support.workplace import discovery_document

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "place", "running"]

LOGINS = ("project", "member token", "member jwt", "session")
NAMES = ("first", "second", "third")


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """Two organizations of which `acme` is declared, with three connections, and no credentials yet."""
    bare.use(running)
    for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
        bare.delenv(name)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    running.emulator.add_organization("acme")
    running.emulator.add_organization("globex")
    running.emulator.set_discovery("https://acme.example.com", discovery_document("acme"))
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    bare.write("organizations/acme.yaml", manifest("acme", *NAMES))
    return bare


def manifest(slug: str, *names: str) -> str:
    lines = [f"organization: {slug}", "connections:"]
    for name in names:
        lines += [
            f"  {name}:",
            "    issuer: https://acme.example.com",
            f"    client_id: client-{name}",
            "    client_secret: ${env:ACME_CLIENT_SECRET}",
        ]
    return "\n".join(lines) + "\n"


def log_in(place: Workplace, login: str, *roles: str, organization: str = "acme") -> dict[str, str]:
    """Put the credentials of a login into the environment; return its session."""
    if login == "session":
        place.setenv("STYTCH_PUBLIC_TOKEN", DEFAULT_PUBLIC_TOKEN)
    else:
        place.setenv("STYTCH_PROJECT_ID", DEFAULT_PROJECT_ID)
        place.setenv("STYTCH_SECRET", DEFAULT_SECRET)
    if login == "project":
        return {}
    session = place.emulator.add_session(organization, *(roles or ("stytch_admin",)))
    kind = "JWT" if login == "member jwt" else "TOKEN"
    place.setenv(f"STYTCH_SESSION_{kind}", session[f"session_{kind.lower()}"])
    return session
