"""Live values come back as one pull request that declares them, reviewed with the risks that they have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.idp.live import connect
from tests.idp.provider import scripted_provider, write_authority

if TYPE_CHECKING:
    from tests.pull_requests.conftest import Estate


SCOPES = ["openid", "profile", "email"]


@pytest.fixture
def pinned(estate: Estate) -> Estate:
    """Both organizations applied and pinned, on main."""
    estate.apply()
    assert estate.place.run("pin").code == 0
    estate.push()
    return estate


def test_a_live_edit_comes_back_as_a_pull_request(pinned: Estate) -> None:
    main = pinned.git.branches["main"]
    pinned.edit_live("acme", display_name="Acme SSO")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0, run.output
    (request,) = pinned.requests()
    assert request.title == "Adopt 1 live value in test"
    assert pinned.on_branch("drift") == {
        "organizations/acme.yaml": "display_name: Acme SSO   # as the customer calls it"
    }
    assert '| `acme/okta` | `display_name` | `"acme Okta"` | `"Acme SSO"` |' in request.body
    assert pinned.git.branches["main"] == main
    (issue,) = pinned.issues()
    assert f"** declares live values: <{run.out.split()[3]}> (opened)" in issue
    assert run.out.splitlines()[0].startswith(f"{pinned.noun} opened: https://")


def test_it_follows_what_is_live_and_closes_when_the_drift_is_over(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    again = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert again.out.startswith(f"{pinned.noun} unchanged: ")
    pinned.edit_live("acme", display_name="Acme Login")
    pinned.edit_live("globex", display_name="Globex SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    assert pinned.on_branch("drift") == {
        "organizations/acme.yaml": "display_name: Acme Login   # as the customer calls it",
        "organizations/globex.yaml": "display_name: Globex SSO   # as the customer calls it",
    }
    assert pinned.place.run("apply", "--auto-approve", "-q").code == 0
    run = pinned.publish("--drift", pinned.drift(code=0), "--adopt")
    assert run.out.startswith(f"{pinned.noun} closed: there is no drift: ")
    assert [request.state for request in pinned.requests()] == ["closed"]
    assert pinned.requests()[0].comments == ["Closed: there is no drift."]
    assert "reconciler/drift-test" not in pinned.git.branches


def test_a_merged_adoption_leaves_no_drift(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    pinned.fake.merge(pinned.fake.open_pulls()[0])
    pinned.pull()
    assert pinned.place.run("plan", "--no-secrets", "--detailed-exitcode").code == 0
    run = pinned.publish("--drift", pinned.drift(code=0), "--adopt")
    assert run.out.startswith(f"{pinned.noun} not needed: there is no drift")


def test_a_risk_of_severity_warning_stands_in_the_text(pinned: Estate) -> None:
    pinned.edit_live("acme", attribute_mapping={"groups": "admins"})
    pinned.place.write(
        "organizations/acme.yaml",
        (pinned.place.root / "organizations/acme.yaml").read_text(encoding="utf-8")
        + "    attribute_mapping: {groups: groups}\n",
    )
    pinned.push()
    pinned.publish("--drift", pinned.drift(), "--adopt")
    (request,) = pinned.requests()
    assert "**Who can sign in changes**: 1 attribute" in request.body
    assert "**warning** `attribute-mapping-change`: `acme/okta`: already live: " in request.body


def test_a_finding_of_severity_error_is_never_adopted(pinned: Estate) -> None:
    """The issue says why there is no pull request, and what to do."""
    pinned.edit_live("acme", issuer="https://acme.evil.example", display_name="Acme SSO")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0
    assert f"{pinned.noun} not needed: what differs has findings of severity error" in run.out
    assert pinned.requests() == []
    assert "reconciler/drift-test" not in pinned.git.branches
    (issue,) = pinned.issues()
    assert f"**No {pinned.noun} declares these live values**" in issue
    assert "⛔ **risk** `issuer-host-change`: `acme/okta`: already live: " in issue
    assert "Revert these with `reconciler apply`" in issue


def test_an_endpoint_that_is_not_the_providers_is_never_adopted(estate: Estate) -> None:
    """Adopting it would launder it; no severity under `policies` and no risk rule is needed for that."""
    policies = dict.fromkeys(("private-host", "endpoint-off-site", "jwks-url-host-change"), "off")
    place = estate.place
    settings = {"idp": {"ca_file": write_authority(place.root)}, "policies": policies}
    place.write("reconciler.yaml", json.dumps(settings))
    with scripted_provider() as provider, scripted_provider() as stranger:
        right, evil = f"{provider.issuer}/keys", f"{stranger.issuer}/keys"
        place.emulator.add_organization("initech")
        connection = connect(place, "initech", provider.issuer, custom_scopes=SCOPES, jwks_url=right)
        estate.push()
        place.emulator.edit_connection(
            connection["connection_id"], custom_scopes="openid profile email groups", jwks_url=evil
        )
        report = estate.drift("--target", "initech/*")
        kinds = [finding["kind"] for finding in json.loads(Path(report).read_text())["findings"]]
        assert kinds == ["changed", "changed", "foreign-endpoint"]
        estate.publish("--drift", report, "--adopt")
    (content,) = estate.on_branch("drift").values()
    assert "groups" in content
    assert evil not in content
    (request,) = estate.requests()
    assert "is never adopted" in request.body, request.body


def test_other_connections_are_adopted_beside_it(pinned: Estate) -> None:
    pinned.edit_live("acme", issuer="https://acme.evil.example")
    pinned.edit_live("globex", display_name="Globex SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    assert [*pinned.on_branch("drift")] == ["organizations/globex.yaml"]
    (request,) = pinned.requests()
    assert "`acme/okta` is not adopted, because of findings of severity error" in request.body
    assert "issuer-host-change" in request.body


def test_a_pull_request_is_closed_when_its_values_become_severe(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    pinned.edit_live("acme", issuer="https://acme.evil.example")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.out.startswith(f"{pinned.noun} closed: what differs has findings of severity error")


def test_an_approved_risk_is_adopted(pinned: Estate) -> None:
    pinned.edit_live("acme", issuer="https://acme.other.example")
    pinned.place.write(
        "approvals/acme.yaml",
        """\
        approvals:
          - rule: issuer-host-change
            address: acme/okta
            reason: Acme moved, CHG-1
            until: 2027-01-31
          - rule: endpoint-off-site
            address: acme/okta
            reason: Acme moved, CHG-1
            until: 2027-01-31
          - rule: secret-kept
            address: acme/okta
            reason: Acme moved, CHG-1
            until: 2027-01-31
        """,
    )
    pinned.push()
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.out.startswith(f"{pinned.noun} opened: "), run.out
    assert "`issuer-host-change`" in pinned.requests()[0].body


def test_what_cannot_be_adopted_is_named(pinned: Estate) -> None:
    """References, ignored fields, undeclared and missing connections stay, and are named."""
    text = (pinned.place.root / "organizations/acme.yaml").read_text(encoding="utf-8")
    pinned.place.write("reconciler.yaml", "version: 1\nvars: {tenant: acme}\n")
    pinned.place.write(
        "organizations/acme.yaml",
        text.replace("client-of-acme", "client-of-${var:tenant}")
        + "    lifecycle: {ignore_changes: [userinfo_url]}\n",
    )
    pinned.push()
    pinned.edit_live(
        "acme", client_id="other", userinfo_url="https://acme.okta.com/u2", display_name="Acme SSO"
    )
    pinned.place.emulator.remove_connection(pinned.live_id("globex"))
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0, run.output
    (request,) = pinned.requests()
    left = request.body
    assert "`client_id` of `acme/okta`: its value holds a reference" in left
    assert "`globex/okta` is declared, and not live" in left
    assert "`userinfo_url` of `acme/okta`: `ignore_changes` names it" in left
    assert [*pinned.on_branch("drift")] == ["organizations/acme.yaml"]
    assert (
        "client-of-${var:tenant}"
        in pinned.git.files("reconciler/drift-test")["organizations/acme.yaml"].decode()
    )


def test_a_branch_that_somebody_edited_is_left_alone(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    head = pinned.git.push("reconciler/drift-test", {"organizations/acme.yaml": b"# mine\n"})
    pinned.edit_live("acme", display_name="Acme Login")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0
    assert run.out.startswith(f"{pinned.noun} left alone: the branch reconciler/drift-test was edited")
    assert pinned.git.branches["reconciler/drift-test"] == head
    assert "left alone" in pinned.issues()[0]


def test_a_closed_pull_request_is_not_opened_again_every_night(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.publish("--drift", pinned.drift(), "--adopt")
    pinned.fake.close(pinned.fake.open_pulls()[0])
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert f"{pinned.noun} not opened again" in run.out
    assert len(pinned.requests()) == 1
    assert "not opened again" in pinned.issues()[0]
    pinned.edit_live("acme", display_name="Acme Login")
    assert pinned.publish("--drift", pinned.drift(), "--adopt").out.startswith(f"{pinned.noun} opened: ")


def test_an_incomplete_report_closes_nothing(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    report = pinned.drift()
    pinned.publish("--drift", report, "--adopt")
    pinned.place.emulator.edit_organization("acme", organization_slug="renamed")
    text = (pinned.place.root / "organizations/acme.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("organization_id")]
    pinned.place.write("organizations/acme.yaml", "\n".join(lines) + "\n")
    pinned.push()
    run = pinned.publish("--drift", pinned.drift("--previous", report, code=1), "--adopt")
    assert run.code == 0, run.output
    assert [request.state for request in pinned.requests()] == ["open"]


def test_the_issue_is_written_although_the_forge_refuses_the_pull_request(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    if pinned.forge == "github":
        pinned.fake.may_create_pull_requests = False
    else:
        pinned.git.protected.add("reconciler/drift-test")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 1
    words = "Settings > Actions > General" if pinned.forge == "github" else "not allowed to push"
    assert words in run.err
    assert f"**No {pinned.noun} declares these live values**" in pinned.issues()[0]


def test_a_value_that_changed_in_git_since_the_report_is_left(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name="Acme SSO")
    report = pinned.drift()
    file = pinned.place.root / "organizations/acme.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("acme Okta", "Acme by Git"), encoding="utf-8")
    pinned.push()
    run = pinned.publish("--drift", report, "--adopt")
    assert f"{pinned.noun} not needed" in run.out
    assert "has changed in Git since the report" in pinned.issues()[0]


def test_a_report_cannot_write_anything_but_declared_values(pinned: Estate) -> None:
    """Threats, 4: a replaced report names a workflow as its place; only manifests are edited."""
    pinned.edit_live("acme", display_name="Acme SSO")
    pinned.place.write(".github/workflows/x.yml", "on: push\n")
    pinned.push()
    report = pinned.place.root.parent / "drift.json"
    pinned.drift()
    report.write_text(
        report.read_text(encoding="utf-8").replace("organizations/acme.yaml", ".github/workflows/x.yml"),
        encoding="utf-8",
    )
    pinned.publish("--drift", str(report), "--adopt")
    assert [*pinned.on_branch("drift")] == ["organizations/acme.yaml"]


HOSTILE = "a @everyone [x](https://evil.example) `b` <img src=x> ::error::x | <!-- reconciler:drift:live -->"


def test_hostile_values_are_inert(pinned: Estate) -> None:
    pinned.edit_live("acme", display_name=HOSTILE)
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0, run.output
    (request,) = pinned.requests()
    head = pinned.git.head("reconciler/drift-test")
    for text in (request.title, head.message, run.out):
        assert "everyone" not in text
    (row,) = [line for line in request.body.splitlines() if "everyone" in line]
    assert row.startswith("| `acme/okta` | `display_name` | ")
    assert row.count(" | ") == 4
    assert '``"a @everyone' in row


@pytest.mark.parametrize("name", ["a\n/close\n# b", "a\u202eb", "a\r\n| b |", "a\x1b[2J"])
def test_values_that_no_manifest_can_hold_are_left_and_inert(pinned: Estate, name: str) -> None:
    pinned.edit_live("acme", display_name=name)
    pinned.edit_live("globex", display_name="Globex SSO")
    run = pinned.publish("--drift", pinned.drift(), "--adopt")
    assert run.code == 0, run.output
    (request,) = pinned.requests()
    for text in (request.body, *pinned.issues(), run.out):
        assert name not in text
        assert not [line for line in text.splitlines() if line.startswith(("/", "# ", "| b"))]
    assert "`display_name` of `acme/okta`" in request.body


def test_adopting_needs_a_report(pinned: Estate) -> None:
    run = pinned.publish("--adopt", "--plan", "plan.json")
    assert run.code == 1
    assert "--adopt takes over what a drift report found" in run.err
