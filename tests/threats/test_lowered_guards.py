"""A guard that is lowered is told; what decides who logs in is seen first (threats.md 1, product.md 4.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.secrets import STORES

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

SEVEN = (
    "issuer-host-change",
    "jwks-url-host-change",
    "token-url-host-change",
    "secret-kept",
    "shared-client",
    "endpoint-off-site",
    "attribute-mapping-change",
)
RECIPIENT = "age1f8a6nywdshna9tf49qjntgcup5wm7n0y7484acfvk4qljjcmhfuqhe9p4v"
STRICT = f"policies: {{{', '.join(f'{rule}: error' for rule in SEVEN)}}}\n"
EVIL = "https://evil.example.net"


@pytest.fixture
def clone(served: Workplace) -> Workplace:
    """A repository at its base, whose project is applied, with a strict project file."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", STRICT)
    served.git("init", "--quiet", "--initial-branch", "main")
    served.applied()
    served.commit()
    return served


def plan(place: Workplace, *words: str) -> CompletedRun:
    return place.run("plan", "--changed-since", "main", *words)


def guards(place: Workplace) -> dict[str, str]:
    """Return the lowered guards that a plan names, with their places."""
    document = plan(place, "--format", "json").document
    assert document["guards_compared"]
    return {
        guard["summary"]: f"{guard['range']['filename']}:{guard['range']['start']['line']}"
        for guard in document.get("guards", [])
        if guard["code"] == "guard-lowered" and guard["severity"] == "warning"
    }


def edit(place: Workplace, **fields: Any) -> None:
    """Change the only connection of the manifest; a field of None is removed."""
    file = place.root / "organizations/acme.yaml"
    document = json.loads(file.read_text())
    for key, value in fields.items():
        document["connections"]["sso"][key] = value
        if value is None:
            del document["connections"]["sso"][key]
    place.write("organizations/acme.yaml", json.dumps(document, indent=2))


def test_seven_rules_off_beside_a_takeover(clone: Workplace) -> None:
    """Threats 1: `off` in the pull request that needs it is told, one line each, before everything else."""
    clone.write("reconciler.yaml", STRICT.replace("error", "'off'"))
    edit(clone, issuer=EVIL, jwks_url=f"{EVIL}/keys")
    lowered = guards(clone)
    for rule in SEVEN:
        assert lowered[f"policies.{rule} changes from error to off"] == "reconciler.yaml:1"
    for form in ("text", "markdown", "html", "github", "sarif", "json"):
        out = plan(clone, "--format", form).out
        assert "secret-kept changes from error to off" in out.replace("`", ""), form
    text = plan(clone).out
    assert text.index("guard lowered") < text.index("reconciler will perform")


def test_limits_of_100000(clone: Workplace) -> None:
    clone.write("reconciler.yaml", STRICT + "limits: {max_deletes: 100000, max_delete_percent: 100}\n")
    assert guards(clone) == {
        "limits.max_deletes changes from 3 to 100000": "reconciler.yaml:2",
        "limits.max_delete_percent changes from 20.0 to 100": "reconciler.yaml:2",
    }


def test_it_cannot_be_switched_off_and_never_blocks(clone: Workplace) -> None:
    clone.write("reconciler.yaml", "policies: {guard-lowered: 'off'}\n")
    run = plan(clone)
    assert run.code == 1
    assert "[unknown-policy]" in run.out + run.err
    clone.write("reconciler.yaml", "limits: {max_deletes: 9}\n")
    assert plan(clone).code == 0


@pytest.mark.parametrize(
    ("project", "summary"),
    [
        ("secrets: {env: {allow: ['*_CLIENT_SECRET', ACME_CLIENT_SECRET]}}", None),
        ("secrets: {file: {allow: ['/run/secrets/*']}}", "secrets.file.allow adds /run/secrets/*"),
        *(
            (f"secrets: {{{scheme}: {{allow: ['sso/*']}}}}", f"secrets.{scheme}.allow adds sso/*")
            for scheme in STORES
        ),
        (f"secrets: {{age: {{recipients: [{RECIPIENT}]}}}}", f"secrets.age.recipients adds {RECIPIENT}"),
        ("secrets: {age: {identity: '${env:OTHER}'}}", "secrets.age.identity changes"),
        ("approvals: ['**/*.yaml']", "approvals adds **/*.yaml"),
        ("idp: {discovery: 'off'}", "idp.discovery changes from report to off"),
        ("idp: {allow_networks: [10.0.0.0/8]}", "idp.allow_networks adds 10.0.0.0/8"),
        ("idp: {ca_file: ca.pem}", "idp.ca_file changes"),
        ("defaults: {prune: true}", "defaults.prune changes from False to True"),
        ("defaults: {discovery: 'off'}", "defaults.discovery changes from report to off"),
        ("target: {base_url: https://test.stytch.com}", "target.base_url changes"),
    ],
)
def test_guards_of_the_project_file(clone: Workplace, project: str, summary: str | None) -> None:
    clone.delenv("STYTCH_BASE_URL")
    clone.setenv("RECONCILER_ALLOWED_HOSTS", "127.0.0.1")
    clone.write("reconciler.yaml", STRICT + project + "\n")
    document = clone.run("validate", "--changed-since", "main", "--format", "json").document
    lowered = [found["summary"] for found in document["diagnostics"] if found["code"] == "guard-lowered"]
    assert lowered == ([summary] if summary else [])


def test_guards_of_a_manifest(clone: Workplace) -> None:
    """Product 4.4: prune, ignore_changes, prevent_destroy, discovery, pins, at the place of the line."""
    live = clone.live("acme")[0]["connection_id"]
    edit(clone, lifecycle={"prevent_destroy": True}, connection_id=live)
    clone.commit()
    clone.git("branch", "--force", "base")
    edit(clone, lifecycle={"ignore_changes": ["issuer", "jwks_url"]}, connection_id=None, discovery="off")
    run = clone.run("plan", "--changed-since", "base", "--format", "json")
    assert {guard["summary"] for guard in run.document["guards"]} == {
        "prevent_destroy of acme/sso changes from True to False",
        "ignore_changes of acme/sso adds issuer, jwks_url",
        "discovery of acme/sso changes from report to off",
        f"connection_id of acme/sso changes from {live} to None",
    }


def test_each_approval_that_the_change_adds(clone: Workplace) -> None:
    clone.write(
        "approvals/acme.yaml",
        "approvals:\n  - {rule: secret-kept, address: acme/sso, reason: CHG-1, until: 2026-12-31}\n",
    )
    (summary,) = guards(clone)
    assert summary == "approvals adds secret-kept at acme/sso until 2026-12-31: CHG-1"


APPROVAL = "  - {{rule: {rule}, address: acme/sso, reason: CHG-1, until: {until}{more}}}\n"


def test_approvals_that_a_change_adds_in_any_way_are_each_named(clone: Workplace) -> None:
    """Threats 1, product 4.4: beside those of the base, by a glob, for longer, or for every finding."""
    kept = APPROVAL.format(rule="secret-kept", until="2026-12-31", more="")
    longer = APPROVAL.format(rule="issuer-change", until="2026-12-31", more="")
    wider = APPROVAL.format(rule="shared-client", until="2026-12-31", more=", finding: 3f9c00000000")
    hidden = APPROVAL.format(rule="punycode-host", until="2026-12-31", more="")
    clone.write("approvals/acme.yaml", f"approvals:\n{kept}{longer}{wider}")
    clone.write("elsewhere/acme.yaml", f"approvals:\n{hidden}")
    clone.commit()
    clone.write("reconciler.yaml", STRICT + "approvals: [approvals/*.yaml, elsewhere/*.yaml]\n")
    added = APPROVAL.format(rule="ip-literal-host", until="2026-12-31", more="")
    longer = longer.replace("2026-12-31", "2027-01-31")
    wider = wider.replace(", finding: 3f9c00000000", "")
    clone.write("approvals/acme.yaml", f"approvals:\n{kept}{longer}{wider}{added}")
    assert {summary.partition(" at ")[0] for summary in guards(clone) if " at " in summary} == {
        f"approvals adds {rule}"
        for rule in ("issuer-change", "shared-client", "ip-literal-host", "punycode-host")
    }


def test_without_a_base_the_report_says_so(clone: Workplace) -> None:
    assert "Guards: not compared" in clone.run("plan").out
    assert "Guards: not compared" not in plan(clone).out


def test_an_ignored_difference_is_counted(clone: Workplace) -> None:
    """Threats 1: `ignore_changes: [issuer, jwks_url]`, later an edit behind Git's back."""
    edit(
        clone, jwks_url="https://acme.example.com/keys", lifecycle={"ignore_changes": ["issuer", "jwks_url"]}
    )
    clone.commit()
    connection = clone.live("acme")[0]["connection_id"]
    clone.emulator.edit_connection(connection, issuer=EVIL, jwks_url=f"{EVIL}/keys")
    for command in ("plan", "drift"):
        run = clone.run(command)
        assert "Ignored differences: 2" in run.out
        assert "acme/sso issuer, jwks_url" in run.out
        assert clone.run(command, "--format", "json").document["summary"]["ignored_differences"] == 2


@pytest.mark.parametrize("adopts", ["by hand", "import --update acme/sso"])
def test_adopting_a_live_edit_launders_nothing(clone: Workplace, adopts: str) -> None:
    """Product 4.4: the base is compared with now, although live already has the change."""
    connection = clone.live("acme")[0]["connection_id"]
    clone.emulator.edit_connection(connection, issuer=EVIL, jwks_url=f"{EVIL}/keys")
    if adopts == "by hand":
        edit(clone, issuer=EVIL)
    else:
        assert clone.run(*adopts.split()).code == 0
    run = plan(clone, "--format", "json")
    assert run.document["resource_changes"] == []
    assert run.code == 1
    risk = next(risk for risk in run.document["risks"] if risk["code"] == "issuer-host-change")
    assert risk["severity"] == "error"
    assert risk["summary"].startswith("acme/sso: already live: ")
    (change,) = run.document["already_live"]
    assert (change["address"], change["attribute"], change["after"]) == ("acme/sso", "issuer", EVIL)
    assert "already live" in plan(clone, "--format", "markdown").out


def test_adding_a_rogue_connection_launders_nothing(clone: Workplace) -> None:
    """Product 4.4: what the risk rules say of a connection that `import --add` declares, they say."""
    rogue = clone.emulator.add_connection(
        "acme",
        display_name="Rogue",
        issuer="https://acme.example.com",
        client_id="rogue",
        client_secret="r0gue",
        jwks_url=f"{EVIL}/keys",
    )
    assert clone.run("import", "--add", f"acme/{rogue['connection_id']}", "--secrets", "none").code == 0
    run = plan(clone, "--format", "json")
    assert (run.code, run.document["resource_changes"]) == (1, [])
    risk = next(risk for risk in run.document["risks"] if risk["code"] == "endpoint-off-site")
    assert (risk["severity"], risk["address"]) == ("error", "acme/rogue")
    assert risk["summary"].startswith("acme/rogue: already live: ")


def test_a_moved_issuer_among_300_warnings_is_seen_first(clone: Workplace) -> None:
    """Threats 1: 300 harmless warnings and one moved issuer: it is in the comment."""
    connections = {
        f"c{number:03}": {
            "issuer": f"https://c{number}.example.com",
            "client_id": "x",
            "display_name": "n" * 90 + str(number),
        }
        for number in range(300)
    }
    clone.add_organization("aaa")
    clone.write("organizations/aaa.yaml", json.dumps({"organization": "aaa", "connections": connections}))
    edit(clone, issuer=EVIL)
    comment = plan(clone, "--format", "markdown").out
    assert len(comment) <= 65_536
    assert EVIL in comment
    assert comment.index(EVIL) < comment.index("warning")


def _crowd(clone: Workplace, number: int) -> None:
    """Declare so many connections with a warning each, in an organization that sorts before the others."""
    connections = {
        f"c{index:03}": {
            "issuer": f"https://c{index}.example.com",
            "client_id": "x",
            "display_name": "n" * 90 + str(index),
        }
        for index in range(number)
    }
    clone.write("organizations/aaa.yaml", json.dumps({"organization": "aaa", "connections": connections}))


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_a_moved_issuer_heads_annotations_and_scan_results(clone: Workplace, form: str) -> None:
    """Threats 1: GitHub shows ten annotations of a level, so the change of who can sign in is the first."""
    clone.add_organization("aaa")
    _crowd(clone, 30)
    edit(clone, issuer=EVIL)
    out = plan(clone, "--format", form).out
    if form == "sarif":
        first = json.loads(out)["runs"][0]["results"][0]
        assert (first["ruleId"], first["level"]) == ("sign-in-change", "warning")
        assert EVIL in first["message"]["text"]
        place = first["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "organizations/acme.yaml"
    else:
        first_line, *_ = out.splitlines()
        assert first_line.startswith("::warning file=organizations/acme.yaml,line=")
        assert EVIL in first_line


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_an_edit_behind_gits_back_heads_annotations_and_scan_results(clone: Workplace, form: str) -> None:
    clone.add_organization("aaa")
    _crowd(clone, 30)
    connection = clone.live("acme")[0]["connection_id"]
    clone.emulator.edit_connection(connection, issuer=EVIL)
    out = clone.run("drift", "--format", form).out
    first = json.loads(out)["runs"][0]["results"][0] if form == "sarif" else out.splitlines()[0]
    assert EVIL in str(first)


def test_harmless_moves_do_not_crowd_out_the_one_that_blocks(clone: Workplace) -> None:
    """Threats 1: one line each, however long and many the others are: what is a blocking risk comes first."""
    clone.add_organization("aaa")
    _crowd(clone, 60)
    clone.run("apply", "--auto-approve")
    clone.commit()
    _crowd(clone, 60)
    text = (clone.root / "organizations/aaa.yaml").read_text()
    clone.write("organizations/aaa.yaml", text.replace(".example.com", ".example.com/" + "p" * 1500))
    edit(clone, issuer=EVIL)
    comment = plan(clone, "--format", "markdown").out
    line = next(line for line in comment.splitlines() if line.startswith("- ❗"))
    assert EVIL in line


@pytest.mark.parametrize(
    ("project", "summary"),
    [
        ("drift: {undeclared: ignore}", "drift.undeclared changes from drift to ignore"),
        ("drift: {undeclared: report}", "drift.undeclared changes from drift to report"),
        (
            "drift: {unknown_organizations: ignore}",
            "drift.unknown_organizations changes from report to ignore",
        ),
        ("secrets: {env: {allow: ['*']}}", "secrets.env.allow adds *"),
        ("approvals: [approvals/*.yaml, approvals/x/*.yaml]", "approvals adds approvals/x/*.yaml"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_every_report_names_a_lowered_guard(
    clone: Workplace, command: str, project: str, summary: str
) -> None:
    """Product 4.4: it covers `drift`, and heads every report wherever Git knows the base."""
    clone.write("reconciler.yaml", STRICT + project + "\n")
    run = clone.run(command, "--changed-since", "main", "--format", "json")
    assert [guard["summary"] for guard in run.document.get("guards", [])] == [summary], run.err
    if command == "drift" and project.startswith("drift: {undeclared: ignore"):
        for form in ("text", "markdown", "html", "github", "sarif"):
            out = clone.run(command, "--changed-since", "main", "--format", form).out.replace("`", "")
            assert "drift.undeclared changes from drift to ignore" in out, form
        assert clone.run(command, "--changed-since", "main").code == 0


def test_a_renamed_key_does_not_shed_its_guards(clone: Workplace) -> None:
    """`prune` deletes what is gone from the file, but a key that is renamed takes nothing along."""
    live = clone.live("acme")[0]["connection_id"]
    file = clone.root / "organizations/acme.yaml"
    document = json.loads(file.read_text())
    document["prune"] = True
    document["connections"]["sso"] |= {"lifecycle": {"prevent_destroy": True}, "connection_id": live}
    clone.write("organizations/acme.yaml", json.dumps(document))
    clone.commit()
    del (block := document["connections"].pop("sso"))["lifecycle"]
    document["connections"]["login"] = block
    clone.write("organizations/acme.yaml", json.dumps(document))
    assert any("prevent_destroy of acme/sso" in summary for summary in guards(clone))


def test_a_guard_that_is_lowered_through_a_variable_is_told(clone: Workplace) -> None:
    """Values are compared as they count, with the variables of each side."""
    clone.write("reconciler.yaml", STRICT + "vars: {mode: report}\n")
    edit(clone, discovery="${var:mode}")
    clone.commit()
    clone.write("reconciler.yaml", STRICT + "vars: {mode: 'off'}\n")
    assert "discovery of acme/sso changes from report to off" in guards(clone)


def test_globs_that_leave_a_manifest_out_are_told(clone: Workplace) -> None:
    """Product 4.4: the file stays as it is, and the project file does not look for it any more."""
    clone.write("reconciler.yaml", STRICT + "organizations: [other/*.yaml]\n")
    clone.write("other/empty.yaml", "# nothing yet\n")
    assert "acme is no longer declared: its connections become unmanaged" in guards(clone)
