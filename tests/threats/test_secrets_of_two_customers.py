"""A customer's secret goes to that customer alone, through the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.session_api.conftest import log_in

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def risks(place: Workplace, *words: str) -> dict[str, dict[str, Any]]:
    run = place.run("plan", "--format", "json", *words)
    return {risk["code"]: risk for risk in run.document["risks"]}


def test_the_secret_of_one_customer_at_the_issuer_of_another_is_named(connected: Workplace) -> None:
    """Threats 4: `globex` refers to the secret of `acme`, at its own issuer."""
    connected.add_organization("globex")
    connected.declare("globex", client_secret="${env:ACME_CLIENT_SECRET}", issuer="https://globex.okta.com")
    run = connected.run("plan", "--format", "json")
    shared = [risk for risk in run.document["risks"] if risk["code"] == "secret-reference-shared"]
    found = {risk["address"]: risk for risk in shared}
    assert "as acme does too" in found["globex/sso"]["summary"]
    assert found["globex/sso"]["severity"] == "warning"
    assert "hidden-acme-value" not in run.output


def test_one_value_under_the_names_of_two_customers_is_named(connected: Workplace) -> None:
    """Threats 4: the same with another variable that has the same value."""
    connected.add_organization("globex")
    connected.setenv("GLOBEX_CLIENT_SECRET", "hidden-acme-value")
    connected.declare("globex", client_secret="${env:GLOBEX_CLIENT_SECRET}", issuer="https://globex.okta.com")
    assert "secret-reference-shared" in risks(connected)
    connected.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex-value")
    assert "secret-reference-shared" not in risks(connected)


def test_a_secret_for_an_organization_found_by_its_slug_is_named_until_it_is_pinned(
    connected: Workplace,
) -> None:
    """Threats 4: a slug can be given up, and taken by another customer."""
    assert "was found by the name 'acme'" in risks(connected)["unpinned-organization"]["summary"]
    assert connected.run("pin").code == 0
    pinned = yaml.safe_load(connected.root.joinpath("organizations/acme.yaml").read_text())
    assert pinned["organization_id"] == connected.emulator.organization("acme")["organization_id"]
    assert "unpinned-organization" not in risks(connected)


def test_what_import_writes_is_pinned(connected: Workplace) -> None:
    """Threats 4: no imported manifest leaves its organization to a name."""
    connected.add_organization("globex")
    connected.emulator.add_connection("globex", display_name="sso")
    assert connected.run("import", "globex").code == 0
    (manifest,) = connected.root.rglob("globex.yaml")
    declared = yaml.safe_load(manifest.read_text())
    assert declared["organization_id"] == connected.emulator.organization("globex")["organization_id"]


def test_a_session_reaches_its_own_organization_alone_so_no_pin_is_asked_for(connected: Workplace) -> None:
    """Threats 4: with a session no name can lead to another customer."""
    connected.delenv("STYTCH_PROJECT_ID")
    connected.delenv("STYTCH_SECRET")
    log_in(connected, "session")
    assert "unpinned-organization" not in risks(connected)
