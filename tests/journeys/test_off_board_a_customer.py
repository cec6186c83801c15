"""A connection is deleted, then two customers leave; what was not written down as deleted stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_only_what_is_declared_absent_is_deleted(open_page: OpenPage) -> None:
    with open_page("off-board-a-customer.md") as story:
        place = story.place.applied()
        kept = story.live("acme")["Acme Okta"]
        story.play("Delete a connection")
        assert story.live("acme") == {"Acme Okta": kept}
        sso_only = {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"]}
        place.emulator.edit_organization("acme", **sso_only)
        story.play("Off-board a customer")
        assert not story.live("globex")
        assert not story.live("initech")
        acme = place.root / "organizations/acme.yaml"
        acme.write_text(
            acme.read_text().replace("    issuer: https://acme.okta.com\n", "    state: absent\n")
        )
        locked_out = place.run("plan", "organizations/acme.yaml")
        assert locked_out.code == 1
        assert "lock" in locked_out.output
        assert story.live("acme") == {"Acme Okta": kept}
