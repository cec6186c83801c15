"""A change that decides who can sign in is blocked until it is approved in Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_nothing_changes_before_the_approval(open_page: OpenPage) -> None:
    with open_page("approve-a-risk.md") as story:
        story.place.applied()
        before = story.live("acme")["Acme Okta"]
        story.discover("https://login.acme.com")
        story.play("A blocked plan")
        assert story.place.run("apply", "plan.json").code == 1
        assert story.place.run("apply", "--target", "acme/okta-workforce", "--auto-approve").code == 1
        assert story.live("acme")["Acme Okta"] == before
        story.play("In Git")
        after = story.live("acme")["Acme Okta"]
        assert after["issuer"] == "https://login.acme.com"
        assert after["connection_id"] == before["connection_id"]
