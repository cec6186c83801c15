"""A 403 about one organization refuses that organization; any other 401 or 403 stops the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

SLUGS = ("acme", "globex", "initech")
READS = ("list-connections", "get-organization")
STOPPING = ("unauthorized_credentials", "session_authorization_error", "use_https")


@pytest.fixture
def three(connected: Workplace) -> Workplace:
    """Three organizations that differ from their manifests."""
    for slug in SLUGS:
        if slug != "acme":
            connected.add_organization(slug)
        connected.declare(slug)
        connected.setenv(f"{slug.upper()}_CLIENT_SECRET", f"hidden-{slug}-value")
    return connected


def suspend(place: Workplace, slug: str, error_type: str, *operations: str) -> None:
    organization_id = place.emulator.organization(slug)["organization_id"]
    for operation in operations:
        place.emulator.add_fault(f"{operation}:{error_type}:organization={organization_id}")


@pytest.mark.parametrize("words", [("plan",), ("drift",), ("apply", "--auto-approve")], ids=" ".join)
def test_a_suspended_organization_does_not_stop_the_others(three: Workplace, words: tuple[str, ...]) -> None:
    """Case 12: one organization of three answers 403 `organization_suspended`."""
    suspend(three, "globex", "organization_suspended", *READS)
    run = three.run(*words, "--format", "json")
    assert run.code == 1
    errors = [item for item in run.document["diagnostics"] if item["severity"] == "error"]
    assert [item["address"] for item in errors] == ["globex"]
    assert "suspended" in errors[0]["summary"]
    assert "acme/sso" in run.out
    assert "initech/sso" in run.out
    if words[0] == "apply":
        assert [len(three.live(slug)) for slug in SLUGS] == [1, 0, 1]


def test_an_organization_that_is_suspended_meanwhile_is_left_alone(three: Workplace) -> None:
    """Case 12: the write of one organization is refused, its other changes are skipped, the others go on."""
    for name in ("sso", "second"):
        three.emulator.add_connection("globex", **okta(name))
    changed = {
        name: {"display_name": name, "client_id": "new", "client_secret": "${env:GLOBEX_CLIENT_SECRET}"}
        for name in ("sso", "second")
    }
    three.write(
        "organizations/globex.yaml", f"organization: globex\nconnections: {changed}\n".replace("'", '"')
    )
    suspend(three, "globex", "organization_suspended", "update-oidc-connection")
    run = three.run("apply", "--auto-approve")
    assert run.code == 1
    assert [len(three.live(slug)) for slug in ("acme", "initech")] == [1, 1]
    refused = [request for request in three.emulator.request_log if request.status == 403]
    assert len(refused) == 1
    assert "the service refused its organization" in run.output


def test_an_import_goes_on_without_a_suspended_organization(three: Workplace) -> None:
    """Case 12: `import --all` writes the other two."""
    for slug in SLUGS:
        three.emulator.add_connection(slug, **okta("Okta"))
        (three.root / f"organizations/{slug}.yaml").unlink()
    suspend(three, "globex", "organization_suspended", "list-connections")
    run = three.run("import", "--all")
    assert run.code == 1
    assert "globex" in run.output
    assert len([*(three.root / "organizations").iterdir()]) == 2


@pytest.mark.parametrize("error_type", STOPPING)
def test_a_refusal_about_the_credentials_stops_the_run(three: Workplace, error_type: str) -> None:
    """Case 12, the other side: 401, and 403 for another reason, concern every organization."""
    suspend(three, "globex", error_type, "list-connections")
    run = three.run("plan")
    assert run.code == 1
    assert "acme/sso" not in run.output
    assert error_type in run.output
