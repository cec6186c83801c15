"""Scenes of the nights: the workflow `drift`, and the one issue that it opens, updates and closes."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.workflows.conftest import use_provider
from tests.workflows.scene import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.scene import Scene

EVERY_JOB = {"drift": "success", "verify": "success", "issue": "success"}


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
        assert results(edited.night()) == EVERY_JOB | {"drift": "failure"}
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
    make_verify_due(edited)
    assert results(edited.night()) == {"drift": "failure", "verify": "failure", "issue": "skipped"}
    assert [(issue.state, issue.body) for issue in edited.github.issues()] == before
    edited.runner.secrets["STYTCH_SECRET"] = secret
    assert results(edited.night()) == EVERY_JOB
    assert standings(edited) == ["known"]


def test_an_incomplete_report_opens_the_issue(edited: Scene) -> None:
    """Cases 15 and 19: a deleted connection is told of, although another organization cannot be read."""
    edited.emulator.remove_connection(edited.live("acme")["connection_id"])
    edited.emulator.edit_organization("globex", organization_slug="renamed")
    assert results(edited.night()) == {"drift": "failure", "verify": "failure", "issue": "success"}
    (issue,) = edited.github.issues()
    assert (issue.state, "acme/okta" in issue.body) == ("open", True)


@pytest.fixture
def broken(scene: Scene, repository: Repository, running: RunningEmulator) -> Scene:
    """The identity provider of Acme does not know the client."""
    use_provider(repository, running, "acme", clients={})
    repository.commit("move to the provider")
    scene.make_live("acme", "globex")
    issuer = f"{running.base_url}/idp/acme"
    urls = {"authorization_url": "authorize", "token_url": "token", "userinfo_url": "userinfo"}
    scene.emulator.edit_connection(
        scene.live("acme")["connection_id"],
        issuer=issuer,
        jwks_url=f"{issuer}/jwks",
        **{name: f"{issuer}/{path}" for name, path in urls.items()},
    )
    return scene


def make_verify_due(scene: Scene, days: int = 1) -> None:
    """Let so many days pass since the last run of `verify`."""
    file = scene.runner.cache("reconciler-verify-")
    report = json.loads(file.read_text(encoding="utf-8"))
    report["timestamp"] = (datetime.fromisoformat(report["timestamp"]) - timedelta(days=days)).isoformat()
    file.write_text(json.dumps(report), encoding="utf-8")


def test_logins_that_fail_are_told_once_and_leave_the_night_green(broken: Scene) -> None:
    """`verify` has an interval of its own: a night on which it is not due keeps its findings."""
    broken.runner.variables["RECONCILER_VERIFY_DAYS"] = "7"
    assert results(broken.night()) == EVERY_JOB
    (issue,) = broken.github.issues()
    assert issue.title == "Login problems in test"
    assert "does not know the client" in issue.body
    make_verify_due(broken, days=7)
    broken.night()
    assert "(since " in issue.body
    broken.emulator.remove_identity_provider("acme")
    broken.emulator.add_identity_provider("acme")
    assert results(broken.night()) == EVERY_JOB
    assert "there is no newer report" in issue.body
    assert (issue.state, issue.comments) == ("open", [])
    make_verify_due(broken, days=7)
    broken.night()
    assert (issue.state, issue.comments) == ("closed", [])
    assert "Resolved: 1 finding" in issue.body


def test_a_job_that_died_neither_closes_the_issue_nor_hides_the_other_part(broken: Scene) -> None:
    broken.night()
    (issue,) = broken.github.issues()
    broken.emulator.edit_connection(broken.live("globex")["connection_id"], client_id="somebody-elses")
    for lost, text in (("verify", "does not know the client"), ("drift", "somebody-elses")):
        broken.runner.lost = {lost}
        make_verify_due(broken)
        assert results(broken.night()) == EVERY_JOB | {lost: "failure"}
        assert (issue.state, issue.title) == ("open", "Drift and login problems in test")
        assert text in issue.body
        assert "there is no newer report" in issue.body


def test_verify_can_be_turned_off(broken: Scene) -> None:
    broken.runner.variables["RECONCILER_VERIFY_DAYS"] = "0"
    assert results(broken.night()) == EVERY_JOB | {"verify": "skipped"}
    assert broken.github.issues() == []


def test_secrets_are_probed_where_that_is_chosen(broken: Scene) -> None:
    broken.emulator.add_identity_provider("acme", clients={"client-of-acme": "another-secret"})
    broken.runner.variables["RECONCILER_PROBE_CREDENTIALS"] = "true"
    assert results(broken.night()) == EVERY_JOB
    assert "secret-wrong" in broken.github.issues()[0].body


def test_a_report_in_the_repository_is_not_the_previous_one(edited: Scene) -> None:
    """Threats 1: without a cached report, a merged file would make what is new known."""
    edited.night()
    for kind in ("drift", "verify"):
        forged = edited.runner.artifact(f"reconciler-{kind}").read_text(encoding="utf-8")
        for folder in ("", "reports/"):
            edited.repository.write(f"{folder}reconciler-{kind}.json", forged)
        edited.runner.cache(f"reconciler-{kind}-").unlink()
    edited.repository.commit("merged reports")
    assert results(edited.night()) == EVERY_JOB
    for kind in ("drift", "verify"):
        report = json.loads(edited.runner.artifact(f"reconciler-{kind}").read_text(encoding="utf-8"))
        assert report["previous_timestamp"] == ""
