"""The comment of each scene of a pull request, from the first push until after the merge, word for word."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.publishers import fake_github
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import RunningEmulator
    from tests.publishers.fake_github import FakeGitHub
    from tests.support.workplace import CompletedRun, Workplace

__all__ = ["bare", "running"]

GOLDENS = Path(__file__).parent / "goldens"
LATER = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
PLACEHOLDER = "TODO, why and by which ticket"
CANARY = "c4nary-that-nobody-may-see"

UUID = r"\b(?!1{8})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
UNSTABLE = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\+00:00|Z)", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "MINUTE"),
    (re.escape(LATER), "LATER"),
    (r"`[0-9a-f]{7}`", "`COMMIT`"),
)


@pytest.fixture
def place(
    bare: Workplace, running: RunningEmulator, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> Workplace:
    """A repository whose main branch is live: two organizations, of which one has two connections."""
    bare.use(running)
    for slug in ("acme", "globex"):
        bare.add_organization(slug)
        bare.declare(slug)
        bare.setenv(f"{slug.upper()}_CLIENT_SECRET", f"{CANARY}-{slug}")
    bare.write("reconciler.yaml", "version: 1\nlimits: {requests_per_second: 500, concurrency: 1}\n")
    bare.applied()
    bare.git("init", "--quiet", "--initial-branch", "main")
    bare.commit()
    bare.git("checkout", "--quiet", "-b", "change")
    for name, value in {
        "GITHUB_TOKEN": fake_github.TOKEN,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_REPOSITORY": fake_github.REPOSITORY,
        "GITHUB_STEP_SUMMARY": str(bare.root.parent / "summary.md"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_EVENT_PATH", "GITHUB_SHA", "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    return bare


@pytest.fixture
def push(place: Workplace, github: FakeGitHub) -> Callable[..., str]:
    """Return what the comment says after a push, as the workflow of pull requests does it."""

    def push_(*options: str) -> str:
        place.commit()
        place.run("plan", "--out", "plan.json", "--changed-since", "main", "-q", *options)
        published = publish(place, "--plan", "plan.json", "--pull-request", "7")
        assert published.code == 0, published.output
        return body(github)

    return push_


@pytest.fixture
def merge(place: Workplace, github: FakeGitHub) -> Callable[..., str]:
    """Return what the comment on the merged pull request says after the apply."""

    def merge_(*options: str) -> str:
        commit = place.commit()
        github.pull_request.merged_as = commit
        place.run("apply", "--auto-approve", "-q", "--output", "json=apply.json", *options)
        published = publish(place, "--apply", "apply.json", "--commit", commit)
        assert published.code == 0, published.output
        return body(github)

    return merge_


def publish(place: Workplace, *words: str) -> CompletedRun:
    return place.run("publish", "github", "--name", "production", "--environment", "apply", *words)


def body(github: FakeGitHub) -> str:
    """Return the last comment without what differs from run to run; no comment has a secret."""
    text = github.pull_request.comments[-1]["body"]
    assert CANARY not in text
    for pattern, word in UNSTABLE:
        text = re.sub(pattern, word, text)
    ids: dict[str, str] = {}
    return re.sub(UUID, lambda match: ids.setdefault(match[0], f"ID-{len(ids) + 1}"), text)


def golden(name: str) -> Path:
    return GOLDENS / f"{name}.markdown"


def approve(place: Workplace, *entries: dict[str, Any]) -> None:
    entries_ = [{"reason": "Acme moved, CHG-1234", "until": LATER} | entry for entry in entries]
    place.write("approvals/acme.yaml", json.dumps({"approvals": entries_}, indent=2))


def move(place: Workplace) -> None:
    """Move the issuer of Acme to another owner, and its endpoints with it."""
    place.emulator.set_discovery("https://login.elsewhere.example", {})
    urls = {f"{name}_url": f"https://login.elsewhere.example/{name}" for name in ("token", "jwks")}
    place.declare("acme", issuer="https://login.elsewhere.example", **urls)


def test_a_valid_change(place: Workplace, push: Callable[..., str], matches_golden: Any) -> None:
    place.declare("globex", custom_scopes=["openid", "email", "groups"])
    matches_golden(push(), golden("valid-change"))


def test_a_broken_second_push(
    place: Workplace, github: FakeGitHub, push: Callable[..., str], matches_golden: Any
) -> None:
    """4.4, 6: a push that breaks a manifest replaces the plan by the errors."""
    place.declare("globex", client_id="new")
    push()
    place.write("organizations/globex.yaml", "organization: globex\nconnections: {sso: {isuer: x}}\n")
    text = push()
    assert len(github.pull_request.comments) == 1
    matches_golden(text, golden("broken-second-push"))


def test_a_second_push_that_has_no_plan_at_all(
    place: Workplace, github: FakeGitHub, push: Callable[..., str], matches_golden: Any
) -> None:
    """The run fails before there is a plan, and its JSON is complete all the same."""
    place.declare("globex", client_id="new")
    push()
    place.write("reconciler.yaml", "version: 1\nlimitz: {}\n")
    text = push()
    assert len(github.pull_request.comments) == 1
    matches_golden(text, golden("no-plan"))
    assert github.pull_request.labels == ["reconciler production: blocked"]


def test_an_organization_is_missing(place: Workplace, push: Callable[..., str], matches_golden: Any) -> None:
    place.declare("initech")
    place.setenv("INITECH_CLIENT_SECRET", CANARY)
    matches_golden(push(), golden("organization-missing"))


def test_blocked_by_a_risk_then_approved_in_the_pull_request(
    place: Workplace, github: FakeGitHub, push: Callable[..., str], matches_golden: Any
) -> None:
    """One moved issuer is one finding; its approvals are ready to paste, and do what they say."""
    move(place)
    blocked = push()
    matches_golden(blocked, golden("blocked"))
    assert blocked.count("⛔ **risk**") == 1
    (yaml,) = re.findall(r"```yaml\n(.*?)```", github.pull_request.comments[-1]["body"], re.DOTALL)
    place.write("approvals/acme.yaml", yaml)
    assert "the reason is still to be written" in push()
    place.write("approvals/acme.yaml", yaml.replace(PLACEHOLDER, "Acme moved, CHG-1234"))
    matches_golden(push(), golden("approved"))
    assert place.run("apply", "--auto-approve", "-q").code == 0


def test_a_plan_that_was_blocked_is_folded_once_it_was_accepted_by_hand(
    place: Workplace, github: FakeGitHub, push: Callable[..., str], merge: Callable[..., str]
) -> None:
    """The risk is accepted as an input of the workflow, and not in Git."""
    move(place)
    assert "Blocked" in push()
    document = json.loads((place.root / "plan.json").read_text(encoding="utf-8"))
    risks = [risk for risk in document["risks"] if risk["severity"] == "error"]
    time.sleep(1.1)  # reports are dated to the second
    merge(*(word for risk in risks for word in ("--accept-risk", f"{risk['code']}:{risk['address']}")))
    plan, result = (comment["body"] for comment in github.pull_request.comments)
    assert "Apply complete!" in result
    note, _, folded = plan.partition("<details><summary>Earlier report</summary>")
    assert "out of date" in note
    assert "Blocked" not in note
    assert "Blocked" in folded
    place.declare("globex", custom_scopes=["openid"])
    assert "out of date" not in push()


def test_deletes_beyond_the_limit_approved(
    place: Workplace, github: FakeGitHub, push: Callable[..., str], matches_golden: Any
) -> None:
    for slug in ("acme", "globex"):
        place.declare(slug, state="absent")
    matches_golden(push(), golden("deletes-blocked"))
    (yaml,) = re.findall(r"```yaml\n(.*?)```", github.pull_request.comments[-1]["body"], re.DOTALL)
    place.write("approvals/off-boarding.yaml", yaml.replace(PLACEHOLDER, "Acme and Globex left, CHG-1250"))
    matches_golden(push(), golden("deletes-approved"))


def test_merge_and_apply(place: Workplace, merge: Callable[..., str], matches_golden: Any) -> None:
    """6: after the merge, redirect_urls and the pins to be added stand on the same pull request."""
    place.add_organization("initech")
    place.declare("initech")
    place.setenv("INITECH_CLIENT_SECRET", f"{CANARY}-initech")
    text = merge()
    matches_golden(text, golden("applied"))
    summary = (place.root.parent / "summary.md").read_text(encoding="utf-8")
    assert "Pin what was created" in summary


def test_an_apply_that_partly_fails(place: Workplace, merge: Callable[..., str], matches_golden: Any) -> None:
    place.declare("globex", client_id="new")
    place.declare("acme", client_id="new")
    place.emulator.add_fault("update-oidc-connection:invalid_sso_idp:nth=2")
    matches_golden(merge(), golden("partly-failed"))


def test_a_fork(place: Workplace, github: FakeGitHub, matches_golden: Any) -> None:
    """A fork's run has no credentials: its validation is in the job summary."""
    place.write("organizations/globex.yaml", "organization: globex\nconnections: {sso: {isuer: x}}\n")
    place.run("validate", "--output", "json=validation.json", "-q")
    assert publish(place, "--plan", "validation.json").code == 0
    assert github.pull_request.comments == []
    summary = (place.root.parent / "summary.md").read_text(encoding="utf-8")
    matches_golden(summary, golden("fork"))


def test_a_live_edit_that_is_adopted(place: Workplace, push: Callable[..., str], matches_golden: Any) -> None:
    """4.4: the risk of what is live already is shown, or adopting it would launder it."""
    connection = place.live("acme")[0]
    place.emulator.edit_connection(connection["connection_id"], issuer="https://login.elsewhere.example")
    place.run("import", "--update", "acme/sso", "-q")
    matches_golden(push(), golden("already-live"))


def test_a_thousand_connections_of_which_three_lack_their_secret(
    place: Workplace, push: Callable[..., str], matches_golden: Any
) -> None:
    names = [f"customer-{number:04}" for number in range(1_000)]
    place.emulator.add_organization("large")
    secrets = {name: f"{name.upper().replace('-', '_')}_CLIENT_SECRET" for name in names}
    connections = {
        name: {"client_id": name, "client_secret": f"${{env:{secret}}}"} for name, secret in secrets.items()
    }
    place.write("organizations/large.yaml", json.dumps({"organization": "large", "connections": connections}))
    for name in names[:-3]:
        place.setenv(secrets[name], CANARY)
    text = push()
    assert len(text) < 65_536
    matches_golden(text, golden("secrets-missing"))


def test_nothing_to_change(place: Workplace, push: Callable[..., str], matches_golden: Any) -> None:
    """One line, and when it was looked at."""
    path = place.root / "organizations" / "acme.yaml"
    path.write_text(f"# reviewed\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    matches_golden(push(), golden("nothing"))
