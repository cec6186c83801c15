"""A run that reads only some manifests never deletes what others declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

FIRST = """\
    organization: {}
    prune: true
    connections:
      a: {{issuer: "https://a.example.com", client_id: a}}
"""
SECOND = """\
    organization: {}
    connections:
      b: {{issuer: "https://b.example.com", client_id: b}}
"""


@pytest.fixture
def shared(bare: Workplace, running: object) -> Workplace:
    """Two documents for one organization, of which one prunes; both connections are live."""
    bare.use(running)  # type: ignore[arg-type]  # the emulator of the fixture
    bare.emulator.add_organization("acme", organization_external_id="acme-ext")
    for name in "ab":
        issuer = f"https://{name}.example.com"
        bare.emulator.add_connection("acme", display_name=name, issuer=issuer, client_id=name)
    bare.write("organizations/a.yaml", FIRST.format("acme"))
    return bare


def refused(place: Workplace, *words: str) -> str:
    run = place.run(*words)
    assert run.code == 1, run.output
    assert len(place.emulator.oidc_connections("acme")) == 2
    assert not place.emulator.request_log.writes
    return run.output


@pytest.mark.parametrize("name", ["acme", "acme-ext"])
@pytest.mark.parametrize("words", [("organizations/a.yaml",), ("--target", "acme/*"), ("--shard", "1/1")])
def test_prune_checks_documents_outside_the_selection(
    shared: Workplace, words: tuple[str, ...], name: str
) -> None:
    shared.write("organizations/b.yaml", SECOND.format(name))
    said = refused(shared, "apply", "--auto-approve", *words)
    assert "organizations/b.yaml:1:1" in said


def test_prune_with_changed_since_checks_other_documents(shared: Workplace) -> None:
    shared.write("organizations/b.yaml", SECOND.format("acme"))
    shared.git("init", "--quiet")
    shared.commit()
    shared.write("organizations/a.yaml", FIRST.format("acme").replace("client_id: a", "client_id: other"))
    assert "organizations/b.yaml:1:1" in refused(shared, "apply", "--auto-approve", "--changed-since", "HEAD")


def test_prune_deletes_nothing_if_another_manifest_has_errors(shared: Workplace) -> None:
    shared.write("organizations/b.yaml", "    organization: [\n")
    said = refused(shared, "apply", "--auto-approve", "organizations/a.yaml")
    assert "nothing is deleted, because organizations/b.yaml cannot be read" in said


def test_prune_deletes_if_no_other_document_declares_the_organization(shared: Workplace) -> None:
    shared.write("organizations/b.yaml", SECOND.format("globex"))
    assert shared.run("apply", "--auto-approve", "organizations/a.yaml").code == 0
    assert [connection["display_name"] for connection in shared.emulator.oidc_connections("acme")] == ["a"]


@pytest.mark.parametrize("obstacle", [".git/HEAD", "PATH"])
def test_prune_deletes_nothing_if_git_fails(shared: Workplace, obstacle: str) -> None:
    shared.git("init", "--quiet")
    if obstacle == "PATH":
        shared.setenv("PATH", "/nowhere")
    else:
        shared.write(obstacle, "nonsense")
    assert "Git cannot tell" in refused(shared, "apply", "--auto-approve")


def test_a_protected_connection_that_was_renamed_in_the_dashboard_stays_protected(shared: Workplace) -> None:
    protected = FIRST.format("acme") + (
        '      b: {issuer: "https://b.example.com", client_id: b, lifecycle: {prevent_destroy: true}}\n'
    )
    shared.write("organizations/a.yaml", protected)
    shared.git("init", "--quiet")
    shared.commit()
    shared.write("organizations/a.yaml", FIRST.format("acme"))
    renamed = next(
        connection
        for connection in shared.emulator.oidc_connections("acme")
        if connection["display_name"] == "b"
    )
    shared.emulator.edit_connection(renamed["connection_id"], display_name="renamed by hand")
    assert "prevent_destroy" in refused(shared, "apply", "--auto-approve")


def test_a_target_leaves_out_warnings_about_other_organizations(
    bare: Workplace, running: RunningEmulator
) -> None:
    """They are counted; those about the organizations that the target covers are shown."""
    bare.use(running)
    for slug in ("acme", "globex", "initech"):
        bare.add_organization(slug)
        bare.declare(slug, custom_scopes="openid profile")
    run = bare.run("plan", "--target", "globex/*")
    assert run.output.count("custom_scopes does not include email") == 1
    assert "organizations/globex.yaml:" in run.output
    assert "acme" not in run.output
    assert "Warnings about manifests of other organizations, which --target leaves out: 2." in run.err
    everything = bare.run("plan")
    assert everything.output.count("custom_scopes does not include email") == 3
    assert "leaves out" not in everything.output
