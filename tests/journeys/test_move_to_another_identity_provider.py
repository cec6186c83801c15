"""A customer moves to another identity provider, and members can sign in throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage

ENTRA = "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0"
BEFORE = """
    organization: acme
    connections:
      okta-workforce:
        display_name: Acme Okta
        identity_provider: okta
        issuer: https://acme.okta.com
        client_id: 0oa1b2c3d4
        client_secret: ${env:ACME_OKTA_CLIENT_SECRET}
"""


def test_a_connection_works_at_each_step(open_page: OpenPage) -> None:
    with open_page("move-to-another-identity-provider.md") as story:
        story.place.write("organizations/acme.yaml", BEFORE)
        story.place.applied()
        old = story.live("acme")["Acme Okta"]
        story.discover(ENTRA)
        story.play("Create the new connection")
        assert {live["status"] for live in story.live("acme").values()} == {"active"}
        assert story.default("acme") == "Acme Okta"
        story.play("Make it the default")
        assert story.live("acme")["Acme Okta"] == old
        assert story.default("acme") == "Acme Entra"
        story.play("Delete the old connection")
        assert story.live("acme").keys() == {"Acme Entra"}
        assert story.default("acme") == "Acme Entra"
