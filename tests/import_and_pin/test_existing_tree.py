"""Importing into a project with manifests: missing ones are added, nothing is overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


@pytest.fixture
def acme(place: Workplace) -> Workplace:
    place.add_organization("acme", "Okta", "Entra", organization_external_id="crm|7")
    return place


def test_an_existing_manifest_is_kept_and_a_suggestion_is_printed(acme: Workplace) -> None:
    manifest = acme.write("organizations/mine.yaml", "organization: acme\nconnections:\n  Okta: {}\n")
    before = manifest.read_bytes()
    imported = acme.run("import", "--all")
    assert imported.code == 0
    assert manifest.read_bytes() == before
    assert [path.name for path in manifest.parent.iterdir()] == ["mine.yaml"]
    assert "organizations/mine.yaml: kept unchanged (acme)" in imported.out
    assert "not pinned: Okta; `reconciler pin` writes the ids" in imported.out
    entra = acme.live("acme")[1]["connection_id"]
    assert f"        connection_id: {entra}" in imported.out.splitlines()
    assert "      entra:" in imported.out.splitlines()


def test_the_suggestion_can_be_pasted(acme: Workplace) -> None:
    manifest = acme.write(
        "organizations/mine.yaml", "organization: acme\nconnections:\n  entra: {display_name: Okta}\n"
    )
    imported = acme.run("import", "acme", "--format", "json")
    (organization,) = imported.document["organizations"]
    pasted = "".join(f"  {line}\n" for line in organization["suggestion"].splitlines())
    manifest.write_text(manifest.read_text() + pasted)
    planned = acme.run("plan", "--no-secrets", "--detailed-exitcode")
    assert (planned.code, NO_CHANGES in planned.out) == (0, True), planned.output
    assert "Unmanaged" not in planned.out


@pytest.mark.parametrize("reference", ["acme", "crm|7", "the id"])
def test_a_manifest_is_found_by_every_name_of_its_organization(acme: Workplace, reference: str) -> None:
    name = acme.emulator.organization("acme")["organization_id"] if reference == "the id" else reference
    acme.write("organizations/mine.yaml", f"organization: '{name}'\n")
    assert acme.run("import", "--all", "--format", "json").document["summary"]["kept"] == 1


def test_a_name_of_another_manifest_is_not_reused(acme: Workplace) -> None:
    """The manifest is pinned to the organization that was called acme before."""
    acme.emulator.add_organization("acme-old")
    old = acme.emulator.organization("acme-old")["organization_id"]
    acme.write("organizations/mine.yaml", f"organization: acme\norganization_id: {old}\n")
    imported = acme.run("import", "acme", "--format", "json")
    (organization,) = imported.document["organizations"]
    assert organization["status"] == "created"
    assert organization["organization"] == acme.emulator.organization("acme")["organization_id"]
    assert acme.run("validate").code == 0


def test_an_existing_file_is_never_overwritten(acme: Workplace) -> None:
    foreign = acme.write("organizations/ACME.yaml", "# nothing yet\n")
    imported = acme.run("import", "acme")
    assert imported.code == 0
    assert foreign.read_text() == "# nothing yet\n"
    assert sorted(path.suffix for path in foreign.parent.iterdir()) == [".yaml", ".yaml"]
    assert len({path.name.casefold() for path in foreign.parent.iterdir()}) == 2


def test_a_manifest_that_nobody_can_tell_of_stops_the_import_of_all_before_anything_is_read(
    acme: Workplace,
) -> None:
    acme.write("organizations/broken.yaml", "organization: [\n")
    imported = acme.run("import", "--all")
    assert imported.code == 1
    assert "organizations/broken.yaml" in imported.out
    assert not (acme.root / "organizations/acme.yaml").exists()
    assert not acme.emulator.request_log.entries


def test_variables_are_only_added_to_the_env_example(acme: Workplace) -> None:
    listed = acme.write(".env.example", "# ours\nexport ACME_ENTRA_CLIENT_SECRET=fake\r\nOTHER=1")
    before = listed.read_bytes()
    imported = acme.run("import", "acme", "--format", "json")
    assert imported.document["variables"] == ["ACME_OKTA_CLIENT_SECRET"]
    after = listed.read_bytes()
    assert after.startswith(before)
    assert after.endswith(b"ACME_OKTA_CLIENT_SECRET=\r\n")
    acme.run("import", "acme")
    assert listed.read_bytes() == after


def test_two_addresses_get_two_variables(place: Workplace) -> None:
    for slug in ("a.b-x", "a-b-x", "a-x"):
        place.emulator.add_organization(slug)
        place.emulator.add_connection(slug, **okta("c"))
    imported = place.run("import", "--all", "--format", "json")
    assert imported.document["variables"] == [
        "A_B_X_C_CLIENT_SECRET",
        "A_X_C_CLIENT_SECRET",
        "A_B_X_C_2_CLIENT_SECRET",
    ]


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        ("*_CLIENT_SECRET", "ACME_OKTA_CLIENT_SECRET"),
        ("OIDC_*", "OIDC_ACME_OKTA_CLIENT_SECRET"),
        ("SSO_*_KEY", "SSO_ACME_OKTA_CLIENT_SECRET_KEY"),
        ("ONLY_THIS_ONE", None),
    ],
)
def test_variables_have_names_that_the_project_permits(
    acme: Workplace, allow: str, expected: str | None
) -> None:
    acme.write("reconciler.yaml", f"secrets: {{env: {{allow: ['{allow}']}}}}\n")
    imported = acme.run("import", "acme")
    assert imported.code == 0
    text = (acme.root / "organizations/acme.yaml").read_text()
    if expected is None:
        assert "client_secret:" not in text
        assert "permits no fitting reference (secrets.env)" in imported.out
    else:
        assert f"client_secret: ${{env:{expected}}}" in text
    assert acme.run("plan", "--no-secrets", "--detailed-exitcode").code == 0


def test_a_folder_outside_the_globs_is_a_warning(acme: Workplace) -> None:
    imported = acme.run("import", "acme", "--into", "elsewhere")
    assert imported.code == 0
    assert "`reconciler plan` does not look for manifests in elsewhere" in imported.out
    assert "[manifests-not-found]" in imported.out
    assert acme.run("plan", "elsewhere", "--no-secrets", "--detailed-exitcode").code == 0


def test_new_manifests_go_into_the_folder_of_the_globs(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "organizations: [tenants/eu/*.yaml]\n")
    acme.run("import", "acme")
    assert (acme.root / "tenants/eu/acme.yaml").is_file()


def test_connections_that_cannot_be_declared_are_not_pruned(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "defaults: {prune: true}\n")
    acme.emulator.add_connection("acme", display_name="half done")
    acme.run("import", "acme")
    planned = acme.run("plan", "--no-secrets", "--detailed-exitcode")
    assert (planned.code, NO_CHANGES in planned.out) == (0, True), planned.output


@pytest.mark.parametrize("words", [(), ("acme", "--all")])
def test_organizations_and_all_exclude_each_other(acme: Workplace, words: tuple[str, ...]) -> None:
    run = acme.run("import", *words)
    assert run.code == 1
    assert "name organizations, or use --all" in run.err


def test_an_unknown_organization_does_not_stop_the_others(acme: Workplace) -> None:
    imported = acme.run("import", "acme", "nobody", "--format", "json")
    assert imported.code == 1
    assert imported.document["summary"]["imported"] == 1
    (diagnostic,) = imported.document["diagnostics"]
    assert diagnostic["summary"].startswith("organization nobody was not imported: ")
    assert imported.document["errored"] is True


def test_a_members_session_imports_its_own_organization(acme: Workplace) -> None:
    session = acme.emulator.add_session("acme", "stytch_admin")
    for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
        acme.delenv(name)
    acme.setenv("STYTCH_PUBLIC_TOKEN", acme.emulator.settings.project.public_token)
    acme.setenv("STYTCH_SESSION_TOKEN", session["session_token"])
    acme.emulator.add_organization("globex")
    imported = acme.run("import", "--all", "--format", "json")
    assert imported.code == 0, imported.err
    assert [organization["organization"] for organization in imported.document["organizations"]] == ["acme"]
    assert acme.run("pin", "--check").code == 0
    assert acme.run("plan", "--no-secrets", "--detailed-exitcode").code == 0


def test_a_manifest_that_is_too_large_is_not_written(acme: Workplace) -> None:
    acme.emulator.add_connection(
        "acme", **okta("Big", attribute_mapping={f"a{n}": "x" * 2000 for n in range(600)})
    )
    imported = acme.run("import", "acme")
    assert imported.code == 1
    assert "its manifest would not be valid: it is larger than 1,048,576 bytes" in imported.out
    assert not (acme.root / "organizations").exists()


def test_an_unreadable_env_example_is_an_error(acme: Workplace) -> None:
    (acme.root / ".env.example").write_bytes(b"\xff\xfe")
    imported = acme.run("import", "acme")
    assert imported.code == 1
    assert ".env.example, so no variable was added to it" in imported.err
    assert (acme.root / "organizations/acme.yaml").is_file()
