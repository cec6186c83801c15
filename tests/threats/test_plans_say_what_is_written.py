"""Every view shows what will be written, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

TARGET: Final = "(test) at 127.0.0.1:"
VIEWS: Final = ("text", "markdown", "html")


def organization_id(place: Workplace) -> str:
    match = re.search("organization-test-[0-9a-f-]+", place.run("plan", "--format", "json").out)
    assert match
    return match[0]


@pytest.mark.parametrize("view", VIEWS)
def test_a_plan_shows_the_organization_and_the_reference(connected: Workplace, view: str) -> None:
    """A slug may be somebody else's tomorrow, so the id is shown; a secret is shown by its reference."""
    run = connected.run("plan", "--format", view)
    assert organization_id(connected) in run.out
    assert "${env:ACME_CLIENT_SECRET}" in run.out


@pytest.mark.parametrize("view", VIEWS)
def test_a_saved_plan_shows_the_organization_and_the_reference(connected: Workplace, view: str) -> None:
    """Who approves a saved plan sees the organization and the secret that it names, in every view."""
    assert connected.run("plan", "--out", "plan.json", "-q").code == 0
    run = connected.run("show", "plan.json", "--format", view)
    assert organization_id(connected) in run.out
    assert "${env:ACME_CLIENT_SECRET}" in run.out


@pytest.mark.parametrize("words", [("apply", "--auto-approve"), ("drift",), ("pin",), ("import", "--all")])
def test_the_text_of_a_command_names_its_target(connected: Workplace, words: tuple[str, ...]) -> None:
    """The first line names the host, the project, and whether it is test or live."""
    run = connected.run(*words)
    assert run.out.startswith("Project project-test-"), run.output
    assert TARGET in run.out.splitlines()[0]


def test_the_result_of_a_saved_plan_names_its_target(connected: Workplace) -> None:
    """There is no plan above it that would."""
    assert connected.run("plan", "--out", "plan.json", "-q").code == 0
    run = connected.run("apply", "plan.json")
    assert TARGET in run.out.splitlines()[0]
