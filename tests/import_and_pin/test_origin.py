"""A saved plan says which commit it was made from, when it is shown and when it is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.import_and_pin.test_protection import commit

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def test_the_commit_of_a_saved_plan_is_recorded_and_shown(place: Workplace) -> None:
    place.emulator.add_organization("acme")
    place.git("init", "-q")
    made_from = commit(
        place, "organization: acme\nconnections:\n  okta: {issuer: https://acme.okta.example}\n"
    )
    place.run("plan", "--out", "saved.json")
    commit(place, "organization: acme\n")
    result = place.run("show", "saved.json", "--format", "json")
    assert result.document["commit"] == made_from
    assert f"from commit {made_from}, for project project-test-" in result.err
    applied = place.run("apply", "saved.json", "--any-inputs")
    assert applied.code == 0
    assert f"from commit {made_from}, for project project-test-" in applied.err
    assert [connection["display_name"] for connection in place.live("acme")] == ["okta"]
