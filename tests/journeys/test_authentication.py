"""Every way to authenticate works with the same manifests and has the same result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_every_mode_has_the_same_outcome(open_page: OpenPage) -> None:
    with open_page("authentication.md") as story:
        for section in ("Project credentials", "Project credentials, as a member", "Member session"):
            story.play(section)
            assert [live["status"] for live in story.live("acme").values()] == ["active"]
        story.play("Expired sessions")


def test_the_example_leaves_the_credentials_to_the_environment() -> None:
    project = (ROOT / "examples/authentication/reconciler.yaml").read_text(encoding="utf-8")
    assert "target" not in yaml.safe_load(project)
