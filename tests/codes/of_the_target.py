"""Codes about the target of a run: its credentials, its address, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.providers.stytch import client
from tests.codes.provoking import provokes

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace


def plan(place: Workplace, target: str = "") -> CompletedRun:
    """Plan with this target in the project file."""
    if target:
        place.write("reconciler.yaml", f"target: {{{target}}}")
    return place.run("plan", "--format", "json")


@provokes("target-host-conflict")
def two_addresses(place: Workplace) -> CompletedRun:
    return plan(place, 'base_url: "https://login.example.com"')


@provokes("target-host-not-allowed")
def an_address_that_the_environment_does_not_name(place: Workplace) -> CompletedRun:
    place.delenv("STYTCH_BASE_URL")
    return plan(place, 'base_url: "https://login.example.com"')


@provokes("target-reference-not-allowed")
def another_variable_as_a_credential(place: Workplace) -> CompletedRun:
    return plan(place, 'secret: "${env:ACME_CLIENT_SECRET}"')


@provokes("target-reference-not-whole")
def a_part_of_a_credential(place: Workplace) -> CompletedRun:
    return plan(place, 'secret: "x${env:STYTCH_SECRET}"')


@provokes("target-unavailable")
def a_credential_that_is_nowhere(place: Workplace) -> CompletedRun:
    return plan(place, 'secret: "${env:STYTCH_OTHER}"')


@provokes("target-missing")
def no_secret(place: Workplace) -> CompletedRun:
    place.delenv("STYTCH_SECRET")
    return plan(place)


@provokes("target-malformed")
def an_id_of_something_else(place: Workplace) -> CompletedRun:
    place.setenv("STYTCH_PROJECT_ID", "organization-test-1")
    return plan(place)


@provokes("invalid-public-token")
def a_public_token_of_something_else(place: Workplace) -> CompletedRun:
    return plan(place, "public_token: project-test-1")


@provokes("access-denied")
def a_wrong_secret(place: Workplace) -> CompletedRun:
    place.setenv("STYTCH_SECRET", "secret-test-wrong")
    return plan(place)


@provokes("unavailable")
def nobody_listens(place: Workplace) -> CompletedRun:
    place.replace(client, "FIRST_CONTACT_TIMEOUT", 0.1)
    place.setenv("STYTCH_BASE_URL", "http://127.0.0.1:9")
    return place.run("import", "--all", "--format", "json")


def import_all(place: Workplace, answer: str) -> CompletedRun:
    """Import when the search answers so."""
    place.emulator.add_fault(f"search-organizations:{answer}")
    return place.run("import", "--all", "--format", "json")


@provokes("not-found")
def a_host_without_this_route(place: Workplace) -> CompletedRun:
    return import_all(place, "route_not_found")


@provokes("request-rejected")
def a_search_that_is_refused(place: Workplace) -> CompletedRun:
    return import_all(place, "invalid_sso_idp")


@provokes("malformed-answer")
def an_error_with_a_good_status(place: Workplace) -> CompletedRun:
    return import_all(place, "organization_not_found:status=200")


@provokes("unknown-organizations-not-checked")
def a_search_that_ends_early(place: Workplace) -> CompletedRun:
    place.emulator.add_fault("search-organizations:user_search_invalid_cursor:nth=2")
    return place.run("drift", "--format", "json")


@provokes("leftover")
def a_create_that_was_interrupted(place: Workplace) -> CompletedRun:
    place.applied()
    place.emulator.add_connection("acme", display_name="sso", identity_provider="generic")
    return plan(place)
