"""Scenes with secrets in age files: one secret of CI for every customer, and none in pull requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyrage
import pytest

from tests.workflows.scene import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workflows.conftest import Repository
    from tests.workflows.scene import Scene

IDENTITY = pyrage.x25519.Identity.generate()
CANARY = "canary-of-age-2e81"
PER_ORGANIZATION = 10
EVERY_JOB = {"plan": "success", "apply": "success", "result": "success"}
PROJECT_FILE = """\
limits: {{requests_per_second: 1000, concurrency: 16}}
secrets:
  age:
    identity: ${{env:AGE_IDENTITY}}
    recipients: [{recipient}]
    allow: ["secrets/{{organization}}.age#*"]
"""


def declare(repository: Repository, slug: str, suffix: str = "") -> None:
    """Write the manifest of an organization, and its age file."""
    names = [f"okta-{number}" for number in range(PER_ORGANIZATION)]
    connections = {
        name: {
            "issuer": f"https://{name}.{slug}.okta.com",
            "client_id": f"client-of-{slug}-{name}",
            "client_secret": f"${{age:secrets/{slug}.age#{name}}}",
            **{
                key: f"https://{name}.{slug}.okta.com/{key}"
                for key in ("authorization_url", "token_url", "userinfo_url", "jwks_url")
            },
        }
        for name in names
    }
    manifest = {"organization": slug, "connections": connections}
    repository.write(f"organizations/{slug}.yaml", json.dumps(manifest, indent=2))
    secrets = json.dumps({name: f"{CANARY}-{slug}-{name}{suffix}" for name in names}).encode()
    encrypted = pyrage.encrypt(secrets, [IDENTITY.to_public()], armored=True)
    repository.write(f"secrets/{slug}.age", encrypted.decode())


@pytest.fixture
def secure(scene: Scene) -> Iterator[Scene]:
    """The workflows with the lines that the page tells to change. In the end, no secret is left behind."""
    repository = scene.repository
    repository.write("reconciler.yaml", PROJECT_FILE.format(recipient=IDENTITY.to_public()))
    for slug in ("acme", "globex"):
        declare(repository, slug)
    apply = ".github/workflows/reconciler-apply.yml"
    line = "EXAMPLE_OKTA_CLIENT_SECRET: ${{ secrets.EXAMPLE_OKTA_CLIENT_SECRET }}"
    repository.replace(apply, line, "AGE_IDENTITY: ${{ secrets.AGE_IDENTITY }}")
    repository.replace(apply, "command: install #", "command: install\n          extras: age #")
    repository.commit("age")
    del scene.runner.secrets["EXAMPLE_OKTA_CLIENT_SECRET"]
    scene.runner.secrets["AGE_IDENTITY"] = str(IDENTITY)
    yield scene
    forms = (CANARY, str(IDENTITY), str(IDENTITY).removeprefix("AGE-SECRET-KEY-1"))
    assert not [place for place, text in scene.left_behind() if any(form in text for form in forms)]


@pytest.mark.parametrize(
    "organizations", [2, pytest.param(100, marks=[pytest.mark.proofs, pytest.mark.timeout(600)])]
)
def test_one_secret_of_ci_applies_those_of_all_customers(secure: Scene, organizations: int) -> None:
    """6: an estate of hundreds of connections needs a handful of CI secrets, not one for each."""
    slugs = ["acme", "globex", *(f"customer-{number}" for number in range(organizations - 2))]
    for slug in slugs[2:]:
        secure.emulator.add_organization(slug)
        declare(secure.repository, slug)
    assert len(secure.runner.secrets) == 3
    assert results(secure.merge()) == EVERY_JOB
    live = {
        connection["client_secret"] for slug in slugs for connection in secure.emulator.oidc_connections(slug)
    }
    assert live == {f"{CANARY}-{slug}-okta-{number}" for slug in slugs for number in range(PER_ORGANIZATION)}
    assert results(secure.merge()) == EVERY_JOB | {"apply": "skipped"}


@pytest.mark.proofs
def test_a_rotated_secret_is_sent_by_hand(secure: Scene) -> None:
    secure.merge()
    declare(secure.repository, "acme", suffix="-rotated")
    secure.repository.commit("rotate")
    jobs = secure.dispatch(rotate="acme/okta-3")
    assert results(jobs)["apply"] == "success", jobs["apply"].out
    secrets = {
        connection["display_name"]: connection["client_secret"]
        for connection in secure.emulator.oidc_connections("acme")
    }
    assert secrets["okta-3"] == f"{CANARY}-acme-okta-3-rotated"
    assert secrets["okta-4"] == f"{CANARY}-acme-okta-4", "only what was asked for"


def test_a_pull_request_is_planned_without_the_identity(secure: Scene) -> None:
    secure.merge()
    secure.branch()
    secure.repository.replace("organizations/acme.yaml", "client-of-acme-okta-1", "another-client")
    jobs = secure.push()
    assert results(jobs)["plan"] == "success", jobs["plan"].out
    assert "1 to change" in secure.comments[-1]
    assert "not resolved and not compared" in secure.comments[-1]


def test_a_missing_identity_is_named_before_anything_is_written(secure: Scene) -> None:
    del secure.runner.secrets["AGE_IDENTITY"]
    jobs = secure.merge()
    assert results(jobs)["apply"] == "failure"
    assert "the environment variable AGE_IDENTITY" in jobs["apply"].out
    assert not secure.writes()
