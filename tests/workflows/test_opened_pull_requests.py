"""The optional jobs of the workflows: pins, and live edits, come back as pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.publishers.fake_github_pulls import FakeGitHubPulls
from tests.workflows.conftest import ask_no_other_host
from tests.workflows.scene import Scene, results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.runner import Runner


class Stage(Scene):
    """A scene whose jobs have exactly the permissions that their workflow names."""

    github: FakeGitHubPulls

    def start(self) -> None:
        """Make what is checked out the branch main on GitHub, and turn the optional jobs on."""
        self.runner.variables = {"RECONCILER_PINS": "true", "RECONCILER_ADOPT": "true"}
        self.runner.granted = self._grant_exactly
        self.push_main()

    def push_main(self) -> None:
        self.repository.commit("main")
        folder = self.repository.folder
        names = self.repository.git("ls-files").splitlines()
        files = {name: (folder / name).read_bytes() for name in names}
        self.github.git.push("main", files, sha=self.repository.head())

    def merge_pull_request(self) -> None:
        """Merge the only open pull request, and check main out."""
        (pull,) = self.github.open_pulls()
        self.github.merge(pull)
        for name, content in self.github.git.files("main").items():
            (self.repository.folder / name).write_bytes(content)

    def _grant_exactly(self, permissions: dict[str, str]) -> None:
        self.github.permissions = {name for name, access in permissions.items() if access == "write"}


@pytest.fixture
def stage(runner: Runner, repository: Repository, running: RunningEmulator) -> Iterator[Stage]:
    ask_no_other_host(repository)
    with FakeGitHubPulls() as github:
        stage = Stage(runner, repository, running, github)
        stage.start()
        yield stage
        assert not stage.leaks()


def test_pins_come_back_and_are_merged(stage: Stage) -> None:
    """Merge, apply, pins back, merged: nothing is left to do, and the branch goes."""
    jobs = stage.merge()
    assert results(jobs) == {"plan": "success", "apply": "success", "result": "success", "pins": "success"}
    (pull,) = stage.github.open_pulls()
    assert pull.base == "main"
    live = stage.live("acme")
    assert live["redirect_url"] in pull.body
    content = stage.github.git.files("reconciler/pins-test")["organizations/acme.yaml"].decode()
    assert f"connection_id: {live['connection_id']}" in content
    stage.merge_pull_request()
    jobs = stage.merge()
    assert jobs["pins"].result == "skipped"
    assert "No changes" in jobs["plan"].out


def test_pins_of_a_partial_apply_come_back(stage: Stage) -> None:
    stage.repository.replace(
        "organizations/globex.yaml", "EXAMPLE_OKTA_CLIENT_SECRET", "GLOBEX_CLIENT_SECRET"
    )
    stage.push_main()
    jobs = stage.merge()
    assert results(jobs)["apply"] == "failure"
    assert results(jobs)["pins"] == "success"
    (pull,) = stage.github.open_pulls()
    assert "`acme/okta`" in pull.body
    assert "globex/okta" not in pull.body


def test_a_night_with_a_live_edit(stage: Stage) -> None:
    """New, known, severe, and resolved: one pull request, one issue that links to it."""
    stage.merge()
    stage.merge_pull_request()
    stage.push_main()
    connection_id = stage.live("acme")["connection_id"]
    stage.emulator.edit_connection(connection_id, display_name="Acme @everyone SSO")
    for _ in range(2):
        jobs = stage.night()
        assert results(jobs) == {
            "drift": "success",
            "verify": "success",
            "issue": "skipped",
            "adopt": "success",
        }, jobs["adopt"].out
    (pull,) = stage.github.open_pulls()
    (issue,) = stage.github.issues()
    assert pull.title == "Adopt 1 live value in test"
    assert f"<https://github.example/acme/identity/pull/{pull.number}>" in issue.body
    stage.emulator.edit_connection(connection_id, issuer="https://acme.evil.example")
    stage.night()
    assert stage.github.open_pulls() == []
    assert "**No pull request declares these live values**" in issue.body
    assert "`issuer-host-change`" in issue.body
    stage.emulator.edit_connection(
        connection_id,
        issuer="https://acme.okta.com",
        display_name="acme Okta",
        token_url="https://acme.okta.com/t2",
    )
    stage.night()
    assert len(stage.github.open_pulls()) == 1
    stage.merge_pull_request()
    stage.push_main()
    stage.night()
    assert issue.state == "closed"
    assert stage.github.open_pulls() == []


def test_a_night_on_which_the_api_is_down_changes_nothing(stage: Stage) -> None:
    stage.merge()
    stage.merge_pull_request()
    stage.push_main()
    stage.emulator.edit_connection(stage.live("acme")["connection_id"], display_name="Acme SSO")
    stage.night()
    (pull,) = stage.github.open_pulls()
    before = (pull.body, stage.github.git.branches["reconciler/drift-test"])
    stage.runner.secrets["STYTCH_SECRET"] = "secret-test-of-somebody-else"
    assert results(stage.night()) == {"drift": "failure", "verify": "success", "issue": "skipped"}
    assert (pull.body, stage.github.git.branches["reconciler/drift-test"]) == before


def test_both_are_off_by_default(stage: Stage) -> None:
    stage.runner.variables = {}
    assert stage.merge()["pins"].result == "skipped"
    stage.emulator.edit_connection(
        stage.live("acme")["connection_id"], userinfo_url="https://acme.okta.com/me"
    )
    assert results(stage.night()) == {"drift": "success", "verify": "success", "issue": "success"}
    assert stage.github.pulls == []


def test_a_repository_that_forbids_it_says_so(stage: Stage) -> None:
    stage.github.may_create_pull_requests = False
    jobs = stage.merge()
    assert results(jobs) == {"plan": "success", "apply": "success", "result": "success", "pins": "failure"}
    assert "Settings > Actions > General > Workflow permissions" in jobs["pins"].out


@pytest.mark.parametrize(("name", "job"), [("apply", "pins"), ("drift", "adopt")])
def test_jobs_that_can_write_to_the_repository_hold_no_credentials(stage: Stage, name: str, job: str) -> None:
    file = stage.repository.folder / f".github/workflows/reconciler-{name}.yml"
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    writers = [name for name, job in jobs.items() if job["permissions"].get("contents") == "write"]
    assert writers == [job]
    assert "environment" not in jobs[job]
    assert "secrets." not in str(jobs[job])
