"""What was changed and created in the dashboard is taken into the manifests, and stays live as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_live_changes_are_taken_into_git(open_page: OpenPage) -> None:
    with open_page("accept-a-live-change.md") as story:
        place = story.place
        acme = place.root / "organizations/acme.yaml"
        acme.write_text(f"{acme.read_text()}    custom_scopes: [openid, profile, email]\n")
        place.applied()
        place.git("init", "--quiet")
        place.commit()
        edited = story.live("acme")["Acme Contractors"]["connection_id"]
        place.emulator.edit_connection(edited, custom_scopes="openid profile email groups")
        story.play("Update a manifest from a live edit")
        changed = place.git("diff", "--numstat").split()
        assert changed == ["1", "1", "organizations/acme.yaml"], "one line is replaced"
        place.emulator.add_connection("acme", **okta("Acme Partner", custom_scopes=""))
        before = story.live("acme")
        story.play("Add a connection that somebody created")
        assert story.live("acme") == before
        assert before["Acme Partner"]["connection_id"] in acme.read_text()
        assert not place.emulator.request_log.writes
