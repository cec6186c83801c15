"""A secret in a real OpenBao is stored, applied, rotated and warned of; the provider accepts the live one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.openbao import ROOT_TOKEN, program, running_openbao

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.story import OpenPage, Story
    from tests.openbao import OpenBao

FIRST, SECOND = "the-first-secret", "the-second-secret"


def test_no_step_of_a_rotation_locks_out(open_page: OpenPage, tmp_path: Path) -> None:
    with running_openbao(tmp_path) as server, open_page("secrets-in-vault.md") as story:
        story.place.emulator.add_organization("hooli")
        let_provider_accept(story, FIRST)
        use(server, story)
        story.play("Set it up")
        log_in(server, story)
        story.play("Log in")
        assert live_secret(story) == FIRST
        let_provider_accept(story, FIRST, SECOND)
        story.play("Rotate a secret without an outage")
        assert live_secret(story) == SECOND
        let_provider_accept(story, SECOND)
        story.play("Delete the first secret")
        story.play("Be warned before it expires")


def let_provider_accept(story: Story, *secrets: str) -> None:
    story.place.emulator.add_identity_provider("hooli", clients={"hooli-sso": list(secrets)})


def use(server: OpenBao, story: Story) -> None:
    """Let the commands of OpenBao be those of an administrator; they prefer these variables."""
    place = story.place
    for name in [name for name in os.environ if name.startswith(("VAULT_", "BAO_"))]:
        place.delenv(name)
    place.setenv("PATH", f"{program().parent}:{os.environ['PATH']}")
    place.setenv("BAO_ADDR", server.address)
    place.setenv("BAO_TOKEN", ROOT_TOKEN)
    place.setenv("VAULT_ADDR", server.address)


def log_in(server: OpenBao, story: Story) -> None:
    """Give the reconciler the role that the page has made."""
    role = "auth/approle/role/reconciler"
    story.place.setenv("VAULT_ROLE_ID", server.request("GET", f"{role}/role-id")["data"]["role_id"])
    story.place.setenv("VAULT_SECRET_ID", server.request("POST", f"{role}/secret-id")["data"]["secret_id"])


def live_secret(story: Story) -> str:
    (connection,) = story.live("hooli").values()
    return str(connection["client_secret"])
