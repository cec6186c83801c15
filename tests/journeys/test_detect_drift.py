"""Somebody edits a connection in the dashboard; drift reports it once as new, and apply reverts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


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
