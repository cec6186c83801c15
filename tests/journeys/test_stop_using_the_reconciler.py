"""The tool is given up, and every connection stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage

ORGANIZATIONS = ("acme", "globex", "initech")


def test_every_connection_stays(open_page: OpenPage) -> None:
    with open_page("stop-using-the-reconciler.md") as story:
        place = story.place.applied()
        place.git("init", "--quiet")
        place.commit()
        before = [story.live(name) for name in ORGANIZATIONS]
        story.play("For one customer only")
        drift = place.run("drift")
        assert (drift.code, "globex" in drift.output) == (0, False)
        place.commit()
        story.play("")
        assert [story.live(name) for name in ORGANIZATIONS] == before
        assert not place.emulator.request_log.writes
        assert not (place.root / "organizations").exists()
