"""A change and a delete are reverted in Git; the connection that was deleted comes back with other ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage, Story


def change(story: Story, before: str, after: str) -> None:
    """Commit a change of Acme's manifest, and apply it."""
    file = story.place.root / "organizations/acme.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    story.place.commit()
    assert story.place.run("apply", "--auto-approve", "--quiet").code == 0


def test_a_revert_restores_values_but_not_ids(open_page: OpenPage) -> None:
    with open_page("roll-back.md") as story:
        place = story.place.applied()
        assert place.run("pin").code == 0
        place.git("init", "--quiet")
        place.commit()
        before = story.live("acme")
        change(story, "client_id: 0oa1b2c3d4", "client_id: 0oa1b2c3d5")
        assert story.live("acme") != before
        story.play("Undo a change")
        assert story.live("acme") == before
        block = "display_name: Acme Contractors\n"
        change(story, block, f"{block}    state: absent\n")
        assert story.live("acme").keys() == {"Acme Okta"}
        story.play("Undo a delete")
        created, deleted = story.live("acme")["Acme Contractors"], before["Acme Contractors"]
        ids = {"connection_id", "redirect_url"}
        assert {name for name in created if created[name] != deleted[name]} == ids
        assert NO_CHANGES in place.run("plan").out
