"""Runs every script of the GitLab pipeline against the emulator and a fake GitLab, scene by scene."""

from __future__ import annotations

import json
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from reconciler import __version__
from reconciler.cli.main import main
from tests.examples.gitlab_pipeline import (
    FILE,
    FORK,
    JOBS,
    PIPELINE,
    TARGET_PROJECT,
    Project,
    Variable,
    holds,
    needs,
)
from tests.publishers.fake_gitlab import TOKEN
from tests.publishers.fake_gitlab_merge_requests import FakeGitLabMergeRequests
from tests.publishers.receiver import SECRET, Receiver
from tests.workflows.conftest import OKTA_CLIENT_SECRET, ask_no_other_host, use_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository

GLOBEX_CLIENT_SECRET = "canary-of-globex-77c1"
PLAN, APPLY, PUBLISH = ("plan",), ("apply",), ("publish",)
BOTH = ("plan", "apply")
RULES = (
    "issuer-host-change",
    "authorization-url-host-change",
    "token-url-host-change",
    "userinfo-url-host-change",
    "jwks-url-host-change",
    "secret-kept",
)
APPROVALS = "approvals:\n" + "".join(
    f"  - rule: {rule}\n"
    "    address: acme/okta\n"
    "    reason: Acme moved, CHG-1\n"
    f"    until: {datetime.now(UTC).date() + timedelta(days=9)}\n"
    for rule in RULES
)


@pytest.fixture
def gitlab() -> Iterator[FakeGitLabMergeRequests]:
    with FakeGitLabMergeRequests() as fake:
        yield fake


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def project(
    repository: Repository,
    running: RunningEmulator,
    gitlab: FakeGitLabMergeRequests,
    receiver: Receiver,
    warm: Path,
) -> Iterator[Project]:
    """The project as the head of the file describes it; afterwards, no secret was printed or published."""
    credentials = running.emulator.settings.project
    settings = {
        "STYTCH_PROJECT_ID": Variable(value=credentials.project_id, environments=BOTH),
        "STYTCH_SECRET": Variable(value=credentials.secret, environments=BOTH),
        "EXAMPLE_OKTA_CLIENT_SECRET": Variable(
            value=OKTA_CLIENT_SECRET, environments=APPLY, is_protected=True
        ),
        "GLOBEX_CLIENT_SECRET": Variable(value=GLOBEX_CLIENT_SECRET, environments=APPLY, is_protected=True),
        "GITLAB_TOKEN": Variable(value=TOKEN, environments=PUBLISH),
        "RECONCILER_WEBHOOK_URL": Variable(value=receiver.url, environments=PUBLISH, is_protected=True),
        "RECONCILER_WEBHOOK_SECRET": Variable(value=SECRET, environments=PUBLISH, is_protected=True),
    }
    server = {"STYTCH_BASE_URL": running.base_url, "CI_API_V4_URL": gitlab.api_url}
    repository.replace("organizations/globex.yaml", "EXAMPLE_OKTA_CLIENT_SECRET", "GLOBEX_CLIENT_SECRET")
    ask_no_other_host(repository)
    repository.commit("separate secrets")
    project = Project(repository.folder, settings, server, warm)
    yield project
    published = [note["body"] for note in gitlab.notes] + [str(issue) for issue in gitlab.issues]
    published += [str(request) for request in gitlab.merge_requests]
    sent = [call.content.decode() for call in receiver.calls]
    for variable in (*settings.values(), Variable(value="canary", environments=())):
        if variable.value != credentials.project_id:
            assert not [text for text in (*project.outputs, *published, *sent) if variable.value in text]


def head(repository: Repository) -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository.folder, text=True).strip()


def change(repository: Repository, old: str, new: str, name: str = "acme") -> str:
    """Commit a change, and return the commit before it."""
    base = head(repository)
    repository.replace(f"organizations/{name}.yaml", old, new)
    repository.commit("change")
    return base


def test_the_version_is_this_one() -> None:
    assert PIPELINE["variables"]["RECONCILER_VERSION"] == __version__


def test_a_merge_request_from_the_first_push_to_the_result(
    project: Project,
    repository: Repository,
    gitlab: FakeGitLabMergeRequests,
    running: RunningEmulator,
    receiver: Receiver,
) -> None:
    """Valid change; broken second push; repaired; merged; one of two customers cannot be applied."""
    base = change(repository, "client-of-acme", "another-client")
    first = project.merge_request(base)
    assert first.jobs() == {
        "validate": "on_success", "plan merge request": "on_success", "comment": "always",
    }  # fmt: skip
    assert "Success!" in first.run("validate", installs=True)
    first.run("plan merge request")
    first.run("comment")
    (note,) = gitlab.notes
    assert "acme/okta" in note["body"]
    assert "globex/okta" not in note["body"]

    change(repository, "issuer:", "issuer: [")
    second = project.merge_request(base)
    second.run("validate", code=1)
    second.run("plan merge request", code=1)
    second.run("comment")
    (note,) = gitlab.notes
    assert "another-client" not in note["body"]
    assert "organizations/acme.yaml" in note["body"]

    change(repository, "issuer: [", "issuer:")
    third = project.merge_request(base)
    third.run("plan merge request")
    third.run("comment")
    (note,) = gitlab.notes
    assert "acme/okta" in note["body"]
    assert not [request for request in running.emulator.request_log if request.method != "GET"]

    gitlab.merge_as(head(repository))
    del project.settings["GLOBEX_CLIENT_SECRET"]
    merged = project.branch()
    assert merged.jobs() == {
        "validate": "on_success", "plan": "on_success", "planned": "always", "apply": "manual",
        "result": "always",
    }  # fmt: skip
    merged.run("plan")
    said = merged.run("apply", code=1)
    assert said.index("GLOBEX_CLIENT_SECRET") < said.index("1 added")
    assert running.emulator.oidc_connections("acme")[0]["status"] == "active"
    assert not running.emulator.oidc_connections("globex")
    merged.run("result")
    result = gitlab.notes[-1]["body"]
    assert running.emulator.oidc_connections("acme")[0]["redirect_url"] in result
    assert "GLOBEX_CLIENT_SECRET" in result
    (call,) = receiver.calls
    event = Webhook(SECRET).verify(call.content, dict(call.headers))
    assert (event["type"], event["data"]["counts"]["added"]) == ("reconciler.apply", 1)


def test_jobs_that_leave_no_result_are_told(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests
) -> None:
    """Jobs that end before they run the command: no note of an earlier push or plan stands in their place."""
    base = change(repository, "client-of-acme", "another-client")
    first = project.merge_request(base)
    first.run("plan merge request")
    first.run("comment")
    project.merge_request(base).run("comment")
    (note,) = gitlab.notes
    assert "another-client" not in note["body"]
    assert "no-result" in note["body"]
    gitlab.merge_as(head(repository))
    merged = project.branch()
    merged.run("planned")
    assert "run the apply workflow again" in gitlab.notes[0]["body"]
    merged.run("plan")
    merged.run("result")
    (note,) = gitlab.notes
    assert "2 to add" in note["body"]
    assert "was not applied" in note["body"]


def test_a_blocked_change_is_shown_and_approved_in_the_merge_request(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests, running: RunningEmulator
) -> None:
    apply_all(project)
    base = change(repository, "https://acme.okta.com", "https://acme.example")
    blocked = project.merge_request(base)
    blocked.run("plan merge request", code=1)
    blocked.run("comment")
    assert "issuer-host-change" in gitlab.notes[0]["body"]
    assert sorted(gitlab.labels) == ["reconciler test: blocked", "reconciler test: risks"]

    repository.write("approvals/acme.yaml", APPROVALS)
    repository.replace("reconciler.yaml", "version: 1\n", "version: 1\napprovals: [approvals/*.yaml]\n")
    repository.commit("approve")
    approved = project.merge_request(base)
    approved.run("plan merge request")
    approved.run("comment")
    assert gitlab.labels == ["reconciler test: risks"]
    gitlab.merge_as(head(repository))
    merged = project.branch()
    merged.run("plan")
    assert "1 changed" in merged.run("apply")
    assert running.emulator.oidc_connections("acme")[0]["issuer"] == "https://acme.example"


def test_a_pipeline_that_is_started_by_hand_takes_what_is_accepted(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests, running: RunningEmulator
) -> None:
    """The same values in a push, which can set variables too, accept nothing."""
    apply_all(project)
    change(repository, "https://acme.okta.com", "https://acme.example")
    accepted = {"RECONCILER_ACCEPT_RISK": "\r\n".join(f"{rule}:acme/okta" for rule in RULES)}
    pushed = project.branch("push", accepted)
    pushed.run("plan", code=1)
    gitlab.merge_as(head(repository))
    pushed.run("planned")
    assert "Nothing is applied while this plan is blocked" in gitlab.notes[0]["body"]
    assert "issuer-host-change" in pushed.run("apply", code=1)
    assert running.emulator.oidc_connections("acme")[0]["issuer"] == "https://acme.okta.com"
    started = project.branch("web", accepted)
    started.run("plan")
    assert "1 changed" in started.run("apply")
    assert running.emulator.oidc_connections("acme")[0]["issuer"] == "https://acme.example"


def test_targets_rotation_and_deletes_are_inputs(
    project: Project, repository: Repository, running: RunningEmulator
) -> None:
    apply_all(project)
    project.settings["EXAMPLE_OKTA_CLIENT_SECRET"] = Variable(
        value="canary-of-a-new-secret", environments=APPLY, is_protected=True
    )
    started = project.branch("web", {"RECONCILER_TARGET": "acme/*", "RECONCILER_ROTATE": "acme/okta\n"})
    assert "globex" not in started.run("plan")
    assert "1 changed" in started.run("apply")
    for name in ("acme", "globex"):
        change(repository, "    display_name", "    state: absent\n    display_name", name)
    project.branch("push", {"RECONCILER_ALLOW_DELETES": "2"}).run("plan", code=1)
    started = project.branch("web", {"RECONCILER_ALLOW_DELETES": "2"})
    started.run("plan")
    assert "2 destroyed" in started.run("apply")


HOSTILE = (
    'acme/*"; touch "$CI_PROJECT_DIR/pwned"; "',
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned #",
    "--auto-approve",
    "acme/okta \x01\x1b[2K",
)
INPUTS = ("TARGET", "ROTATE", "ACCEPT_RISK", "ALLOW_DELETES")


def test_every_line_of_an_input_is_one_argument(project: Project, tmp_path: Path) -> None:
    """Quotes, line ends, substitutions and options in an input reach the command as they are."""
    (tmp_path / "reconciler").write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> "$RECORD"\n', encoding="utf-8")
    (tmp_path / "reconciler").chmod(0o755)
    record = tmp_path / "record"
    project.programs = tmp_path
    inputs = {f"RECONCILER_{name}": "\r\n\n".join(HOSTILE) for name in INPUTS}
    started = project.branch("web", {"RECORD": str(record), **inputs})
    started.run("plan")
    started.run("apply")
    given = record.read_text(encoding="utf-8").split("\0")
    for name in INPUTS:
        option = f"--{name.lower().replace('_', '-')}"
        jobs = 1 if name == "ROTATE" else 2
        assert [word for word in given if word.startswith(f"{option}=")] == jobs * [
            f"{option}={value}" for value in HOSTILE
        ]
    assert not (project.folder / "pwned").exists()


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_that_makes_no_sense_is_refused(
    project: Project, running: RunningEmulator, name: str
) -> None:
    started = project.branch("web", {f"RECONCILER_{name}": HOSTILE[0]})
    started.run("plan", code=1)
    started.run("apply", code=1)
    assert not running.emulator.oidc_connections("acme")


def test_nightly_drift_is_new_known_and_resolved_also_around_a_failed_night(
    project: Project, running: RunningEmulator, gitlab: FakeGitLabMergeRequests, receiver: Receiver
) -> None:
    """Case 19: what is known is told whatever the exit code, and a failed night changes nothing."""
    apply_all(project)
    connection_id = running.emulator.oidc_connections("acme")[0]["connection_id"]
    running.emulator.edit_connection(connection_id, client_id="somebody-elses")
    assert project.branch("schedule").jobs() == {
        "drift": "on_success", "verify": "on_success", "issue": "always"
    }  # fmt: skip
    night(project)
    (issue,) = gitlab.issues
    assert "acme/okta" in issue["description"]
    assert issue["notes"] == []

    with socket.create_server(("127.0.0.1", 0)) as reserved:
        down = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    night(project, {"STYTCH_BASE_URL": down}, drift=1)
    assert (issue["state"], issue["notes"]) == ("opened", [])

    running.emulator.edit_organization("globex", organization_slug="renamed")
    assert "Since" in night(project, drift=1)
    assert "acme/okta" in issue["description"]

    running.emulator.edit_organization("renamed", organization_slug="globex")
    running.emulator.edit_connection(connection_id, client_id="client-of-acme")
    night(project)
    assert issue["state"] == "closed"
    assert len(gitlab.issues) == 1
    events = [Webhook(SECRET).verify(call.content, dict(call.headers))["data"] for call in receiver.calls]
    standings = [tuple(len(data[key]) for key in ("new", "known", "resolved")) for data in events]
    assert standings == [(1, 0, 0), (0, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert [data["text"].partition(":")[0] for data in events] == [
        "Drift in test", "Drift in test is not known", "Drift in test", "No drift in test",
    ]  # fmt: skip
    assert [data["complete"] for data in events] == [True, False, False, True]


def test_logins_are_verified_on_their_own_interval(
    project: Project,
    repository: Repository,
    running: RunningEmulator,
    gitlab: FakeGitLabMergeRequests,
    receiver: Receiver,
) -> None:
    """A night without `verify`, or on which it fails, keeps its findings; what is found leaves it green."""
    use_provider(repository, running, "acme", clients={})
    repository.commit("move to the provider")
    apply_all(project)
    weekly = {"RECONCILER_VERIFY_DAYS": "7"}
    nightly(project, weekly)
    (issue,) = gitlab.issues
    assert issue["title"] == "Login problems in test"
    assert "does not know the client" in issue["description"]

    running.emulator.remove_identity_provider("acme")
    running.emulator.add_identity_provider("acme")
    assert "verify is not due" in nightly(project, weekly)
    assert "there is no newer report" in issue["description"]
    make_verify_due(project)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        down = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    nightly(project, weekly | {"STYTCH_BASE_URL": down}, verify=1, drift=1)
    assert (issue["state"], issue["notes"]) == ("opened", [])
    assert "does not know the client" in issue["description"]
    make_verify_due(project)
    nightly(project, weekly)
    assert issue["state"] == "closed"
    kinds = [json.loads(call.content)["type"] for call in receiver.calls]
    assert kinds.count("reconciler.verify") == 3


def test_secrets_are_probed_where_that_is_chosen(
    project: Project, repository: Repository, running: RunningEmulator, gitlab: FakeGitLabMergeRequests
) -> None:
    use_provider(repository, running, "acme", clients={"client-of-acme": "another-secret"})
    repository.commit("move to the provider")
    apply_all(project)
    nightly(project, {"RECONCILER_PROBE_CREDENTIALS": "true"})
    assert "secret-wrong" in gitlab.issues[0]["description"]
    assert "verify" not in project.branch("schedule", {"RECONCILER_VERIFY_DAYS": "0"}).jobs()
    said = project.branch("schedule", {"RECONCILER_VERIFY_DAYS": "a[$(id)]"}).run("verify", code=1)
    assert "must be a number of days" in said


def test_pins_and_live_values_come_back_as_merge_requests_where_wanted(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests, running: RunningEmulator
) -> None:
    names = ("reconciler.yaml", "organizations/acme.yaml", "organizations/globex.yaml")
    files = {name: (repository.folder / name).read_bytes() for name in names}
    gitlab.git.branches["main"] = gitlab.git.add(files, (), "begin", "dev", sha=head(repository))
    merged = project.branch("push", {"RECONCILER_PINS": "true"})
    merged.run("plan")
    merged.run("apply")
    assert "no pull request was merged" in merged.run("result")
    (pins,) = gitlab.open_pulls()
    connection = running.emulator.oidc_connections("acme")[0]
    assert connection["connection_id"] in pins["description"]

    running.emulator.edit_connection(connection["connection_id"], token_url="https://acme.okta.com/token2")
    night(project)
    assert gitlab.open_pulls() == [pins]
    night(project, {"RECONCILER_ADOPT": "true"})
    _, adopted = gitlab.open_pulls()
    assert "https://acme.okta.com/token2" in adopted["description"]
    assert "merge_requests" in gitlab.issues[0]["description"]


def test_the_first_night_fails(project: Project, gitlab: FakeGitLabMergeRequests) -> None:
    """The document of a failed run is neither kept as a report nor published."""
    secret = Variable(value="secret-test-of-somebody-else", environments=BOTH)
    project.settings["STYTCH_SECRET"] = secret
    night(project, drift=1)
    assert (gitlab.issues, project.cache) == ([], {})


@pytest.mark.parametrize("runs_in", [FORK, TARGET_PROJECT], ids=["in the fork", "started by a member"])
def test_a_fork_is_only_validated(project: Project, repository: Repository, runs_in: str) -> None:
    pipeline = project.merge_request(head(repository), source=FORK, runs_in=runs_in)
    assert pipeline.jobs() == {"validate": "on_success"}
    seen = set(pipeline.environment("validate").values())
    assert not [name for name, variable in project.settings.items() if variable.value in seen]


def test_no_job_of_a_merge_request_sees_a_secret_of_a_customer(
    project: Project, repository: Repository
) -> None:
    """Each job sees what the head of the file says, and no pipeline of an unprotected branch applies."""
    names = project.settings.keys()
    pipeline = project.merge_request(head(repository))
    seen = {job: names & pipeline.environment(job).keys() for job in pipeline.jobs()}
    assert seen == {
        "validate": set(),
        "plan merge request": {"STYTCH_PROJECT_ID", "STYTCH_SECRET"},
        "comment": {"GITLAB_TOKEN"},
    }
    assert project.branch(protected=False).jobs() == {}
    merged = project.branch()
    webhook = {"RECONCILER_WEBHOOK_URL", "RECONCILER_WEBHOOK_SECRET"}
    assert names & merged.environment("plan").keys() == {"STYTCH_PROJECT_ID", "STYTCH_SECRET"}
    assert names & merged.environment("apply").keys() == names - {"GITLAB_TOKEN"} - webhook
    assert names & merged.environment("result").keys() == {"GITLAB_TOKEN"} | webhook


def test_a_token_without_the_scope_and_a_closed_merge_request(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests
) -> None:
    base = change(repository, "client-of-acme", "another-client")
    pipeline = project.merge_request(base)
    pipeline.run("plan merge request")
    gitlab.scopes = {"read_api"}
    said = " ".join(pipeline.run("comment", code=1).split())
    assert "answered 403: insufficient_scope" in said
    assert "it needs the scope `api`" in said
    assert not gitlab.notes
    gitlab.scopes, gitlab.state = {"api"}, "closed"
    pipeline.run("comment")
    assert "acme/okta" in gitlab.notes[0]["body"]


def test_a_plan_file_in_the_merge_request_is_not_published(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests
) -> None:
    base = head(repository)
    repository.write("plan.json", "{}")
    repository.replace("organizations/acme.yaml", "issuer:", "issuer: [")
    repository.commit("pretend")
    pipeline = project.merge_request(base)
    pipeline.run("plan merge request", code=1)
    assert pipeline.runs["plan merge request"].artifacts["plan.json"] != b"{}"


def test_a_file_of_the_repository_does_not_pass_for_a_result(
    project: Project, repository: Repository, gitlab: FakeGitLabMergeRequests
) -> None:
    """Threats 1: a merge request adds a plan, and lets the job fail that would write one."""
    base = change(repository, "client-of-acme", "another-client")
    pipeline = project.merge_request(base)
    pipeline.run("plan merge request")
    harmless = pipeline.runs["plan merge request"].artifacts["plan.json"].decode()
    results = ("plan", "apply", "secrets", "report", "drift", "logins", "last-logins", "verify")
    for name in (f"{result}.json" for result in results):
        repository.write(name, harmless)
        repository.git("add", "--force", name)
        repository.commit("pretend")
        said = project.merge_request(base).run("comment", code=1)
        assert f"these are results of jobs: {name}" in said
        merged = project.branch()
        for job in ("planned", "apply", "result"):
            assert name in merged.run(job, code=1)
        for job in ("drift", "verify", "issue"):
            assert name in project.branch("schedule").run(job, code=1)
        repository.git("rm", "-q", "-f", name)
    assert (gitlab.notes, gitlab.issues, project.cache) == ([], [], {})


def test_jobs_are_applied_one_at_a_time_and_by_hand_unless_automatic(project: Project) -> None:
    assert JOBS["apply"]["resource_group"] == "reconciler"
    assert JOBS["apply"]["environment"] == "apply"
    interruptible = {name for name, job in JOBS.items() if job.get("interruptible")}
    assert interruptible == {"plan merge request", "comment"}
    assert "interruptible" not in PIPELINE["default"]
    assert project.branch().jobs()["apply"] == "manual"
    assert project.branch("push", {"RECONCILER_APPLY": "automatic"}).jobs()["apply"] == "on_success"


def test_every_job_has_a_stage_and_needs_an_earlier_one() -> None:
    stages = PIPELINE["stages"]
    for job in JOBS.values():
        for needed in needs(job):
            assert stages.index(JOBS[needed]["stage"]) < stages.index(job["stage"])


def test_conditions_are_evaluated_as_gitlab_does() -> None:
    assert holds('$A == "x" && $B =~ /^(y|z)$/ && $C == $D', {"A": "x", "B": "z"})
    assert not holds("$A == $B", {"A": "x"})


def apply_all(project: Project) -> None:
    merged = project.branch()
    merged.run("plan")
    assert "2 added" in merged.run("apply")


def night(project: Project, variables: Mapping[str, str] | None = None, *, drift: int = 0) -> str:
    """Run the scheduled jobs, and return what `drift` printed; ``variables`` are other than usual."""
    pipeline = project.branch("schedule", variables)
    said = pipeline.run("drift", code=drift)
    pipeline.run("issue")
    return said


def nightly(
    project: Project, variables: Mapping[str, str] | None = None, *, drift: int = 0, verify: int = 0
) -> str:
    """Run all scheduled jobs, and return what `verify` printed."""
    pipeline = project.branch("schedule", variables)
    pipeline.run("drift", code=drift)
    said = pipeline.run("verify", code=verify)
    pipeline.run("issue")
    return said


def make_verify_due(project: Project) -> None:
    """Let a week pass since the last run of `verify`."""
    report = json.loads(project.cache["verify.json"])
    report["timestamp"] = (datetime.fromisoformat(report["timestamp"]) - timedelta(days=7)).isoformat()
    project.cache["verify.json"] = json.dumps(report, indent=2).encode()


def test_init_writes_the_pipeline_and_what_it_installs_from(tmp_path: Path) -> None:
    assert main(["init", "--ci", "gitlab", str(tmp_path)]) == 0
    assert (tmp_path / ".gitlab-ci.yml").read_bytes() == FILE.read_bytes()
    assert {path.name for path in (tmp_path / ".github").rglob("*.*")} >= {"install.py", "requirements.lock"}
    assert not (tmp_path / ".github/workflows").exists()
