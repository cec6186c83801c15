"""A customer whose administrator needs the redirect_url before there is anything to declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_the_redirect_url_comes_first_and_stays(open_page: OpenPage) -> None:
    with open_page("onboard-a-customer.md") as story:
        story.place.applied()
        story.discover("https://hooli.okta.com")
        story.place.emulator.add_organization("hooli")
        story.play("Create the connection")
        empty = story.live("hooli")["Hooli Okta"]
        assert empty["status"] == "pending"
        drift = story.place.run("drift")
        assert drift.code == 0
        assert "hooli/okta" in drift.output, "it is named for as long as it is pending"
        story.play("Complete the connection")
        complete = story.live("hooli")["Hooli Okta"]
        assert complete["status"] == "active"
        assert complete["client_secret"] == "the-secret-from-hooli"
        assert complete["redirect_url"] == empty["redirect_url"]
        assert complete["connection_id"] in (story.place.root / "organizations/hooli.yaml").read_text()
        assert NO_CHANGES in story.place.run("plan").out
