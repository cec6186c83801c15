"""Names, keys, slugs and files change while connections stay; only a move elsewhere creates one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_only_a_move_to_another_organization_creates_a_connection(open_page: OpenPage) -> None:
    with open_page("rename-move-or-split.md") as story:
        place = story.place.applied()
        place.git("init", "--quiet")
        place.commit()
        before = story.live("globex")["Globex Entra ID"]
        story.play("Rename a connection")
        renamed = story.live("globex")["Globex SSO"]
        assert renamed == before | {"display_name": "Globex SSO"}
        story.play("Rename its key")
        place.emulator.edit_organization("globex", organization_slug="globex-group")
        story.play("Rename the organization")
        story.play("Move or split files")
        assert story.live("globex-group") == {"Globex SSO": renamed}
        contractors = story.live("acme")["Acme Contractors"]
        place.emulator.add_organization("acme-labs")
        story.play("Move a connection to another organization")
        moved = story.live("acme-labs")["Acme Contractors"]
        assert moved["status"] == "active"
        assert moved["redirect_url"] != contractors["redirect_url"]
        assert story.live("acme")["Acme Contractors"] == contractors
        assert NO_CHANGES in place.run("plan").out
