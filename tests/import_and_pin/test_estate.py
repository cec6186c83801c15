"""Importing three hundred organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import load_manifests, load_project
from tests.import_and_pin.estate import fill, give_secrets
from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def test_three_hundred_organizations_are_imported_without_a_write(place: Workplace) -> None:
    fill(place.emulator, 300)
    secrets = {
        connection["client_secret"] for connection in everything(place) if connection.get("client_secret")
    }
    imported = place.run("import", "--all", "--format", "json")
    assert imported.code == 0, imported.err
    assert imported.document["summary"]["imported"] == 300
    assert imported.document["summary"]["failed"] == 0

    files = [*(place.root / "organizations").iterdir()]
    assert len({path.name.casefold() for path in files}) == 300
    written = "".join(path.read_text() for path in files) + (place.root / ".env.example").read_text()
    assert not [secret for secret in secrets if secret in written + imported.output]

    assert declared_defaults(place) == live_defaults(place)
    assert place.run("validate").code == 0
    without = place.run("plan", "--no-secrets", "--detailed-exitcode")
    assert (without.code, NO_CHANGES in without.out) == (0, True), without.output
    assert give_secrets(place) > 200
    complete = place.run("plan", "--detailed-exitcode")
    assert (complete.code, NO_CHANGES in complete.out) == (0, True), complete.output
    kinds = {finding["kind"] for finding in place.run("drift", "--format", "json").document["findings"]}
    assert kinds == {"risk"}  # the organizations of this estate share a client
    assert place.run("pin", "--check").code == 0
    assert not place.emulator.request_log.writes


def test_importing_again_changes_no_file(place: Workplace) -> None:
    fill(place.emulator, 40)
    place.run("import", "--all")
    before = contents(place)
    again = place.run("import", "--all", "--format", "json")
    assert again.code == 0
    assert again.document["summary"] == {
        "imported": 0,
        "updated": 0,
        "kept": 40,
        "failed": 0,
        "connections": 0,
    }
    assert contents(place) == before


def test_two_imports_of_one_estate_are_the_same(place: Workplace) -> None:
    place.emulator.set_switch("list-order", "random")
    fill(place.emulator, 60)
    place.run("import", "--all", "--into", "organizations/one")
    names = [path.name for path in (place.root / ".env.example",)]
    first = {path.name: path.read_bytes() for path in (place.root / "organizations/one").iterdir()}
    (place.root / "organizations/one").rename(place.root / "aside")
    (place.root / names[0]).unlink()
    place.run("import", "--all", "--into", "organizations/two")
    assert {path.name: path.read_bytes() for path in (place.root / "organizations/two").iterdir()} == first


def test_an_import_that_failed_continues_where_it_stopped(place: Workplace) -> None:
    fill(place.emulator, 30)
    place.write("reconciler.yaml", "limits: {requests_per_second: 1000, concurrency: 1}")
    place.emulator.add_fault("list-connections:unauthorized_credentials:nth=12")
    cut = place.run("import", "--all")
    assert cut.code == 1
    begun = contents(place)
    assert 0 < len(begun) < 30, cut.output
    place.emulator.clear_faults()
    rest = place.run("import", "--all")
    assert rest.code == 0
    complete = contents(place)
    assert {name: complete[name] for name in begun if name != ".env.example"} == {
        name: begun[name] for name in begun if name != ".env.example"
    }
    assert complete[".env.example"].startswith(begun[".env.example"])
    assert place.run("plan", "--no-secrets", "--detailed-exitcode").code == 0


def test_an_unreadable_organization_does_not_stop_the_others(place: Workplace) -> None:
    for slug in ("acme", "globex"):
        place.emulator.add_organization(slug)
        place.emulator.add_connection(slug, **okta("Okta"))
    broken = place.emulator.organization("acme")["organization_id"]
    place.emulator.add_fault(f"list-connections:organization_not_found:organization={broken}")
    imported = place.run("import", "--all", "--format", "json")
    assert imported.code == 1
    assert imported.document["summary"]["imported"] == 1
    assert imported.codes == ["not-imported"]


def test_masked_secrets_are_referred_to_and_change_nothing(place: Workplace) -> None:
    place.emulator.set_switch("client-secret", "masked")
    place.emulator.add_organization("acme")
    place.emulator.add_connection("acme", **okta("Okta"))
    place.run("import", "acme")
    place.setenv("ACME_OKTA_CLIENT_SECRET", "whatever")
    planned = place.run("plan", "--detailed-exitcode")
    assert planned.code == 0
    assert NO_CHANGES in planned.out
    assert "cannot be compared" in planned.output


def declared_defaults(place: Workplace) -> set[str | None]:
    loaded = load_manifests((), load_project(None, place.root), {})
    return {
        connection.connection.connection_id
        for connection in loaded.state.connections
        if connection.is_default
    }


def live_defaults(place: Workplace) -> set[str]:
    """The default connections that a manifest can declare: of OIDC, and configured."""
    organizations = place.emulator.context.state.all("organizations")
    defaults = {organization.get("sso_default_connection_id") for organization in organizations}
    return {
        connection["connection_id"]
        for connection in everything(place)
        if connection["connection_id"] in defaults and connection.get("issuer")
    }


def everything(place: Workplace) -> list[dict[str, str]]:
    found = place.emulator.context.state.all("connections")
    return [dict(connection) for connection in found]


def contents(place: Workplace) -> dict[str, bytes]:
    found = [path for path in place.root.rglob("*") if path.is_file() and path.name != "reconciler.yaml"]
    return {str(path.relative_to(place.root)): path.read_bytes() for path in found}
