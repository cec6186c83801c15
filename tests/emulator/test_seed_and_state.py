"""Seeding, and what survives a restart."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.emulator import Emulator, EmulatorSettings, Project, SeedError, StateError, read_seed
from tests.emulator.calls import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SEED = """
projects:
  - {project_id: project-test-2, secret: secret-test-2, public_token: public-token-test-2, name: Two,
     roles: {sso_reader: {stytch.sso: [get]}}}
organizations:
  - organization_slug: acme
    organization_id: organization-test-acme
    organization_external_id: customer-1
    organization_name: Acme Corp
    auth_methods: RESTRICTED
    allowed_auth_methods: [sso]
    sso_jit_provisioning: RESTRICTED
    sso_jit_provisioning_allowed_connections: [oidc-connection-test-1]
    sso_default_connection_id: saml-connection-test-1
    connections:
      - {connection_id: oidc-connection-test-1, display_name: Okta, issuer: https://acme.okta.com}
      - {kind: saml, connection_id: saml-connection-test-1, display_name: Legacy}
      - {kind: external, display_name: Shared}
    members:
      - email_address: ann@acme.example
        roles: [stytch_admin]
        sessions:
          - {session_token: session-token-ann, session_jwt: session-jwt-ann}
          - {session_token: session-token-old, expires_in: -1}
  - {organization_slug: beta, project_id: project-test-2}
identity_providers:
  - {name: acme, clients: {client-1: hush}, metadata: {token_endpoint: https://moved/t}}
discovery:
  - {issuer: https://good.example, document: {issuer: https://good.example, jwks_uri: https://good.example/j}}
  - {issuer: https://bad.example, failure: connection refused}
"""


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    path = tmp_path / "seed.yaml"
    path.write_text(SEED, encoding="utf-8")
    return path


def test_a_seed_file_fills_everything(make_emulator: Callable[..., Emulator], seed: Path) -> None:
    emulator = make_emulator(seed=seed)
    organization = call(emulator, "GET", "/v1/b2b/organizations/customer-1").json()["organization"]
    assert organization["organization_id"] == "organization-test-acme"
    assert organization["allowed_auth_methods"] == ["sso"]
    assert organization["sso_default_connection_id"] == "saml-connection-test-1"
    lists = call(emulator, "GET", "/v1/b2b/sso/acme").json()
    assert [connection["status"] for connection in lists["oidc_connections"]] == ["pending"]
    assert [connection["display_name"] for connection in lists["saml_connections"]] == ["Legacy"]
    assert [connection["display_name"] for connection in lists["external_connections"]] == ["Shared"]
    ann = {"X-Stytch-Member-Session": "session-token-ann"}
    assert call(emulator, "GET", "/v1/b2b/sso/acme", headers=ann).status_code == 200
    old = {"X-Stytch-Member-Session": "session-token-old"}
    assert call(emulator, "GET", "/v1/b2b/sso/acme", headers=old).status_code == 404
    auth = ("project-test-2", "secret-test-2")
    assert call(emulator, "GET", "/v1/b2b/sso/beta", auth=auth).status_code == 200
    path = "/v1/b2b/sso/oidc/acme/connections/oidc-connection-test-1"
    good = call(emulator, "PUT", path, json={"issuer": "https://good.example"}).json()
    assert good["connection"]["jwks_url"] == "https://good.example/j"
    bad = call(emulator, "PUT", path, json={"issuer": "https://bad.example"}).json()
    assert "connection refused" in bad["warning"]
    moved = call(emulator, "GET", "/idp/acme/.well-known/openid-configuration").json()
    assert moved["token_endpoint"] == "https://moved/t"


def test_json_is_yaml(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(yaml.safe_load(SEED)), encoding="utf-8")
    assert read_seed(path) == yaml.safe_load(SEED)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"organisations": []}, "organisations: unknown key, did you mean 'organizations'?"),
        ({"organizations": {}}, "organizations: expected a list"),
        ({"organizations": ["acme"]}, "organizations[0]: expected a mapping"),
        ({"organizations": [{}]}, "organizations[0].organization_slug: expected a string"),
        (
            {"organizations": [{"organization_slug": 7}]},
            "organizations[0].organization_slug: expected a string",
        ),
        (
            {"organizations": [{"organization_slug": "a"}, {"organization_slug": "a"}]},
            "organizations[1].organization_slug: 'a' is already taken",
        ),
        (
            {"organizations": [{"organization_slug": "a", "project_id": "project-test-x"}]},
            "organizations[0].project_id: there is no project 'project-test-x'",
        ),
        (
            {"organizations": [{"organization_slug": "a", "connections": [{"kind": "oauth"}]}]},
            "organizations[0].connections[0].kind: unknown kind 'oauth'; known: oidc, saml, external",
        ),
        (
            {
                "organizations": [
                    {"organization_slug": "a", "connections": [{"connection_id": "saml-connection-1"}]}
                ]
            },
            "organizations[0].connections[0].connection_id: 'saml-connection-1' does not start with",
        ),
        (
            {"organizations": [{"organization_slug": "a", "connections": [{"client_id": 7}]}]},
            "organizations[0].connections[0].client_id: expected a string",
        ),
        (
            {"organizations": [{"organization_slug": "a", "sso_default_connection_id": "x"}]},
            "organizations[0].sso_default_connection_id: there is no connection 'x' here",
        ),
        (
            {"organizations": [{"organization_slug": "a", "members": [{"role": "x"}]}]},
            "organizations[0].members[0].role: unknown key, did you mean 'roles'?",
        ),
        (
            {"organizations": [{"organization_slug": "a", "organisation_name": "A"}]},
            "organizations[0].organisation_name: unknown key, did you mean 'organization_name'?",
        ),
        (
            {"organizations": [{"organization_slug": "a", "connections": [{"isuer": "x"}]}]},
            "organizations[0].connections[0].isuer: unknown key, did you mean 'issuer'?",
        ),
        (
            {"organizations": [{"organization_slug": "a", "trusted_metadata": {"since": date(2026, 1, 1)}}]},
            "organizations[0]: Object of type date is not JSON serializable",
        ),
        (
            {
                "organizations": [
                    {
                        "organization_slug": "a",
                        "members": [{"sessions": [{"session_jwt": "j"}, {"session_jwt": "j"}]}],
                    }
                ]
            },
            "organizations[0]: UNIQUE constraint failed: sessions.session_jwt",
        ),
        ({"projects": [{"project_id": "project-test-x"}]}, "projects[0].secret: expected a string"),
        ({"discovery": [{"issuer": "x", "document": []}]}, "discovery[0].document: expected a mapping"),
        ({"identity_providers": [{"clients": {}}]}, "identity_providers[0].name: expected a string"),
    ],
)
def test_an_invalid_seed_names_the_place_and_stores_nothing(
    emulator: Emulator, document: dict[str, Any], message: str
) -> None:
    before = [emulator.organization("acme"), emulator.context.state.age()]
    with pytest.raises(SeedError) as raised:
        emulator.seed(document)
    assert message in str(raised.value)
    assert [emulator.organization("acme"), emulator.context.state.age()] == before


@pytest.mark.parametrize("text", ["a: [", "just text", "\x00"])
def test_an_unreadable_seed_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SeedError):
        read_seed(path)


def test_a_missing_seed_file(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="cannot read seed"):
        read_seed(tmp_path / "nothing.yaml")


def test_a_state_file_survives_a_restart(tmp_path: Path, seed: Path) -> None:
    settings = EmulatorSettings(state=tmp_path / "state.sqlite", seed=seed)
    first = Emulator(settings)
    created = call(first, "POST", "/v1/b2b/sso/oidc/acme", json={"display_name": "Kept"}).json()
    before = (first.organization("acme"), first.connections("acme"))
    first.close()
    second = Emulator(settings)
    assert (second.organization("acme"), second.connections("acme")) == before
    assert second.connection(created["connection"]["connection_id"])["display_name"] == "Kept"
    second.close()


def test_a_file_that_is_not_a_state_file(tmp_path: Path) -> None:
    text_file = tmp_path / "other"
    text_file.write_text("no database " * 100, encoding="utf-8")
    for path in (text_file, tmp_path, tmp_path / "nowhere" / "state"):
        with pytest.raises(StateError, match=r"cannot (open|use) state"):
            Emulator(EmulatorSettings(state=path))


def test_an_invalid_seed_file_stops_the_emulator(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text("organisations: []", encoding="utf-8")
    with pytest.raises(SeedError, match="did you mean 'organizations'"):
        Emulator(EmulatorSettings(seed=path))


def test_urls_contain_a_given_id(emulator: Emulator) -> None:
    for kind, name in {"oidc": "redirect_url", "saml": "acs_url"}.items():
        connection_id = f"{kind}-connection-test-mine"
        connection = emulator.add_connection("acme", kind, connection_id=connection_id)
        assert connection[name] == f"https://test.stytch.com/v1/b2b/sso/callback/{connection_id}"


def test_ids_are_repeatable_under_a_seed_and_never_repeat_in_a_state(tmp_path: Path) -> None:
    def ids(path: Path) -> list[str]:
        emulator = Emulator(EmulatorSettings(state=path, random_seed=1))
        made = emulator.add_organization(f"org-{emulator.context.state.age()}")["organization_id"]
        created = [made, *(emulator.add_connection(made)["connection_id"] for _ in range(3))]
        emulator.close()
        return created

    first, again = ids(tmp_path / "a"), ids(tmp_path / "b")
    assert first == again
    assert len({*first, *ids(tmp_path / "a")}) == 8


def test_ids_are_random_without_a_seed(make_emulator: Callable[..., Emulator]) -> None:
    ids = {make_emulator().add_organization("acme")["organization_id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_failed_write_leaves_nothing_behind(emulator: Emulator) -> None:
    def add_and_fail() -> None:
        with emulator.context.state.transaction():
            emulator.add_connection("acme")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_fail()
    assert emulator.connections("acme") == ()


def test_secrets_stay_out_of_the_settings_repr() -> None:
    settings = EmulatorSettings(
        project=Project("project-test-1", "secret-test-hidden", "public-token-test-1")
    )
    assert "hidden" not in repr(settings)
