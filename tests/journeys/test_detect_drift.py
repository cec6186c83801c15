"""Somebody edits a connection in the dashboard; drift reports it once as new, and apply reverts it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage, Story


def test_an_edit_is_reported_and_reverted(open_page: OpenPage) -> None:
    with open_page("detect-drift.md") as story:
        story.place.applied()
        declared = story.live("globex")["Globex Entra ID"]
        edited = declared["token_url"].replace("/oauth2/v2.0/", "/oauth2/")
        story.place.emulator.edit_connection(declared["connection_id"], token_url=edited)
        story.play("")
        assert not story.place.emulator.request_log.writes, "drift only reads"
        story.play("Report only what is new")
        assert story.live("globex")["Globex Entra ID"]["token_url"] == declared["token_url"]
        repoint_keys(story)
        story.play("Respond to a foreign endpoint")


def repoint_keys(story: Story) -> None:
    """Apply a connection that leaves its endpoints to the service, and change its live `jwks_url`."""
    emulator = story.place.emulator
    emulator.add_organization("hooli")
    emulator.add_identity_provider("hooli", clients={"hooli-sso": "the-secret-from-hooli"})
    story.place.setenv("HOOLI_CLIENT_SECRET", "the-secret-from-hooli")
    issuer = f"{story.place.base_url}/idp/hooli"
    sso = {"issuer": issuer, "client_id": "hooli-sso", "client_secret": "${env:HOOLI_CLIENT_SECRET}"}
    manifest = "organization: hooli\nconnections:\n  sso: "
    story.place.write("organizations/hooli.yaml", manifest + json.dumps(sso) + "\n")
    assert story.place.run("apply", "--target", "hooli/sso", "--auto-approve").code == 0
    emulator.edit_connection(story.live("hooli")["sso"]["connection_id"], jwks_url="https://localhost:9/keys")
