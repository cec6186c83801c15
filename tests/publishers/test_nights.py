"""The issue night by night: `drift` and `verify` as the schedule runs them, published on both forges."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.publishers import fake_github, fake_gitlab
from tests.publishers.test_scenes import CANARY, golden
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]

HOSTILE = "https://evil.example/<img src=x>`@everyone`\n::error::"
UNSTABLE = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\+00:00|Z)", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "MINUTE"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
)


class Nights:
    """Runs the commands of a night, and publishes their reports on both forges."""

    def __init__(self, place: Workplace, github: FakeGitHub, gitlab: FakeGitLab) -> None:
        self.place = place
        self.github = github
        self.gitlab = gitlab

    def run(self, *commands: str, publish: tuple[str, ...] = ("drift", "verify")) -> str:
        """Run these commands, publish these reports; return what happened to the issue on GitHub."""
        for command in commands:
            self._report(command)
        files = [word for name in publish for word in (f"--{name}", f"{name}.json")]
        outputs = [
            self.place.run("publish", forge, "--name", "live", *files) for forge in ("github", "gitlab")
        ]
        assert [run.code for run in outputs] == [0, 0], outputs
        (done,) = {word for run in outputs for word in re.findall(r"issue (\w+(?: needed)?)", run.out)}
        return str(done)

    def _report(self, command: str) -> None:
        file = self.place.root / f"{command}.json"
        previous = ["--previous", file.name] if file.exists() else []
        self.place.run(command, "--output", f"json={file.name}", *previous, "-q")
        document = json.loads(file.read_text(encoding="utf-8"))
        self.hours = getattr(self, "hours", 0) + 24  # nights are a day apart
        later = datetime.fromisoformat(document["timestamp"]) + timedelta(hours=self.hours)
        file.write_text(json.dumps({**document, "timestamp": later.isoformat()}), encoding="utf-8")

    @property
    def issue(self) -> Any:
        """The latest issue on GitHub, which GitLab has as well; no secret is in it."""
        issue, other = self.github.issues()[-1], self.gitlab.issues[-1]
        assert (issue.title, issue.body.strip()) == (other["title"], other["description"].strip())
        assert [comment["body"] for comment in issue.comments] == other["notes"]
        assert CANARY not in f"{issue.body}{issue.comments}"
        return issue

    @property
    def text(self) -> str:
        """What the issue says, without what differs from run to run."""
        text = str(self.issue.body)
        for pattern, word in UNSTABLE:
            text = re.sub(pattern, word, text)
        return text


@pytest.fixture
def nights(
    bare: Workplace,
    running: RunningEmulator,
    github: FakeGitHub,
    gitlab: FakeGitLab,
    monkeypatch: pytest.MonkeyPatch,
) -> Nights:
    """Two customers whose identity providers run on the emulator; one secret expires soon."""
    bare.use(running)
    soon = (datetime.now(UTC).date() + timedelta(days=20)).isoformat()
    for slug, fields in (("acme", {"secret_expires_on": soon}), ("globex", {})):
        bare.emulator.add_organization(slug)
        bare.emulator.add_identity_provider(slug)
        bare.setenv(f"{slug.upper()}_CLIENT_SECRET", f"{CANARY}-{slug}")
        bare.declare(slug, issuer=f"{running.base_url}/idp/{slug}", **fields)
    bare.write("reconciler.yaml", "version: 1\nlimits: {requests_per_second: 500}\n")
    bare.applied()
    for name in ("GITHUB_EVENT_PATH", "GITHUB_SHA", "GITHUB_RUN_ID", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "GITHUB_TOKEN": fake_github.TOKEN,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_REPOSITORY": fake_github.REPOSITORY,
        "GITLAB_TOKEN": fake_gitlab.TOKEN,
        "CI_API_V4_URL": gitlab.api_url,
        "CI_PROJECT_ID": fake_gitlab.PROJECT,
    }.items():
        monkeypatch.setenv(name, value)
    return Nights(bare, github, gitlab)


def test_logins_that_fail_are_told_once_and_closed_when_they_work_again(
    nights: Nights, matches_golden: Any
) -> None:
    emulator = nights.place.emulator
    emulator.add_identity_provider("globex", clients={}, metadata={"issuer": HOSTILE})
    assert nights.run("drift", "verify") == "opened"
    assert nights.issue.title == "Login problems in live"
    matches_golden(nights.text, golden("night-logins-fail"))
    assert nights.run("drift", "verify") == "updated"
    assert nights.issue.comments == []
    assert "(since " in nights.issue.body
    emulator.remove_identity_provider("globex")
    emulator.add_identity_provider("globex")
    nights.place.declare("acme", issuer=f"{nights.place.base_url}/idp/acme")
    assert nights.run("drift", "verify") == "closed"


def test_both_parts_say_what_is_new_in_one_comment(nights: Nights, matches_golden: Any) -> None:
    emulator = nights.place.emulator
    nights.run("drift", "verify")
    connection = nights.place.live("globex")[0]
    emulator.edit_connection(connection["connection_id"], display_name="sso", client_id="somebody-elses")
    emulator.add_identity_provider("globex", metadata={"response_types_supported": ["token"]})
    assert nights.run("drift", "verify") == "updated"
    assert nights.issue.title == "Drift and login problems in live"
    matches_golden(nights.text, golden("night-drift-and-logins"))
    (comment,) = nights.issue.comments
    drift, logins = comment["body"].split("**New since**")[1:]
    assert "client_id" in drift
    assert "authorization code flow" in logins


def test_a_night_on_which_verify_did_not_run_keeps_its_findings(nights: Nights, matches_golden: Any) -> None:
    emulator = nights.place.emulator
    emulator.add_identity_provider("globex", clients={})
    nights.run("drift", "verify")
    connection = nights.place.live("acme")[0]
    emulator.edit_connection(connection["connection_id"], client_id="somebody-elses")
    assert nights.run("drift") == "updated"
    matches_golden(nights.text, golden("night-without-verify"))
    assert nights.run("drift", publish=("drift",)) == "updated"
    assert "does not know the client" in nights.issue.body
    assert len(nights.issue.comments) == 1


def test_a_night_on_which_drift_died_keeps_its_findings(nights: Nights) -> None:
    emulator = nights.place.emulator
    connection = nights.place.live("acme")[0]
    emulator.edit_connection(connection["connection_id"], client_id="somebody-elses")
    nights.run("drift", "verify")
    emulator.add_identity_provider("globex", clients={})
    assert nights.run("verify", publish=("verify",)) == "updated"
    assert "somebody-elses" in nights.issue.body
    assert "does not know the client" in nights.issue.body
    assert "there is no newer report" in nights.issue.body


def test_notes_open_no_issue(nights: Nights) -> None:
    manifest = nights.place.root / "organizations/acme.yaml"
    declared = json.loads(manifest.read_text(encoding="utf-8"))
    del declared["connections"]["sso"]["secret_expires_on"]
    declared["connections"]["sso"]["discovery"] = "off"
    manifest.write_text(json.dumps(declared), encoding="utf-8")
    assert nights.run("drift", "verify") == "not needed"


def test_an_approved_finding_opens_no_issue(nights: Nights) -> None:
    nights.place.emulator.add_identity_provider("globex", clients={})
    nights.place.declare("acme", issuer=f"{nights.place.base_url}/idp/acme")
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    approval = {"rule": "client-unknown", "address": "globex/sso", "reason": "CHG-1", "until": until}
    nights.place.write("approvals/globex.yaml", json.dumps({"approvals": [approval]}))
    assert nights.run("drift", "verify") == "not needed"


def test_reports_of_different_projects_are_not_one_issue(nights: Nights) -> None:
    nights.run("drift", "verify")
    file = nights.place.root / "verify.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["target"]["principal"] = "project-test-of-somebody-else"
    file.write_text(json.dumps(document), encoding="utf-8")
    run = nights.place.run("publish", "github", "--drift", "drift.json", "--verify", "verify.json")
    assert run.code == 1
    assert "are of different projects" in run.err
