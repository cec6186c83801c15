"""Secrets move into an encrypted file of the repository, are rotated there, and get other readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyrage

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage, Story

VARIABLE = "ACME_OKTA_CLIENT_SECRET"


def write_project_file(story: Story, identity: pyrage.x25519.Identity) -> None:
    """Do what the page says, with a key of one's own."""
    file = story.place.root / "reconciler.yaml"
    text = file.read_text().partition("  age:")[0]
    file.write_text(
        f"{text}  age:\n    identity: ${{env:AGE_IDENTITY}}\n    recipients: [{identity.to_public()}]\n"
        '    allow: ["secrets/{organization}.age#*"]\n'
    )
    story.place.setenv("AGE_IDENTITY", str(identity))


def test_a_secret_is_encrypted_applied_and_rotated(open_page: OpenPage) -> None:
    with open_page("keep-secrets-in-git.md") as story:
        place, identity = story.place, pyrage.x25519.Identity.generate()
        place.applied()
        write_project_file(story, identity)
        place.write("new-secret.txt", "the-new-secret\n")
        place.write("rotated-secret.txt", "the-rotated-secret\n")
        manifest = place.root / "organizations/acme.yaml"

        def live_secret() -> str:
            return str(story.live("acme")["Acme Okta"]["client_secret"])

        story.play("Encrypt a secret")
        reference = "${age:secrets/acme.age#okta-workforce}"
        manifest.write_text(manifest.read_text().replace(f"${{env:{VARIABLE}}}", reference))
        place.delenv(VARIABLE)
        story.play("Apply it")
        assert live_secret() == "the-new-secret"
        story.play("Rotate a secret without an outage")
        assert live_secret() == "the-rotated-secret"
        other = pyrage.x25519.Identity.generate()
        place.write("reconciler.yaml", (place.root / "reconciler.yaml").read_text().replace(
            str(identity.to_public()), str(other.to_public())))  # fmt: skip
        story.play("Change who can read them")
        place.setenv("AGE_IDENTITY", str(other))
        assert NO_CHANGES in place.run("plan", "--target", "acme/okta-workforce").out
        assert b"secret" not in (place.root / "secrets/acme.age").read_bytes()
