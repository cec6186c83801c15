"""One set of manifests serves test and live: created and pinned in test, promoted to live, pinned there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from reconciler.emulator.connections import connections_of

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage, Story

FILE = "organizations/acme.yaml"


def live_in(story: Story, environment: str) -> dict[str, str]:
    """The client_id of each live connection in an environment, by the slug of its organization."""
    context = story.place.emulator.context
    return {
        organization["organization_slug"]: connection["client_id"]
        for organization in context.state.all("organizations")
        if organization["project_id"].startswith(f"project-{environment}-")
        for connection in connections_of(context, organization["organization_id"])
    }


def test_a_connection_is_promoted_from_test_to_live(open_page: OpenPage) -> None:
    with open_page("two-environments.md") as story:
        story.play("", "A project file for each environment")
        assert live_in(story, "test") == {"acme": "0oatest1b2c3", "globex": "globex-sso"}
        assert not live_in(story, "live")
        story.play("Promote a change to live")
        assert live_in(story, "live") == {"acme": "0oalive4d5e6"}
        manifest = yaml.safe_load((story.place.root / FILE).read_text())
        assert list(manifest["organization_id"]) == ["test", "live"]
        assert list(manifest["connections"]["okta"]["connection_id"]) == ["test", "live"]
        story.play("Keep a customer in test only")
        assert live_in(story, "live") == {"acme": "0oalive4d5e6"}, "a plan writes nothing"
