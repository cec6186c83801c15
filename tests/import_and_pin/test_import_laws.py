"""Properties that hold for every import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.planner import Choices, plan_organization
from reconciler.core.secret import Secret, SecretReference
from reconciler.core.state import LiveOrganization, Organization
from reconciler.manifests import Defaults, Project
from reconciler.manifests.export import WrittenManifest, reparse, write_manifest
from reconciler.manifests.export_names import VariableNames
from reconciler.secrets import SecretPolicy
from reconciler.workflow.existing_manifests import ExistingManifests, OrganizationNames
from reconciler.workflow.import_ import why_not_importable
from tests.import_and_pin.strategies import SECRETS, organizations, pending
from tests.support.generated import examples

if TYPE_CHECKING:
    import random as random_module

many = examples(100)
ROOT = Path("/nowhere")


def project(*allow: str, prune: bool = False) -> Project:
    policy = SecretPolicy(root=ROOT, env_allow=allow or ("*",))
    return Project(directory=ROOT, root=ROOT, secret_policy=policy, defaults=Defaults(prune=prune))


def write(live: LiveOrganization, prune: bool = False) -> WrittenManifest:
    reference = OrganizationNames.among([live.organization], ExistingManifests()).choose(live.organization)
    return write_manifest(live, reference, VariableNames(project().secret_policy), prunes=prune)


@many
@given(organizations(), st.booleans())
def test_the_plan_right_after_an_import_is_empty(live: LiveOrganization, prune: bool) -> None:
    manifest = write(live, prune)
    declared = reparse(manifest.text, project(prune=prune))
    assert not isinstance(declared, str), declared
    without = plan_organization(declared, live, Choices(secrets={}, compares_secrets=False))
    secrets = {}
    for declared_connection in declared.connections:
        live_connection = live.connection(declared_connection.connection.connection_id or "")
        assert live_connection is not None
        if isinstance(declared_connection.connection.client_secret, SecretReference):
            assert isinstance(live_connection.client_secret, Secret)
            secrets[declared_connection.connection.client_secret] = live_connection.client_secret
    with_secrets = plan_organization(declared, live, Choices(secrets=secrets))
    for plan in (without, with_secrets):
        assert not plan.is_refused
        assert not plan.changes
    assert why_not_importable(manifest.text, live, project(prune=prune)) is None


@many
@given(organizations())
def test_everything_live_is_declared_or_named(live: LiveOrganization) -> None:
    manifest = write(live)
    declared = reparse(manifest.text, project())
    assert not isinstance(declared, str)
    pins = {connection.connection.connection_id for connection in declared.connections}
    for connection in live.connections:
        assert (connection.connection_id in pins) is not connection.is_unconfigured
        assert connection.connection_id in pins or any(
            str(connection.connection_id) in said for said in manifest.remarks
        )
    assert manifest.connections == len(pins)
    assert sum("never touched" in remark for remark in manifest.remarks) >= len(live.other_connections)
    assert declared.organization_id == live.organization.organization_id


@many
@given(organizations())
def test_no_secret_is_ever_written(live: LiveOrganization) -> None:
    canary = "canary-8f3"
    changed = tuple(
        connection
        if connection.is_unconfigured
        else replace(connection, client_secret=Secret(f"{canary}-{number}"))
        for number, connection in enumerate(live.connections)
    )
    manifest = write(replace(live, connections=changed))
    assert canary not in manifest.text
    assert canary not in repr(manifest)
    assert len({variable.name for variable in manifest.variables}) == len(manifest.variables)


@many
@given(organizations(), st.randoms())
def test_the_order_of_the_list_does_not_matter(live: LiveOrganization, random: random_module.Random) -> None:
    shuffled = list(live.connections)
    random.shuffle(shuffled)
    declared = [
        reparse(write(state).text, project()) for state in (live, replace(live, connections=tuple(shuffled)))
    ]
    assert declared[0] == declared[1]


@many
@given(organizations())
def test_a_manifest_is_printable_text(live: LiveOrganization) -> None:
    text = write(live).text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "secret", [secret for secret in SECRETS if secret and "\0" not in secret and "\ud800" not in secret]
)
def test_every_secret_that_a_variable_can_hold_is_referred_to(secret: str) -> None:
    assert Secret(secret).fits_a_variable


def test_a_manifest_that_differs_from_live_is_not_importable() -> None:
    """The last guard: nothing is written that a plan would act upon, whatever put it together."""
    live = LiveOrganization(
        organization=Organization(organization_id="organization-test-1", slug="acme"),
        connections=(
            pending(connection_id="oidc-connection-test-1", display_name="a", issuer="https://a.example"),
        ),
    )
    head = "organization: acme\nconnections:\n"
    for text, reason in (
        (head + "  b: {issuer: 'https://b.example'}\n", "would change acme/b"),
        (head + "  b: {connection_id: oidc-connection-test-2}\n", "would be refused: acme/b is pinned to"),
        (head + "  b: {issuer: nonsense}\n", "would not be valid: `issuer` is not a URL"),
        (head + "  b: {}\n---\norganization: other\n", "would not be valid: it has more than one document"),
    ):
        assert reason in str(why_not_importable(text, live, project()))


def test_an_id_that_cannot_be_pinned_is_left_alone() -> None:
    live = LiveOrganization(
        organization=Organization(organization_id="organization-test-1", slug="acme"),
        connections=(pending(connection_id="strange/id", display_name="a", issuer="https://a.example"),),
    )
    manifest = write(live)
    assert manifest.connections == 0
    assert "its ID cannot be pinned" in manifest.text
