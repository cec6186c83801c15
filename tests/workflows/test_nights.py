"""Scenes of the nights: the workflow `drift`, and the one issue that it opens, updates and closes."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.workflows.scene import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workflows.scene import Scene

EVERY_JOB = {"drift": "success", "issue": "success"}


@pytest.fixture
def edited(scene: Scene) -> Scene:
    """Somebody has edited a live connection."""
    scene.make_live("acme", "globex")
    scene.repository.commit("change")
    scene.emulator.edit_connection(scene.live("acme")["connection_id"], client_id="somebody-elses")
    return scene


@contextlib.contextmanager
def without_api(scene: Scene) -> Iterator[None]:
    """Let nobody answer in place of the API."""
    api = scene.runner.environment["STYTCH_BASE_URL"]
    scene.runner.environment["STYTCH_BASE_URL"] = "http://127.0.0.1:9"
    yield
    scene.runner.environment["STYTCH_BASE_URL"] = api


def standings(scene: Scene) -> list[str]:
    report = json.loads(scene.runner.artifact("reconciler-drift").read_text(encoding="utf-8"))
    return [finding["standing"] for finding in report["findings"]]


def test_drift_is_new_then_known_then_resolved(edited: Scene) -> None:
    for standing in ("new", "known"):
        assert results(edited.night()) == EVERY_JOB
        assert standings(edited) == [standing]
    (issue,) = edited.github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)
    edited.emulator.edit_connection(edited.live("acme")["connection_id"], client_id="client-of-acme")
    assert results(edited.night()) == EVERY_JOB
    assert [issue.state for issue in edited.github.issues()] == ["closed"]
    assert not edited.writes()


def test_a_night_without_the_api_is_followed_by_a_report(edited: Scene) -> None:
    """Case 19: the run is red; what was found before is neither new again nor resolved."""
    edited.night()
    with without_api(edited):
        assert results(edited.night()) == {"drift": "failure", "issue": "success"}
    (issue,) = edited.github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)
    assert results(edited.night()) == EVERY_JOB
    assert standings(edited) == ["known"]
    assert len(edited.github.issues()) == 1


def test_a_night_with_a_wrong_secret_touches_nothing(edited: Scene) -> None:
    """Case 19: a run that fails altogether replaces no report, and no issue."""
    edited.night()
    before = [(issue.state, issue.body) for issue in edited.github.issues()]
    secret = edited.runner.secrets["STYTCH_SECRET"]
    edited.runner.secrets["STYTCH_SECRET"] = "secret-test-of-somebody-else"
    assert results(edited.night()) == {"drift": "failure", "issue": "skipped"}
    assert [(issue.state, issue.body) for issue in edited.github.issues()] == before
    edited.runner.secrets["STYTCH_SECRET"] = secret
    assert results(edited.night()) == EVERY_JOB
    assert standings(edited) == ["known"]


def test_an_incomplete_report_opens_the_issue(edited: Scene) -> None:
    """Cases 15 and 19: a deleted connection is told of, although another organization cannot be read."""
    edited.emulator.remove_connection(edited.live("acme")["connection_id"])
    edited.emulator.edit_organization("globex", organization_slug="renamed")
    assert results(edited.night()) == {"drift": "failure", "issue": "success"}
    (issue,) = edited.github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)
