"""Connections that exist become manifests, are pinned, and stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage

ORGANIZATIONS = ("acme", "globex", "initech")


def test_adopting_changes_nothing(open_page: OpenPage) -> None:
    with open_page("adopt-existing-connections.md") as story:
        place = story.place.applied()
        before = [story.live(name) for name in ORGANIZATIONS]
        written = {path: path.read_text() for path in sorted((place.root / "organizations").iterdir())}
        for path in written:
            path.unlink()
        place.git("init", "--quiet")
        story.play("")
        assert "organizations/acme.yaml" in place.git("diff", "--cached", "--name-only").splitlines()
        for path, text in written.items():
            path.write_text(text)
        story.play("Import", "Pin ids")
        assert NO_CHANGES in place.run("plan").out
        assert [story.live(name) for name in ORGANIZATIONS] == before
        assert not place.emulator.request_log.writes
