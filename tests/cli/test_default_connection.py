"""`default: true`: which connection of an organization is its default, through the real commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.session_api.conftest import log_in
from tests.support.workplace import NO_CHANGES, discovery_document

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

BLOCK = (
    "  {name}: {{issuer: 'https://{name}.example.com', client_id: c-{name}, "
    "client_secret: '${{env:ACME_CLIENT_SECRET}}'{more}}}\n"
)


def declare(place: Workplace, **more: str) -> None:
    blocks = "".join(BLOCK.format(name=name, more=text and f", {text}") for name, text in more.items())
    place.write("organizations/acme.yaml", "organization: acme\nconnections:\n")
    file = place.root / "organizations/acme.yaml"
    file.write_text(file.read_text() + blocks)


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """Two connections are live, of which `old` is the default."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500, max_delete_percent: 100}")
    bare.setenv("RECONCILER_ALLOWED_HOSTS", running.base_url.partition("://")[2])
    bare.add_organization("acme")
    for name in ("old", "new", "entra", "third"):
        running.emulator.set_discovery(f"https://{name}.example.com", discovery_document(name))
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    declare(bare, old="", new="")
    applied = bare.run("apply", "--auto-approve")
    assert applied.code == 0, applied.output
    assert default(bare) == "old"
    return bare


def default(place: Workplace) -> str:
    wanted = place.emulator.organization("acme")["sso_default_connection_id"]
    return next(str(live["display_name"]) for live in place.live("acme") if live["connection_id"] == wanted)


def test_the_default_moves_and_stays(place: Workplace) -> None:
    declare(place, old="", new="default: true")
    plan = place.run("plan")
    assert "~ organization acme: default connection {" in plan.out
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in plan.out
    run = place.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    assert "Apply complete! Resources: 0 added, 1 changed, 0 destroyed." in run.out
    assert default(place) == "new"
    assert NO_CHANGES in place.run("plan").out


def test_a_customer_moves_in_one_run(place: Workplace) -> None:
    declare(place, old="state: absent", new="", entra="default: true")
    run = place.run("apply", "--auto-approve", "--format", "json")
    assert run.code == 0, run.output
    assert [(one["address"], one["type"], one["status"]) for one in run.document["outcomes"]] == [
        ("acme/entra", "oidc_connection", "applied"),
        ("acme", "organization_default_connection", "applied"),
        ("acme/old", "oidc_connection", "applied"),
    ]
    assert default(place) == "entra"


def test_not_declared_the_default_is_left_as_it_is(place: Workplace) -> None:
    declare(place, old="", new="default: true")
    assert place.run("apply", "--auto-approve").code == 0
    declare(place, old="", new="")
    assert NO_CHANGES in place.run("plan").out


def test_a_saved_plan_makes_it_the_default_unless_somebody_else_chose_another(place: Workplace) -> None:
    declare(place, old="", new="default: true", third="")
    assert place.run("plan", "--out", "plan.json").code == 0
    (change,) = [
        one
        for one in json.loads((place.root / "plan.json").read_text())["resource_changes"]
        if one["type"] == "organization_default_connection"
    ]
    assert (change["address"], change["name"], change["default"]) == ("acme", "", "new")
    other = place.emulator.add_connection("acme", display_name="other", status="active")
    place.emulator.edit_organization("acme", sso_default_connection_id=other["connection_id"])
    run = place.run("apply", "plan.json", "--auto-approve")
    assert run.code == 1
    assert "changed since the plan: the default connection is" in " ".join(run.output.split())
    assert default(place) == "other"


def test_another_default_is_drift(place: Workplace) -> None:
    declare(place, old="", new="default: true")
    run = place.run("drift", "--format", "json")
    assert run.code == 2
    (finding,) = run.document["findings"]
    assert (finding["address"], finding["kind"]) == ("acme", "changed")
    assert (finding["attribute"], finding["declared"], finding["live"]) == (
        "default_connection",
        "new",
        "old",
    )
    assert "organization acme: default connection" in place.run("drift").out
    place.write("last.json", run.out)
    again = place.run("drift", "--previous", "last.json", "--target", "acme/new", "--format", "json")
    assert [one["standing"] for one in again.document["findings"]] == ["known"]


@pytest.mark.parametrize(("target", "moves"), [("acme/old", True), ("acme", True), ("acme/*", True)])
def test_any_target_of_the_organization_selects_it(place: Workplace, target: str, moves: bool) -> None:
    declare(place, old="", new="default: true")
    assert ("default connection" in place.run("plan", "--target", target).out) is moves


def test_a_session_needs_the_permission_for_it(place: Workplace) -> None:
    declare(place, old="", new="default: true")
    place.delenv("STYTCH_PROJECT_ID")
    place.delenv("STYTCH_SECRET")
    log_in(place, "session")
    run = place.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    assert default(place) == "new"


def test_two_defaults_and_a_default_that_is_absent_are_errors_that_name_both_places(place: Workplace) -> None:
    declare(place, old="default: true", new="default: true")
    run = place.run("validate")
    assert run.code == 1
    assert "default-conflict" in run.out
    assert "organizations/acme.yaml:3:" in run.out
    assert "organizations/acme.yaml:4:" in run.out
    declare(place, old="", new="default: true, state: absent")
    assert "declared absent" in place.run("validate").out
    declare(place, old="", new="default: false")
    assert place.run("validate").code == 1


def test_a_session_without_that_permission_is_stopped_at_it(place: Workplace) -> None:
    """Its role may write connections, and no settings of the organization."""
    place.emulator.seed(
        {
            "projects": [
                {
                    "project_id": "project-test-roles",
                    "secret": "secret-test-roles",
                    "public_token": "public-token-test-roles",
                    "roles": {"sso_editor": {"stytch.sso": ["*"]}},
                }
            ],
            "organizations": [
                {
                    "organization_slug": "acme",
                    "organization_id": "organization-test-edited",
                    "project_id": "project-test-roles",
                    "members": [
                        {"roles": ["sso_editor"], "sessions": [{"session_token": "session-of-editor"}]}
                    ],
                }
            ],
        }
    )
    place.delenv("STYTCH_PROJECT_ID")
    place.delenv("STYTCH_SECRET")
    place.setenv("STYTCH_PUBLIC_TOKEN", "public-token-test-roles")
    place.setenv("STYTCH_SESSION_TOKEN", "session-of-editor")
    declare(place, old="", new="default: true")
    run = place.run("apply", "--auto-approve")
    assert run.code == 1
    assert (
        "give the member a role with the permission update.settings.default-sso-connection on the resource "
        "stytch.organization"
    ) in run.out
    assert "2 added, 0 changed, 0 destroyed. 1 failed, 0 skipped." in run.out
