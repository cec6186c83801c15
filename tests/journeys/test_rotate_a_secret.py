"""A client secret is rotated; the live secret is one that the identity provider accepts, at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage

VARIABLE = "ACME_OKTA_CLIENT_SECRET"


def test_nothing_but_the_secret_changes(open_page: OpenPage) -> None:
    with open_page("rotate-a-secret.md") as story:
        story.place.applied()
        before = story.live("acme")["Acme Okta"]

        def live_secret() -> str:
            connection = story.live("acme")["Acme Okta"]
            assert connection | {"client_secret": ""} == before | {"client_secret": ""}
            return str(connection["client_secret"])

        assert live_secret() == f"hidden {VARIABLE}", "the old secret, until the identity provider has both"
        story.play("Locally")
        assert live_secret() == "the-new-secret"
        story.place.setenv(VARIABLE, "the-secret-after-that")
        story.play("In CI")
        assert live_secret() == "the-secret-after-that"
        story.place.emulator.set_switch("client-secret", "masked")
        story.place.setenv(VARIABLE, "the-last-secret")
        story.play("If the API hides secrets")
        assert live_secret() == "the-last-secret"
