"""`import --update` and `--add`: what is live is taken into manifests that exist."""

from __future__ import annotations

import json
import shlex
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

MANIFEST = """\
# The customer Acme.
organization: acme

connections:
  sso:  # the workforce
    issuer: https://acme.okta.example   # from their administrator
    client_id: "sso"
    custom_scopes:
      - openid
      - email     # needed
      - profile
      - groups
    attribute_mapping: {groups: groups}
    # nobody changes this
    client_secret: ${env:ACME_CLIENT_SECRET}
"""
ISSUER = "https://acme.okta.example"
SCOPES = "openid email profile groups"


@pytest.fixture
def acme(place: Workplace) -> Workplace:
    """One connection that is declared as it is live, in a manifest that a person wrote."""
    place.setenv("ACME_CLIENT_SECRET", "s3cr3t")
    place.add_organization("acme", "sso")
    edit(place, custom_scopes=SCOPES, client_secret="s3cr3t")
    place.write("organizations/acme.yaml", MANIFEST)
    assert is_settled(place)
    return place


def edit(place: Workplace, name: str = "sso", **fields: Any) -> None:
    place.emulator.edit_connection(live_id(place, name), **fields)


def live_id(place: Workplace, name: str = "sso") -> str:
    return next(str(live["connection_id"]) for live in place.live("acme") if live["display_name"] == name)


def text_of(place: Workplace) -> str:
    return (place.root / "organizations/acme.yaml").read_bytes().decode()


def is_settled(place: Workplace) -> bool:
    run = place.run("plan", "--detailed-exitcode")
    return run.code == 0 and NO_CHANGES in run.out


def refusal(run: CompletedRun) -> str:
    """The one line of a run that was refused."""
    assert run.code == 1
    assert run.out == ""
    (line,) = [line for line in run.err.splitlines() if line.startswith("│ Error: ")]
    return line.partition(": ")[2]


def test_a_live_edit_is_taken_over_by_place(acme: Workplace) -> None:
    edit(
        acme,
        issuer="https://login.acme.okta.example",
        custom_scopes="openid email profile offline_access",
        attribute_mapping={"groups": "roles", "team": "team"},
    )
    run = acme.run("import", "--update", "acme/sso")
    assert run.code == 0, run.output
    assert (
        "organizations/acme.yaml: updated (acme)\n  acme/sso: issuer, custom_scopes, attribute_mapping\n"
        in (run.out)
    )
    assert text_of(acme) == (
        MANIFEST.replace("https://acme.", "https://login.acme.")
        .replace("- groups", "- offline_access")
        .replace("{groups: groups}", "{groups: roles, team: team}")
    )
    assert is_settled(acme)


def test_without_an_address_all_manifests_are_updated(acme: Workplace) -> None:
    acme.add_organization("globex", "sso")
    acme.declare("globex", issuer=ISSUER, client_id="sso", client_secret="${env:ACME_CLIENT_SECRET}")
    acme.emulator.edit_connection(acme.live("globex")[0]["connection_id"], client_id="newer")
    edit(acme, client_id="new")
    run = acme.run("import", "--update", "--format", "json")
    assert (run.code, run.document["summary"]["updated"]) == (0, 2)
    assert [organization["updates"] for organization in run.document["organizations"]] == [
        [{"address": "acme/sso", "attribute": "client_id"}],
        [{"address": "globex/sso", "attribute": "client_id"}],
    ]
    assert acme.run("drift", "--no-secrets").code == 0


def test_only_what_is_asked_for_is_updated(acme: Workplace) -> None:
    acme.add_organization("globex", "sso")
    path = acme.declare("globex", issuer=ISSUER, client_id="sso", client_secret="${env:ACME_CLIENT_SECRET}")
    before = path.read_bytes()
    acme.emulator.edit_connection(acme.live("globex")[0]["connection_id"], client_id="new")
    edit(acme, client_id="new")
    for address in ("acme/sso", "acme/*", "acme", "a*/s*"):
        acme.write("organizations/acme.yaml", MANIFEST)
        assert acme.run("import", "--update", address).code == 0
        assert text_of(acme) == MANIFEST.replace('"sso"', '"new"')
        assert path.read_bytes() == before


def test_where_nothing_differs_nothing_is_written(acme: Workplace) -> None:
    file = acme.root / "organizations/acme.yaml"
    before = file.stat()
    run = acme.run("import", "--update", "--add")
    assert (run.code, text_of(acme)) == (0, MANIFEST)
    assert file.stat().st_ino == before.st_ino
    assert "Update complete! Values: 0 taken over." in run.out


def test_a_renamed_connection_gets_its_name(acme: Workplace) -> None:
    acme.run("pin")
    pinned = text_of(acme)
    edit(acme, display_name="Acme Workforce")
    assert acme.run("import", "--update").code == 0
    assert text_of(acme) == pinned.replace(
        "# the workforce\n", "# the workforce\n    display_name: Acme Workforce\n"
    )
    assert is_settled(acme)


def test_an_undeclared_connection_is_appended(acme: Workplace) -> None:
    acme.add_organization("acme2")
    acme.emulator.add_connection(
        "acme",
        display_name="Rogue",
        issuer="https://acme.okta.example",
        client_id="r",
        client_secret="s3cr3t",
    )
    run = acme.run("import", "--add", f"acme/{live_id(acme, 'Rogue')}")
    assert run.code == 0, run.output
    assert "  acme/rogue: added\n" in run.out
    text = text_of(acme)
    assert text.startswith(MANIFEST)
    assert text.removeprefix(MANIFEST).startswith("  rogue:\n    display_name: Rogue\n")
    assert "ACME_ROGUE_CLIENT_SECRET=" in (acme.root / ".env.example").read_text()
    acme.setenv("ACME_ROGUE_CLIENT_SECRET", "s3cr3t")
    assert is_settled(acme)
    assert acme.run("drift").code == 0


def test_update_and_add_together_without_secrets(acme: Workplace) -> None:
    acme.emulator.add_connection(
        "acme", display_name="Rogue", issuer="https://acme.okta.example", client_id="r"
    )
    edit(acme, client_id="new")
    run = acme.run("import", "--update", "--add", "--secrets", "none", "acme", "--format", "json")
    assert run.code == 0, run.output
    (organization,) = run.document["organizations"]
    assert (organization["status"], organization["added"]) == ("updated", ["acme/rogue"])
    assert not (acme.root / ".env.example").exists()
    assert is_settled(acme)


def test_the_default_connection_is_appended_as_such(acme: Workplace) -> None:
    acme.emulator.add_connection(
        "acme", display_name="Rogue", issuer="https://acme.okta.example", client_id="r"
    )
    acme.emulator.edit_organization("acme", sso_default_connection_id=live_id(acme, "Rogue"))
    acme.run("import", "--add", "--secrets", "none")
    assert text_of(acme).endswith("    default: true\n")
    assert is_settled(acme)


LEFT = {
    "a reference": (
        "issuer: ${var:issuer}  #",
        "issuer: https://acme.okta.example   #",
        "its value holds a reference",
    ),
    "a value of aliases": (
        "issuer: &issuer https://acme.okta.example\n    token_url: *issuer  #",
        "issuer: https://acme.okta.example   #",
        "it cannot be written into this block without changing something else",
    ),
    "an ignored field": (
        "lifecycle: {ignore_changes: [issuer]}\n    issuer: https://acme.okta.example  #",
        "issuer: https://acme.okta.example   #",
        "`ignore_changes` names it",
    ),
}


@pytest.mark.parametrize("reason", LEFT)
def test_what_cannot_be_replaced_is_left_and_named(acme: Workplace, reason: str) -> None:
    """A warning, and exit 0; what is beside it is taken over."""
    new, old, words = LEFT[reason]
    manifest = MANIFEST.replace(old, new)
    acme.write("organizations/acme.yaml", manifest)
    edit(acme, token_url="https://acme.okta.example")
    edit(acme, issuer="https://elsewhere.example.com", client_id="new")
    words_of_variable = ("--var", "issuer=https://acme.okta.example")
    run = acme.run("import", "--update", *words_of_variable, "--format", "json")
    assert run.code == 0, run.output
    assert text_of(acme) == manifest.replace('"sso"', '"new"')
    (warning,) = run.document["diagnostics"]
    assert (warning["severity"], warning["code"]) == ("warning", "not-updated")
    assert warning["summary"] == f"issuer of acme/sso is left as it is: {words}"


def test_a_value_that_no_manifest_can_hold_is_left(acme: Workplace) -> None:
    edit(acme, issuer="http://plain.example.com", client_id=" blank ")
    run = acme.run("import", "--update", "--format", "json")
    assert (run.code, run.codes) == (0, ["not-updated", "not-updated"])
    assert text_of(acme) == MANIFEST


def test_a_secret_is_never_taken_over(acme: Workplace) -> None:
    edit(acme, client_secret="n3w-s3cr3t", client_id="holds n3w-s3cr3t")
    run = acme.run("import", "--update")
    assert (run.code, text_of(acme)) == (0, MANIFEST)
    assert "client_id of acme/sso is left as it is: it holds the client_secret" in run.out
    assert "Secrets: not compared, and never taken over (1 connection)." in run.out
    assert "n3w-s3cr3t" not in run.output


def test_blocks_that_are_not_managed_are_left(acme: Workplace) -> None:
    acme.run("pin")
    manifest = text_of(acme).replace("    issuer:", "    state: unmanaged\n    issuer:")
    acme.write("organizations/acme.yaml", manifest)
    edit(acme, client_id="new")
    run = acme.run("import", "--update", "acme/sso", "--format", "json")
    assert (run.code, run.codes, text_of(acme)) == (0, ["not-updated"], manifest)
    assert acme.run("import", "--update", "--add", "--format", "json").document["diagnostics"] == []
    assert text_of(acme) == manifest


def test_another_default_connection_is_left_and_named(acme: Workplace) -> None:
    acme.emulator.add_connection(
        "acme", display_name="Other", issuer="https://acme.okta.example", client_id="o"
    )
    acme.emulator.edit_organization("acme", sso_default_connection_id=live_id(acme, "Other"))
    acme.write("organizations/acme.yaml", MANIFEST + "    default: true\n")
    run = acme.run("import", "--update", "acme", "--format", "json")
    assert (run.code, run.codes) == (0, ["not-updated"])
    assert "the organization's default connection is Other" in run.out
    assert text_of(acme) == MANIFEST + "    default: true\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--update", "acmee/sso"), "no manifest declares 'acmee': did you mean `acme`?"),
        (("--update", "acme/ssso"), "no connection has the address 'acme/ssso': did you mean `acme/sso`?"),
        (
            ("--add", "acme/oidc-connection-test-0"),
            "no connection has the address 'acme/oidc-connection-test-0': `reconciler list acme` lists all",
        ),
        (("--add", "globex/*"), "no manifest declares 'globex': `reconciler import globex` writes one"),
        (
            ("--update", "acme/ROGUE"),
            "no manifest declares 'acme/ROGUE': `--add` appends undeclared connections",
        ),
    ],
    ids=["organization", "connection", "id", "unknown", "undeclared"],
)
def test_an_unknown_address_is_one_clear_line(acme: Workplace, words: tuple[str, ...], message: str) -> None:
    acme.emulator.add_connection("acme", display_name="Rogue")
    rogue = live_id(acme, "Rogue")
    run = acme.run("import", *(word.replace("ROGUE", rogue) for word in words))
    assert refusal(run).startswith(message.replace("ROGUE", rogue))
    assert text_of(acme) == MANIFEST


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_connection_that_no_longer_exists_is_one_clear_line(acme: Workplace, is_pinned: bool) -> None:
    if is_pinned:
        acme.run("pin")
    before = text_of(acme)
    acme.emulator.remove_connection(live_id(acme))
    run = acme.run("import", "--update", "acme/sso", "--format", "json")
    assert (run.code, run.codes, text_of(acme)) == (1, ["nothing-live"], before)
    assert run.document["diagnostics"][0]["summary"].startswith("acme/sso does not exist")


def test_an_ambiguous_connection_stops_its_organization_only(acme: Workplace) -> None:
    acme.add_organization("globex", "sso")
    acme.declare("globex", issuer=ISSUER, client_id="sso", client_secret="${env:ACME_CLIENT_SECRET}")
    acme.emulator.edit_connection(acme.live("globex")[0]["connection_id"], client_id="new")
    acme.emulator.add_connection(
        "acme", display_name="sso", issuer="https://acme.okta.example", client_id="t"
    )
    edit(acme, client_id="new")
    run = acme.run("import", "--update", "--add", "--format", "json")
    assert (run.code, run.codes) == (1, ["ambiguous-match"])
    assert text_of(acme) == MANIFEST
    assert '"client_id": "new"' in (acme.root / "organizations/globex.yaml").read_text()


def test_a_broken_manifest_stops_only_itself(acme: Workplace) -> None:
    acme.write("organizations/broken.yaml", "organization: broken\nconnections: []\n")
    edit(acme, client_id="new")
    assert acme.run("import", "--update", "acme/sso").code == 0
    assert text_of(acme) == MANIFEST.replace('"sso"', '"new"')
    assert acme.run("import", "--update").code == 1
    assert acme.run("import", "--update", "broken/sso").code == 1


def test_a_file_that_changes_meanwhile_is_left(acme: Workplace) -> None:
    edit(acme, client_id="new")
    acme.emulator.request_log.clear()
    acme.emulator.add_fault("list-connections:latency:seconds=1")
    process = acme.start("import", "--update")
    while not acme.emulator.request_log:
        time.sleep(0.01)
    changed = MANIFEST.replace("https://acme.", "https://login.acme.")
    acme.write("organizations/acme.yaml", changed)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "organizations/acme.yaml was changed during the run: run it again" in err
    assert text_of(acme) == changed


@pytest.mark.parametrize("words", [("--all",), ("--into", "x")])
def test_options_for_new_manifests_are_refused(acme: Workplace, words: tuple[str, ...]) -> None:
    run = acme.run("import", "--update", *words)
    assert refusal(run).startswith("--update and --add edit existing manifests: omit --all and --into")


def test_secrets_without_connections_to_add_are_refused(acme: Workplace) -> None:
    """An option without an effect is an error."""
    run = acme.run("import", "--update", "--secrets", "none")
    assert refusal(run).startswith("--update takes over no secret: omit --secrets, or use --add as well")
    assert acme.run("import", "--update", "--add", "--secrets", "none").code == 0


def test_the_failure_document_is_whole(acme: Workplace) -> None:
    run = acme.run("import", "--update", "nobody", "--format", "json")
    assert run.code == 1
    assert json.loads(run.out)["errored"] is True


def test_the_commands_of_the_drift_report_accept_what_is_live(acme: Workplace) -> None:
    """What differs, what is undeclared, and an organization that no manifest names."""
    acme.write("reconciler.yaml", "drift: {unknown_organizations: drift}\n")
    edit(acme, client_id="new", attribute_mapping={"groups": "roles"})
    acme.emulator.add_connection("acme", **okta("Rogue", client_id="rogue", issuer=ISSUER))
    acme.add_organization("globex")
    acme.emulator.add_connection("globex", **okta("Okta", client_id="globex"))
    findings = acme.run("drift", "--format", "json").document["findings"]
    commands = {finding["accept"]: None for finding in findings if finding["accept"]}
    assert [command.split()[:3] for command in commands] == [
        ["reconciler", "import", "--update"],
        ["reconciler", "import", "--add"],
        ["reconciler", "import", "globex"],
    ]
    for command in commands:
        assert f"# to accept what is live: {command}\n" in acme.run("drift", "--no-secrets").out
        assert acme.run(*shlex.split(command)[1:]).code == 0
    run = acme.run("drift", "--no-secrets", "--format", "json")
    assert [finding["kind"] for finding in run.document["findings"] if finding["kind"] != "risk"] == []


def test_a_connection_that_was_never_configured_is_not_appended(acme: Workplace) -> None:
    rogue = acme.emulator.add_connection("acme", display_name="Rogue")
    run = acme.run("import", "--add", f"acme/{rogue['connection_id']}", "--format", "json")
    assert (run.code, run.codes, text_of(acme)) == (0, ["not-updated"], MANIFEST)
    assert run.document["diagnostics"][0]["summary"].endswith("is not added: pending and never configured")


def test_an_organization_that_cannot_be_read_stops_only_itself(acme: Workplace) -> None:
    acme.add_organization("globex", "sso")
    acme.declare("globex", issuer=ISSUER, client_id="sso", client_secret="${env:ACME_CLIENT_SECRET}")
    edit(acme, client_id="new")
    globex = acme.emulator.organization("globex")["organization_id"]
    acme.emulator.add_fault(f"list-connections:organization_not_found:organization={globex}")
    run = acme.run("import", "--update", "acme/sso", "globex/sso", "--format", "json")
    assert (run.code, run.codes) == (1, ["organization-not-read"])
    assert text_of(acme) == MANIFEST.replace('"sso"', '"new"')
