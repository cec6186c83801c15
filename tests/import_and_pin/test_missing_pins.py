"""Errors about pins that belong to another organization, or to an organization that was renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


@pytest.fixture
def two(place: Workplace) -> Workplace:
    for slug in ("acme", "globex"):
        place.add_organization(slug, "Okta")
    return place


def pin(place: Workplace, *ids: str) -> None:
    blocks = "".join(
        f"  c{index}: {{connection_id: {connection_id}}}\n" for index, connection_id in enumerate(ids)
    )
    place.write("organizations/acme.yaml", f"organization: acme\nconnections:\n{blocks}")


def test_the_owner_of_a_pin_is_named_at_the_cost_of_one_request(two: Workplace) -> None:
    theirs = two.live("globex")[0]["connection_id"]
    pin(two, theirs)
    run = two.run("plan")
    owner = two.emulator.organization("globex")["organization_id"]
    assert run.code == 1
    assert f"acme/c0 is pinned to {theirs}, which belongs to organization globex ({owner})" in run.out
    assert len(two.emulator.request_log.of("search-organizations")) == 1


def test_a_pin_that_is_nowhere_keeps_its_own_message(two: Workplace) -> None:
    pin(two, "oidc-connection-test-00000000-0000-4000-8000-000000000000")
    run = two.run("plan")
    assert "does not have" in run.out
    assert "belongs to" not in run.out


def test_the_run_does_not_need_the_answer(two: Workplace) -> None:
    two.emulator.add_fault("search-organizations:organization_search_filter_name_not_recognized")
    pin(two, two.live("globex")[0]["connection_id"])
    run = two.run("plan")
    assert run.code == 1
    assert "does not have" in run.out


def test_many_wrong_pins_cost_no_more_than_ten_questions(two: Workplace) -> None:
    pin(two, *(f"oidc-connection-test-{number}" for number in range(30)))
    run = two.run("plan")
    assert "(30) [pin-not-live]" in run.out
    assert len(two.emulator.request_log.of("search-organizations")) == 10


def test_without_wrong_pins_nothing_is_asked(two: Workplace) -> None:
    pin(two, two.live("acme")[0]["connection_id"])
    two.run("plan")
    assert not two.emulator.request_log.of("search-organizations")


def test_a_slug_that_belongs_to_somebody_else_now(two: Workplace) -> None:
    pinned = two.emulator.organization("acme")["organization_id"]
    two.emulator.edit_organization("acme", organization_slug="acme-old")
    two.emulator.add_organization("acme")
    two.write("organizations/acme.yaml", f"organization: acme\norganization_id: {pinned}\n")
    run = two.run("plan")
    assert run.code == 1
    assert f"but the manifest is pinned to {pinned}" in run.out
    assert f"{pinned} is called 'acme-old' now" in run.out
    assert not two.emulator.request_log.writes


def test_the_same_without_a_pin_of_the_organization_is_stopped_by_those_of_its_connections(
    two: Workplace,
) -> None:
    pin(two, two.live("acme")[0]["connection_id"])
    two.emulator.edit_organization("acme", organization_slug="acme-old")
    two.emulator.add_organization("acme")
    run = two.run("apply", "--auto-approve")
    assert run.code == 1
    assert "which belongs to organization acme-old" in run.output
    assert not two.emulator.request_log.writes


def test_dependants_of_a_delete_are_warned_of(two: Workplace) -> None:
    acme = two.live("acme")[0]["connection_id"]
    two.emulator.edit_organization("acme", sso_jit_provisioning_allowed_connections=[acme])
    two.emulator.add_connection("globex", "external", external_connection_id=acme)
    two.write("organizations/acme.yaml", "organization: acme\nconnections:\n  Okta: {state: absent}\n")
    two.write("organizations/globex.yaml", "organization: globex\n")
    run = two.run("plan", "--format", "json")
    assert run.code == 0
    assert set(run.codes) == {"delete-jit", "delete-external"}
    assert run.document["summary"]["warnings"] == 2
