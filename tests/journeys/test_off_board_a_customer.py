"""Connections are deleted and customers leave; what was not written down as deleted stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


CONTRACTORS = """
connections:
  okta-contractors:
    display_name: Acme Contractors
    identity_provider: okta
    issuer: https://acme.okta.com/oauth2/aus9contractors
    client_id: 0oa9z8y7x6
    client_secret: ${env:ACME_CONTRACTORS_CLIENT_SECRET}
"""


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

        acme.write_text(acme.read_text().partition("connections:")[0] + CONTRACTORS)
        place.applied()
        place.emulator.add_connection("acme", **okta("Acme Legacy"))
        place.git("init", "--quiet")
        place.commit()
        story.play("Delete everything that is not declared")
        assert story.live("acme").keys() == {"Acme Okta", "Acme Contractors"}
        place.commit()
        story.play("Delete a protected connection")
        assert story.live("acme") == {"Acme Okta": kept}
