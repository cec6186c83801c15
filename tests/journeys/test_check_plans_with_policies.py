"""A saved plan is checked by a policy before it is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.policy_tools.test_rego import messages_of

if TYPE_CHECKING:
    from tests.journeys.story import OpenPage


def test_the_plan_of_the_page_is_what_the_policy_reads(open_page: OpenPage) -> None:
    with open_page("check-plans-with-policies.md") as story:
        story.play("")
        denied = messages_of(story.place.root / "plan.json", "deny")
        issuer = story.live("initech")["Initech SSO"]["issuer"]
        assert f"initech/sso: issuer {issuer} is not allowed" in denied
        assert not [message for message in denied if message.startswith("acme/")]
