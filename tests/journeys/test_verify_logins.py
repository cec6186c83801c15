"""A customer's provider changes after the connection was applied; `verify` says so before a user does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_what_breaks_at_the_provider_is_found_and_can_be_approved(open_page: OpenPage) -> None:
    with open_page("verify-logins.md") as story:
        emulator = story.place.emulator
        emulator.add_organization("hooli")
        emulator.add_identity_provider("hooli", clients={"hooli-sso": "the-secret-from-hooli"})
        story.place.setenv("HOOLI_CLIENT_SECRET", "the-secret-from-hooli")
        story.play("", "Probe client secrets")
        emulator.request_log.clear()
        issuer = f"{story.place.base_url}/idp/hooli"
        emulator.add_identity_provider("hooli", clients={}, metadata={"issuer": f"{issuer}/"})
        story.play("Read the findings", "Accept what is known")
        assert not emulator.request_log.writes, "verify only reads"
