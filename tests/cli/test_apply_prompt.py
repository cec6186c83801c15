"""Apply asks for approval, and only 'yes' approves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

QUESTION = "Only 'yes' will be accepted to approve."


def test_yes_applies(place: Workplace) -> None:
    with terminal(place, "apply") as session:
        session.wait_for(QUESTION)
        assert not place.emulator.request_log.writes
        session.type("yes\n")
        code, result = session.end()
    assert code == 0
    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." in result
    assert place.live("acme")


@pytest.mark.parametrize("answer", ["no\n", "y\n", "YES\n", "Yes\n", "yes please\n", "\n", "\x04"])
def test_any_other_answer_cancels(place: Workplace, answer: str) -> None:
    with terminal(place, "apply") as session:
        session.wait_for(QUESTION)
        session.type(answer)
        code, result = session.end()
    assert code == 1
    assert "Apply cancelled." in session.screen
    assert "\nPlan: 2 to add, 0 to change, 0 to destroy.\n" in result
    assert not place.emulator.request_log.writes


def test_a_cancelled_apply_writes_complete_json(place: Workplace) -> None:
    with terminal(place, "apply", "--format", "json", "--output", "a.json") as session:
        session.wait_for(QUESTION)
        session.type("no\n")
        code, result = session.end()
    assert code == 1
    document = json.loads(result)
    assert (document["errored"], document["interrupted"]) == (True, False)
    assert document["diagnostics"][0]["code"] == "cancelled"
    assert json.loads((place.root / "a.json").read_text()) == document


@pytest.mark.parametrize("format_", ["text", "json"])
def test_ctrl_c_at_the_prompt_interrupts(place: Workplace, format_: str) -> None:
    with terminal(place, "apply", "--format", format_) as session:
        session.wait_for(QUESTION)
        session.type("\x03")
        code, result = session.end()
    assert code == 130
    assert "Interrupted." in session.screen
    assert "Traceback" not in session.screen
    if format_ == "json":
        assert json.loads(result)["interrupted"] is True
    assert not place.emulator.request_log.writes


def test_a_saved_plan_needs_no_approval(place: Workplace) -> None:
    place.run("plan", "--out", "plan.json")
    with terminal(place, "apply", "plan.json") as session:
        code, result = session.end()
    assert code == 0
    assert QUESTION not in session.screen
    assert "Apply complete!" in result


def test_there_is_no_prompt_without_changes_or_with_blocks(place: Workplace) -> None:
    place.applied()
    with terminal(place, "apply") as session:
        assert session.end()[0] == 0
    assert QUESTION not in session.screen
    place.write("reconciler.yaml", "limits: {max_deletes: 1}")
    place.declare("acme", state="absent")
    place.declare("globex", state="absent")
    with terminal(place, "apply") as session:
        assert session.end()[0] == 1
    assert QUESTION not in session.screen


def test_a_terminal_gets_colors_unless_they_are_disabled(place: Workplace) -> None:
    with terminal(place, "apply", "--auto-approve") as session:
        assert session.end()[0] == 0
    assert "\x1b[1macme/sso:" in session.screen
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        place.setenv(name, value)
        place.declare("acme", client_id=f"another-{name}")
        with terminal(place, "apply", "--auto-approve") as session:
            assert session.end()[0] == 0
        assert "acme/sso: Modifying" in session.screen
        assert "\x1b" not in session.screen


def test_a_bar_shows_reading_progress_and_is_removed(place: Workplace) -> None:
    for number in range(40):
        place.emulator.add_organization(f"org-{number}")
        place.write(f"organizations/org-{number}.yaml", f"organization: org-{number}\n")
    place.emulator.add_fault("list-connections:latency:seconds=0.1")
    with terminal(place, "plan") as session:
        code, result = session.end()
    assert code == 0
    assert "Reading organizations" in session.screen
    assert "\nPlan: 2 to add, 0 to change, 0 to destroy.\n" in result
