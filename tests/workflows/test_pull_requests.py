"""Scenes of pull requests: the workflow `plan` on each push, and the one comment that follows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.workflows.scene import results

if TYPE_CHECKING:
    from tests.workflows.scene import Scene

UNTIL = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
EVERY_JOB = {"plan": "success", "comment": "success"}
FAILED = {"plan": "failure", "comment": "success"}


@pytest.fixture
def topic(scene: Scene) -> Scene:
    """A branch of a repository whose manifests are live."""
    scene.make_live("acme", "globex")
    scene.branch()
    return scene


def test_a_valid_change_gets_one_comment(topic: Scene) -> None:
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    assert results(topic.push(without=())) == {"validate": "success", **EVERY_JOB}
    jobs = topic.push()
    (comment,) = topic.comments
    assert "acme/okta" in comment
    assert "globex/okta" not in comment
    assert "a reviewer of `apply` will be asked" in comment
    assert "acme/okta" in jobs["comment"].summary
    plan = json.loads(topic.runner.artifact("reconciler-plan").read_text(encoding="utf-8"))
    assert [change["address"] for change in plan["resource_changes"]] == ["acme/okta"]
    assert plan["secrets_compared"] is False
    assert not topic.writes()


def test_a_broken_second_push_replaces_the_plan(topic: Scene) -> None:
    """6: the comment is never stale."""
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.push()
    assert "another-client" in topic.comments[-1]
    topic.repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    assert results(topic.push(without=())) == {"validate": "failure", **FAILED}
    (comment,) = topic.comments
    assert "another-client" not in comment
    assert "organizations/acme.yaml:5" in comment
    topic.repository.replace("organizations/acme.yaml", "issuer: http:", "issuer: https:")
    assert results(topic.push()) == EVERY_JOB
    (comment,) = topic.comments
    assert "another-client" in comment


def test_a_push_that_takes_the_change_back_replaces_the_plan(topic: Scene) -> None:
    """6: such a push no longer touches a manifest, so the workflow must not wait for one."""
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.push()
    topic.repository.replace("organizations/acme.yaml", "another-client", "client-of-acme")
    assert results(topic.push()) == EVERY_JOB
    (comment,) = topic.comments
    assert "another-client" not in comment
    file = topic.repository.folder / ".github/workflows/reconciler-plan.yml"
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow[True] == {"pull_request": None}, "YAML reads `on` as true"


def test_a_project_file_that_cannot_be_read_replaces_the_plan(topic: Scene) -> None:
    """6: where there is no plan at all, the comment has the errors."""
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.push()
    topic.repository.replace("reconciler.yaml", "version: 1", "version: 1\nsecret: x")
    assert results(topic.push()) == FAILED
    (comment,) = topic.comments
    assert "another-client" not in comment
    assert "reconciler.yaml:4" in comment


def test_a_job_that_leaves_no_plan_replaces_the_plan(topic: Scene) -> None:
    """6: also where the job ends before it runs the command, no earlier plan stands."""
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.push()
    topic.runner.lost = {"plan"}
    jobs = topic.push()
    assert results(jobs) == FAILED
    (comment,) = topic.comments
    assert "another-client" not in comment
    assert "no-result" in comment
    assert "no-result" in jobs["comment"].summary
    topic.runner.lost = set()
    assert results(topic.push()) == EVERY_JOB
    (comment,) = topic.comments
    assert "another-client" in comment


def test_a_missing_organization_does_not_hide_the_others(topic: Scene) -> None:
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.repository.replace("organizations/globex.yaml", "organization: globex", "organization: globexx")
    assert results(topic.push()) == FAILED
    (comment,) = topic.comments
    assert "another-client" in comment
    assert "globexx" in comment


def test_a_risk_is_approved_in_the_pull_request(topic: Scene) -> None:
    """4.4: the comment shows the block, then the approval; the merge applies it."""
    topic.repository.replace(
        "organizations/acme.yaml", "https://acme.okta.com/token", "https://a.example/token"
    )
    assert results(topic.push()) == FAILED
    assert "token-url-host-change" in topic.comments[-1]
    assert "blocked" in " ".join(topic.github.pull_request.labels)
    entries = [
        f"  - {{rule: {rule}, address: acme/okta, reason: 'Acme moved, CHG-1', until: {UNTIL}}}\n"
        for rule in ("token-url-host-change", "endpoint-off-site", "secret-kept")
    ]
    topic.repository.write("approvals/acme.yaml", "approvals:\n" + "".join(entries))
    assert results(topic.push()) == EVERY_JOB
    (comment,) = topic.comments
    assert "CHG-1" in comment
    assert results(topic.merge()) == {"plan": "success", "apply": "success", "result": "success"}
    assert topic.live("acme")["token_url"] == "https://a.example/token"


def test_deletes_beyond_the_limit_are_approved_in_the_pull_request(topic: Scene) -> None:
    topic.repository.replace("reconciler.yaml", "max_deletes: 3", "max_deletes: 1")
    for slug in ("acme", "globex"):
        topic.repository.replace(
            f"organizations/{slug}.yaml", "    display_name", "    state: absent\n    display_name"
        )
    assert results(topic.push()) == FAILED
    assert "too-many-deletes" in topic.comments[-1]
    topic.repository.write(
        "approvals/leavers.yaml", f"approvals:\n  - {{deletes: 1, reason: 'CHG-2', until: {UNTIL}}}\n"
    )
    assert results(topic.push()) == EVERY_JOB
    assert results(topic.merge())["apply"] == "success"
    assert not topic.emulator.oidc_connections("acme")
    assert not topic.emulator.oidc_connections("globex")


def test_a_fork_gets_no_credentials_and_is_only_validated(topic: Scene) -> None:
    topic.repository.replace("organizations/acme.yaml", "client-of-acme", "another-client")
    topic.github.calls.clear()
    jobs = topic.push(of="them/sso", without=())
    assert results(jobs) == {"validate": "success", "plan": "skipped", "comment": "skipped"}
    assert not list(topic.emulator.request_log)
    assert not topic.github.calls


def test_secrets_are_found_wherever_they_leak(topic: Scene) -> None:
    """Every scene ends with this check; here it is shown that it can fail."""
    canary = topic.runner.secrets["EXAMPLE_OKTA_CLIENT_SECRET"]
    assert not topic.leaks()
    topic.runner.records[0].out += canary
    topic.github.comment(canary)
    leaked = topic.runner.home / "leaked.json"
    leaked.write_text(json.dumps({"secret": topic.runner.secrets["STYTCH_SECRET"]}), encoding="utf-8")
    assert topic.leaks() == ["step 0", str(leaked)]
    leaked.unlink()
    topic.runner.records[0].out = ""
