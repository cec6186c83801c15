"""Codes about the command itself, and about the documents that it reads and writes."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any, NoReturn

import pyrage

from reconciler.cli import wiring
from tests.codes.provoking import provokes
from tests.publishers.fake_forge import Answer, Call, Fault
from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub
from tests.support.terminal import terminal
from tests.support.workplace import CompletedRun

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def plan(place: Workplace, *words: str) -> CompletedRun:
    return place.run("plan", "--format", "json", *words)


@provokes("usage-error")
def a_target_that_nothing_matches(place: Workplace) -> CompletedRun:
    return plan(place, "--target", "nobody/*")


@provokes("bug")
def a_defect(place: Workplace) -> CompletedRun:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("a defect")

    place.replace(wiring, "project_of", broken)
    return plan(place)


@provokes("cancelled")
def an_apply_that_is_not_approved(place: Workplace) -> CompletedRun:
    with terminal(place, "apply", "--format", "json") as session:
        session.wait_for("Only 'yes' will be accepted to approve.")
        session.type("no\n")
        code, out = session.end()
    return CompletedRun(code, out, session.screen)


@provokes("interrupted")
def a_plan_that_is_interrupted(place: Workplace) -> CompletedRun:
    place.emulator.add_fault("list-connections:hang:seconds=60")
    with place.start("plan", "--format", "json") as process:
        while not place.emulator.request_log.of("search-organizations"):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    return CompletedRun(process.returncode, out, err)


@provokes("output-not-written")
def a_full_disk(place: Workplace) -> CompletedRun:
    return plan(place, "--output", "json=/dev/full")


@provokes("secret-unavailable")
def a_secret_that_is_not_set(place: Workplace) -> CompletedRun:
    place.delenv("ACME_CLIENT_SECRET")
    return plan(place)


@provokes("secret-expires")
def a_secret_that_has_expired(place: Workplace) -> CompletedRun:
    place.declare("acme", secret_expires_on="2020-01-31")
    return plan(place)


@provokes("plan-refused")
def a_plan_that_was_edited(place: Workplace) -> CompletedRun:
    plan(place, "--out", "plan.json")
    edit(place, "plan.json", created_at="2026-01-01T00:00:00+00:00")
    return place.run("apply", "plan.json", "--auto-approve", "--format", "json")


def edit(place: Workplace, name: str, **fields: Any) -> None:
    document = json.loads((place.root / name).read_text())
    place.write(name, json.dumps(document | fields))


@provokes("missing-shards")
def a_merge_of_one_shard_of_two(place: Workplace) -> CompletedRun:
    plan(place, "--shard", "1/2", "--out", "first.json")
    return place.run("show", "first.json", "--merge", "--format", "json")


def compared_with(place: Workplace, report: str) -> CompletedRun:
    place.write("last.json", report)
    return place.run("drift", "--previous", "last.json", "--format", "json")


@provokes("report-refused")
def a_report_of_another_kind(place: Workplace) -> CompletedRun:
    return compared_with(place, "{}")


@provokes("report-of-failed-run")
def a_report_without_findings(place: Workplace) -> CompletedRun:
    return compared_with(place, place.run("drift", "--target", "nobody/*", "--format", "json").out)


class FaultyGitHub(FakeGitHub):
    """A forge that answers every new comment like this; None stands for no answer."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__()
        self.comment_answer = answer

    def fault_for(self, call: Call) -> Fault | None:
        is_comment = call.method == "POST" and call.path.endswith("/comments")
        return Fault("POST", self.comment_answer) if is_comment else None


def publish(place: Workplace, answer: Answer | None) -> CompletedRun:
    plan(place, "--out", "plan.json")
    with FaultyGitHub(answer) as forge:
        use(place, forge)
        return place.run("publish", "github", "--plan", "plan.json", "--pull-request", "7")


def use(place: Workplace, forge: FakeGitHub) -> None:
    for name, value in (("TOKEN", TOKEN), ("REPOSITORY", REPOSITORY), ("API_URL", forge.api_url)):
        place.setenv(f"GITHUB_{name}", value)


@provokes("no-result")
def a_plan_that_its_job_has_not_left(place: Workplace) -> CompletedRun:
    with FakeGitHub() as forge:
        use(place, forge)
        run = place.run("publish", "github", "--no-result", "--pull-request", "7")
        (comment,) = forge.conversations[7].comments
    return CompletedRun(run.code, comment["body"], run.err)


@provokes("publishing-failed")
def a_comment_that_is_refused(place: Workplace) -> CompletedRun:
    return publish(place, Answer(403, {"message": "no"}))


@provokes("unknown-publication")
def a_comment_without_an_answer(place: Workplace) -> CompletedRun:
    return publish(place, None)


@provokes("not-imported")
def an_organization_that_does_not_exist(place: Workplace) -> CompletedRun:
    return place.run("import", "nobody", "--format", "json")


@provokes("manifests-not-found")
def an_import_beside_the_globs(place: Workplace) -> CompletedRun:
    place.add_organization("initech", "okta")
    return place.run("import", "initech", "--into", "elsewhere", "--format", "json")


@provokes("secret-not-stored")
def a_live_secret_that_the_api_masks(place: Workplace) -> CompletedRun:
    place.add_organization("initech", "okta")
    place.emulator.edit_connection(place.live("initech")[0]["connection_id"], client_secret="****")
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    allow = "secrets/{organization}.age#*"
    place.write("reconciler.yaml", f"secrets: {{age: {{allow: ['{allow}'], recipients: [{recipient}]}}}}\n")
    template = "age:secrets/{organization}.age#{connection}"
    return place.run("import", "initech", "--secrets", template, "--format", "json")


@provokes("not-updated")
def a_live_value_that_no_manifest_can_hold(place: Workplace) -> CompletedRun:
    place.applied()
    place.emulator.edit_connection(place.live("acme")[0]["connection_id"], client_id=" blank ")
    return place.run("import", "--update", "--format", "json")


@provokes("nothing-live")
def an_update_of_what_was_never_created(place: Workplace) -> CompletedRun:
    return place.run("import", "--update", "acme/sso", "--format", "json")


@provokes("not-pinned")
def a_block_that_is_an_alias(place: Workplace) -> CompletedRun:
    place.applied()
    block = "{issuer: 'https://acme.example.com', client_id: client-of-acme}"
    place.write(
        "organizations/acme.yaml", f"organization: acme\nconnections:\n  sso: &a {block}\n  other: *a\n"
    )
    return place.run("pin", "--format", "json")
