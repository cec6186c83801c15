"""Fills an emulator with organizations of many shapes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from reconciler.core.secret import SecretReference
from reconciler.manifests import load_manifests, load_project
from tests.import_and_pin.strategies import HOSTILE
from tests.support.workplace import okta

if TYPE_CHECKING:
    from reconciler.emulator import Emulator
    from tests.support.workplace import Workplace

SLUGS = (
    "CON",
    "con",
    "nul.txt",
    ".hidden",
    "Acme",
    "ACME",
    "acme",
    "a.b",
    "a-b",
    "a_b",
    "A_B",
    "x" * 128,
    "12",
    "~t",
)


def fill(emulator: Emulator, number: int) -> None:
    """Add organizations in every shape."""
    chance = random.Random(4)
    for index in range(number):
        slug = SLUGS[index] if index < len(SLUGS) else f"customer-{index}"
        emulator.add_organization(slug, organization_name=_name(chance), **_rules(index))
        for kind in _kinds(index):
            _add(emulator, slug, kind, chance)
        _choose_default(emulator, slug, index)


def _kinds(index: int) -> tuple[str, ...]:
    """Return what an organization has: nothing, one sort only, or all sorts at once."""
    shapes = (
        ("oidc",),
        (),
        ("saml",),
        ("external", "oidc"),
        ("orphan",),
        ("oidc", "twin", "twin", "saml", "external", "orphan"),
        ("hostile", "hostile", "hostile"),
        ("incomplete", "odd"),
    )
    return shapes[index % len(shapes)]


def _choose_default(emulator: Emulator, slug: str, index: int) -> None:
    """Make a connection the default in two of three organizations that have one, SAML included."""
    connections = emulator.connections(slug)
    if connections and index % 3:
        default = connections[index % len(connections)]["connection_id"]
        emulator.edit_organization(slug, sso_default_connection_id=default)


def _rules(index: int) -> dict[str, Any]:
    if index % 3 == 0:
        return {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"]}
    if index % 3 == 1:
        return {"organization_external_id": f"external|{index}"}
    return {"sso_jit_provisioning": "RESTRICTED", "sso_jit_provisioning_allowed_connections": ["gone"]}


def _add(emulator: Emulator, slug: str, kind: str, chance: random.Random) -> None:
    odd = {
        "issuer": "http://old.example",
        "authorization_url": "https://old.example/authorize",
        "token_url": "https://old.example/token",
        "userinfo_url": "https://old.example/userinfo",
        "jwks_url": "https://old.example/keys",
        "identity_provider": "brand-new",
        "attribute_mapping": {"a": {"b": 1}},
    }
    made: dict[str, dict[str, Any]] = {
        "oidc": okta("Okta"),
        "twin": okta("Okta"),
        "orphan": {"display_name": "Okta"},
        "hostile": okta(_name(chance), client_id=f"id of {slug}"),
        "incomplete": {"display_name": "half", "issuer": "https://half.example"},
        "odd": okta("odd", **odd),
    }
    emulator.add_connection(slug, kind if kind in {"saml", "external"} else "oidc", **made.get(kind, {}))


def _name(chance: random.Random) -> str:
    return chance.choice([name for name in HOSTILE if "\ud800" not in name])


def give_secrets(place: Workplace) -> int:
    """Give every variable that the manifests name the live secret of its connection; return how many."""
    loaded = load_manifests((), load_project(None, place.root), {})
    given = 0
    for connection in loaded.state.connections:
        reference = connection.connection.client_secret
        if isinstance(reference, SecretReference):
            live = place.emulator.connection(connection.connection.connection_id or "")
            place.setenv(reference.locators[0].path, live["client_secret"])
            given += 1
    return given
