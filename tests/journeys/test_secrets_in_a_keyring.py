"""A secret in GNOME's keyring is stored, applied and rotated; the provider accepts the live one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import keyring as library

from tests.gnome_keyring import running_keyring
from tests.journeys.test_secrets_in_vault import FIRST, SECOND, let_provider_accept, live_secret

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_no_step_of_a_rotation_locks_out(open_page: OpenPage, tmp_path: Path) -> None:
    folder = tmp_path / "keyring"
    folder.mkdir()
    with running_keyring(folder) as keyring, open_page("secrets-in-a-keyring.md") as story:
        for name, value in keyring.variables.items():
            story.place.setenv(name, value)
        story.place.setenv("PATH", f"{os.environ['PATH']}:{Path(sys.executable).parent}")
        library.core.init_backend()
        story.place.emulator.add_organization("hooli")
        let_provider_accept(story, FIRST)
        story.play("Set it up")
        assert live_secret(story) == FIRST
        let_provider_accept(story, FIRST, SECOND)
        story.play("Rotate a secret without an outage")
        assert live_secret(story) == SECOND
