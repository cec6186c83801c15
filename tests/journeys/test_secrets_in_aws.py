"""A secret in AWS is stored, applied, rotated and warned of by AWS' own command; the provider accepts it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.journeys.test_secrets_in_vault import FIRST, SECOND, let_provider_accept, live_secret
from tests.moto import COMMANDS, running_moto

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.story import OpenPage, Story
    from tests.moto import Moto


def test_no_step_of_a_rotation_locks_out(open_page: OpenPage, tmp_path: Path) -> None:
    with running_moto(tmp_path) as server, open_page("secrets-in-aws.md") as story:
        story.place.emulator.add_organization("hooli")
        let_provider_accept(story, FIRST)
        use(server, story, tmp_path)
        story.play("Set it up", "Log in")
        assert live_secret(story) == FIRST
        let_provider_accept(story, FIRST, SECOND)
        story.play("Rotate a secret without an outage")
        assert live_secret(story) == SECOND
        story.play("Be warned before it expires")


def use(server: Moto, story: Story, home: Path) -> None:
    """Let AWS' command and library ask the server, and find no settings of this machine."""
    place = story.place
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        place.delenv(name)
    place.setenv("PATH", f"{os.environ['PATH']}:{COMMANDS}")
    place.setenv("HOME", str(home))
    place.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.address)
    place.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    place.setenv("AWS_ACCESS_KEY_ID", "AKIAADMINISTRATOR")
    place.setenv("AWS_SECRET_ACCESS_KEY", "the-administrators-key")
