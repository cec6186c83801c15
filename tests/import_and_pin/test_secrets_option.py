"""`import --secrets`: secrets are referred to by variables, by a template, or left unmanaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.import_and_pin.estate import fill
from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

ACME = "organizations/acme.yaml"


@pytest.fixture
def acme(place: Workplace) -> Workplace:
    place.emulator.add_organization("acme")
    place.emulator.add_connection("acme", **okta("Okta"))
    place.emulator.add_connection("acme", **okta("Okta 2", client_id="second"))
    return place


def references(place: Workplace, file: str = ACME) -> list[str | None]:
    document = yaml.safe_load((place.root / file).read_text())
    return [connection.get("client_secret") for connection in document["connections"].values()]


def test_three_hundred_organizations_need_no_variable(place: Workplace) -> None:
    """An estate in every shape: the plan is empty, nothing is written, and no variable is needed."""
    fill(place.emulator, 300)
    imported = place.run("import", "--all", "--secrets", "none", "--format", "json")
    assert imported.code == 0, imported.err
    assert imported.document["summary"]["imported"] == 300
    assert imported.document["unmanaged_secrets"] > 200
    assert imported.document["variables"] == []
    assert not (place.root / ".env.example").exists()
    planned = place.run("plan", "--detailed-exitcode")
    assert (planned.code, NO_CHANGES in planned.out) == (0, True), planned.output
    assert place.run("secrets", "check").out == "0 secret references resolved.\n"
    assert place.run("drift", "--format", "json").document["complete"] is True
    assert not place.emulator.request_log.writes


def test_a_secret_is_connected_by_removing_a_comment(acme: Workplace) -> None:
    acme.run("import", "acme", "--secrets", "none")
    assert references(acme) == [None, None]
    manifest = acme.root / ACME
    text = manifest.read_text()
    assert text.count("# client_secret: ") == 2
    manifest.write_text(text.replace("# client_secret: ", "client_secret: ", 1))
    assert references(acme) == ["${env:ACME_OKTA_CLIENT_SECRET}", None]
    assert "${env:ACME_OKTA_CLIENT_SECRET} cannot be resolved" in acme.run("plan").output
    acme.setenv("ACME_OKTA_CLIENT_SECRET", okta("Okta")["client_secret"])
    assert NO_CHANGES in acme.run("plan").out
    acme.setenv("ACME_OKTA_CLIENT_SECRET", "rotated-value")
    planned = acme.run("plan")
    assert "~ client_secret" in planned.out
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in planned.out


def test_importing_again_leaves_unmanaged_secrets_alone(acme: Workplace) -> None:
    acme.run("import", "acme", "--secrets", "none")
    before = (acme.root / ACME).read_bytes()
    again = acme.run("import", "--all", "--secrets", "none")
    assert again.code == 0
    assert "client_secret" not in again.out
    assert (acme.root / ACME).read_bytes() == before


def test_a_reference_that_is_not_permitted_is_not_suggested(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "secrets: {env: {allow: []}}")
    imported = acme.run("import", "acme", "--secrets", "none")
    assert imported.code == 0
    assert "client_secret:" not in (acme.root / ACME).read_text()


def test_a_template_names_files(acme: Workplace) -> None:
    imported = acme.run("import", "acme", "--secrets", "file:secrets/{organization}/{connection}")
    assert imported.code == 0, imported.output
    assert references(acme) == ["${file:secrets/acme/okta}", "${file:secrets/acme/okta-2}"]
    assert not (acme.root / ".env.example").exists()
    acme.write("secrets/acme/okta", okta("Okta")["client_secret"])
    acme.write("secrets/acme/okta-2", okta("Okta 2")["client_secret"])
    assert NO_CHANGES in acme.run("plan").out


def test_a_template_names_variables(acme: Workplace) -> None:
    template = "env:SSO_{organization}_{connection}_CLIENT_SECRET"
    assert acme.run("import", "acme", "--secrets", template).code == 0
    names = ["SSO_ACME_OKTA_CLIENT_SECRET", "SSO_ACME_OKTA_2_CLIENT_SECRET"]
    assert references(acme) == [f"${{env:{name}}}" for name in names]
    example = (acme.root / ".env.example").read_text()
    assert all(f"\n{name}=\n" in example for name in names)


def test_names_that_are_no_paths_are_made_ones_and_share_no_file(place: Workplace) -> None:
    """A live name cannot lead out of the folder that the template names, nor to another's secret."""
    for slug in (".hidden", "hidden"):
        place.emulator.add_organization(slug)
        place.emulator.add_connection(slug, **okta("../../etc"))
    imported = place.run("import", "--all", "--secrets", "file:secrets/{organization}/{connection}")
    assert imported.code == 0, imported.output
    files = sorted((place.root / "organizations").iterdir())
    assert [references(place, f"organizations/{file.name}") for file in files] == [
        ["${file:secrets/hidden/etc}"],
        [None],
    ]
    assert "hidden/etc: client_secret is not declared" in imported.out


def test_a_template_that_the_project_does_not_permit_is_left_out(acme: Workplace) -> None:
    imported = acme.run("import", "acme", "--secrets", "env:{organization}_{connection}")
    assert imported.code == 0
    assert references(acme) == [None, None]
    assert "acme/okta: client_secret is not declared" in imported.out
    assert "secrets.env" in imported.out


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("all", "unknown --secrets 'all'; known: env, none, env:TEMPLATE, file:TEMPLATE, age:"),
        ("vualt:x/{organization}/{connection}", "unknown --secrets 'vualt:x/{organization}/{connection}'"),
        ("file:", "unknown --secrets 'file:'"),
        ("file:secrets/{organization}", "lacks {connection}: connections would share one secret"),
        ("env:X_CLIENT_SECRET", "lacks {organization} and {connection}"),
        ("vault:sso/{org}/{organization}#{connection}", "{connection} are the only placeholders; write for"),
        ("file:${HOME}/{organization}/{connection}", "{connection} are the only placeholders"),
        ("vault:sso/{organization}/{connection}", "write ${vault:PATH#KEY}, with exactly one `#`"),
        ("age:{organization}.age#x#{connection}", "with exactly one `#`"),
        ("keyring:sso-{organization}-{connection}", "write ${keyring:SERVICE/USER}"),
        ("aws-sm:../{organization}#{connection}", "empty segments are not allowed"),
        ("aws-sm:{organization}%2f#{connection}", "`%` and `\\` are not allowed in it"),
        ("vault:sso//{organization}#{connection}", "empty segments are not allowed"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_read(acme: Workplace, value: str, message: str) -> None:
    run = acme.run("import", "--all", "--secrets", value)
    assert (run.code, run.out) == (1, "")
    assert message in run.err
    assert not acme.emulator.request_log.entries
    assert not (acme.root / "organizations").exists()


SCHEMES = {
    "age": "secrets/{organization}.age#{connection}",
    "vault": "sso/{organization}#{connection}",
    "aws-sm": "sso/{organization}#{connection}",
    "keyring": "sso/{organization}/{connection}",
}


@pytest.mark.parametrize("scheme", ["vault", "aws-sm", "keyring"])
def test_a_template_names_secrets_in_a_store(acme: Workplace, scheme: str) -> None:
    """The glob that permits them is the template itself, as the error about a missing one says."""
    template = SCHEMES[scheme]
    refused = acme.run("import", "--all", "--secrets", f"{scheme}:{template}")
    add = f'secrets: {{{scheme}: {{allow: ["{template}"]}}}}'
    assert (refused.code, refused.out) == (1, "")
    assert f"the project file permits no secret of the scheme {scheme}: add {add}" in refused.err
    assert not acme.emulator.request_log.entries
    acme.write("reconciler.yaml", add)
    imported = acme.run("import", "--all", "--secrets", f"{scheme}:{template}")
    assert imported.code == 0, imported.output
    written = template.replace("{organization}", "acme")
    assert references(acme) == [
        f"${{{scheme}:{written.replace('{connection}', name)}}}" for name in ("okta", "okta-2")
    ]
    assert not (acme.root / ".env.example").exists()
    assert "Next: set or store the secrets that `reconciler secrets check` names as missing." in imported.out
    assert acme.run("secrets", "check").code == 1
    assert acme.run("validate").code == 0


def test_a_reference_that_the_allow_list_does_not_permit_is_not_written(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "secrets: {vault: {allow: ['sso/{organization}#okta']}}")
    imported = acme.run("import", "--all", "--secrets", "vault:sso/{organization}#{connection}")
    assert imported.code == 0, imported.output
    assert references(acme) == ["${vault:sso/acme#okta}", None]
    assert "acme/okta-2: client_secret is not declared: secrets.vault.allow permits" in imported.out


@pytest.mark.parametrize("slug", ["a/../globex", "acme#x", "ac me", "ac*me", "a%2fb", "a{b"])
def test_a_slug_that_is_no_name_stands_in_no_reference(place: Workplace, slug: str) -> None:
    place.write("reconciler.yaml", "secrets: {vault: {allow: ['*']}}")
    organization = place.emulator.add_organization(slug)["organization_id"]
    place.emulator.add_connection(slug, **okta("Okta"))
    assert place.run("import", "--all", "--secrets", "vault:sso/{organization}#{connection}").code == 0
    (file,) = (place.root / "organizations").iterdir()
    assert references(place, f"organizations/{file.name}") == [f"${{vault:sso/{organization}#okta}}"]


@pytest.mark.parametrize("slug", ["..", "..."])
def test_a_name_that_a_template_cannot_hold_is_told(place: Workplace, slug: str) -> None:
    place.write("reconciler.yaml", "secrets: {vault: {allow: ['*']}}")
    place.emulator.add_organization(slug)
    place.emulator.add_connection(slug, **okta("Okta"))
    imported = place.run("import", "--all", "--secrets", "vault:sso/{organization}#{connection}")
    (file,) = (place.root / "organizations").iterdir()
    assert references(place, f"organizations/{file.name}") == [None]
    assert f"a template cannot hold '{slug}'; write its reference by hand" in imported.out


def test_a_template_that_can_be_no_glob_is_told(acme: Workplace) -> None:
    refused = acme.run("import", "--all", "--secrets", "keyring:sso/{organization}-{connection}")
    assert refused.code == 1
    assert (
        "add a glob to secrets.keyring.allow; the template itself cannot be one: a `/` or `#`" in refused.err
    )


def test_two_connections_never_share_a_reference(place: Workplace) -> None:
    place.write("reconciler.yaml", "secrets: {keyring: {allow: ['sso/*']}}")
    for slug, name in (("aa", "b c"), ("aa-b", "c")):
        place.emulator.add_organization(slug)
        place.emulator.add_connection(slug, **okta(name))
    imported = place.run("import", "--all", "--secrets", "keyring:sso/{organization}-{connection}")
    written = [references(place, f"organizations/{slug}.yaml") for slug in ("aa", "aa-b")]
    assert written == [["${keyring:sso/aa-b-c}"], [None]]
    assert "another connection has the same reference" in imported.out


def test_variables_follow_an_allow_list_with_names(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "secrets: {env: {allow: ['{organization}__*_CLIENT_SECRET']}}")
    assert acme.run("import", "acme").code == 0
    assert references(acme) == ["${env:ACME__OKTA_CLIENT_SECRET}", "${env:ACME__OKTA_2_CLIENT_SECRET}"]
    assert acme.run("validate").code == 0
