"""The ids of what an apply created come back as one pull request, without credentials of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pull_requests.conftest import Estate

BRANCH = "reconciler/pins-test"


@pytest.fixture
def pushed(estate: Estate) -> Estate:
    """Two organizations on main, not applied yet."""
    estate.push()
    return estate


def pinned(estate: Estate, slug: str) -> str:
    organization = estate.place.emulator.organization(slug)["organization_id"]
    return f"organization_id: {organization}\nconnection_id: {estate.live_id(slug)}"


def test_what_was_created_comes_back_as_a_pull_request(pushed: Estate) -> None:
    run = pushed.publish("--pins", pushed.apply())
    assert run.code == 0, run.output
    (request,) = pushed.requests()
    assert request.title == "Pin 4 ids in test"
    assert run.out.startswith(f"{pushed.noun} opened: https://")
    assert pushed.on_branch("pins") == {
        f"organizations/{slug}.yaml": pinned(pushed, slug) for slug in ("acme", "globex")
    }
    (connection,) = pushed.place.live("acme")
    assert f"| `acme/okta` | `{connection['connection_id']}` | `organizations/acme.yaml` |" in request.body
    assert f"| `acme/okta` | `{connection['redirect_url']}` |" in request.body
    assert "Without commits of others, merging this changes nothing live" in request.body
    message = pushed.git.head(BRANCH).message
    assert re.fullmatch(r"Pin 4 ids in test\n\nReconciler-Content: [0-9a-f]{64}", message)


def test_the_branch_is_what_pin_writes(pushed: Estate) -> None:
    pushed.publish("--pins", pushed.apply())
    assert pushed.place.run("pin").code == 0
    for name in ("organizations/acme.yaml", "organizations/globex.yaml"):
        assert pushed.git.files(BRANCH)[name] == (pushed.place.root / name).read_bytes()


def test_pin_takes_the_ids_of_an_apply_without_credentials(pushed: Estate) -> None:
    result = pushed.apply()
    names = ("organizations/acme.yaml", "organizations/globex.yaml")
    before = {name: (pushed.place.root / name).read_bytes() for name in names}
    assert pushed.place.run("pin").code == 0
    expected = {name: (pushed.place.root / name).read_bytes() for name in names}
    for name, content in before.items():
        (pushed.place.root / name).write_bytes(content)
    run = pushed.without_credentials("pin", "--apply", result)
    assert run.code == 0, run.output
    assert {name: (pushed.place.root / name).read_bytes() for name in names} == expected
    assert pushed.without_credentials("pin", "--apply", result, "--check").code == 0


def test_a_merged_pull_request_leaves_nothing_to_pin(pushed: Estate) -> None:
    result = pushed.apply()
    pushed.publish("--pins", result)
    pushed.fake.merge(pushed.fake.open_pulls()[0])
    pushed.pull()
    assert pushed.place.run("pin", "--check").code == 0
    run = pushed.publish("--pins", result)
    assert run.out == f"{pushed.noun} not needed: all ids that can be added are on the default branch\n"
    assert BRANCH not in pushed.git.branches


def test_a_second_apply_adds_to_the_same_pull_request(pushed: Estate) -> None:
    pushed.publish("--pins", pushed.apply())
    pushed.add("initech")
    pushed.push()
    run = pushed.publish("--pins", pushed.apply())
    assert run.out.startswith(f"{pushed.noun} updated: ")
    assert len(pushed.requests()) == 1
    assert [*pushed.on_branch("pins")] == [
        f"organizations/{slug}.yaml" for slug in ("acme", "globex", "initech")
    ]
    body = pushed.requests()[0].body
    assert "`acme/okta`" in body
    assert "`initech/okta`" in body


def test_pins_that_main_has_meanwhile_close_it(pushed: Estate) -> None:
    result = pushed.apply()
    pushed.publish("--pins", result)
    assert pushed.place.run("pin").code == 0
    pushed.push()
    run = pushed.publish("--pins", result)
    assert run.out.startswith(f"{pushed.noun} closed: all ids that can be added are on the default branch: ")
    assert [request.state for request in pushed.requests()] == ["closed"]


def test_a_branch_that_somebody_edited_keeps_what_they_wrote(pushed: Estate) -> None:
    pushed.publish("--pins", pushed.apply("--target", "acme/*"))
    text = pushed.git.files(BRANCH)["organizations/acme.yaml"].replace(b"by hand", b"by me")
    mine = pushed.git.push(BRANCH, {"organizations/acme.yaml": text})
    run = pushed.publish("--pins", pushed.apply())
    assert run.out.startswith(f"{pushed.noun} updated: ")
    assert pushed.git.is_ancestor(mine, pushed.git.branches[BRANCH])
    assert b"# acme, by me" in pushed.git.files(BRANCH)["organizations/acme.yaml"]
    assert pushed.on_branch("pins")["organizations/globex.yaml"] == pinned(pushed, "globex")


def test_an_edited_branch_that_lacks_a_file_is_said(pushed: Estate) -> None:
    pushed.publish("--pins", pushed.apply())
    mine = pushed.git.push(BRANCH, {"readme": b"mine\n"})
    pushed.add("initech")
    pushed.push()
    run = pushed.publish("--pins", pushed.apply())
    assert run.code == 1
    assert (
        f"the branch {BRANCH} was edited and lacks organizations/initech.yaml: bring it up to date" in run.err
    )
    assert "`reconciler pin` adds the same ids" in run.err
    assert pushed.git.branches[BRANCH] == mine


def test_closed_means_no_until_something_new_is_created(pushed: Estate) -> None:
    result = pushed.apply()
    pushed.publish("--pins", result)
    pushed.fake.close(pushed.fake.open_pulls()[0])
    assert f"{pushed.noun} not opened again" in pushed.publish("--pins", result).out
    pushed.add("initech")
    pushed.push()
    assert pushed.publish("--pins", pushed.apply()).out.startswith(f"{pushed.noun} opened: ")
    assert [*pushed.on_branch("pins")] == ["organizations/initech.yaml"]


def test_an_apply_without_creates_needs_none(pushed: Estate) -> None:
    pushed.apply()
    run = pushed.publish("--pins", pushed.apply())
    assert (run.code, run.out.partition(":")[0]) == (0, f"{pushed.noun} not needed")
    assert pushed.requests() == []


def test_the_files_of_the_checkout_are_not_fetched(pushed: Estate) -> None:
    result = pushed.apply()
    pushed.fake.calls.clear()
    pushed.publish("--pins", result)
    assert not [call for call in pushed.fake.calls if "/contents/" in call.path or "/files/" in call.path]


def test_an_old_checkout_writes_what_main_has_now(pushed: Estate) -> None:
    result = pushed.apply()
    text = pushed.git.files("main")["organizations/acme.yaml"].replace(b"by hand", b"newer")
    pushed.git.push("main", {"organizations/acme.yaml": text})
    pushed.publish("--pins", result)
    assert b"# acme, newer" in pushed.git.files(BRANCH)["organizations/acme.yaml"]
    assert [*pushed.on_branch("pins")] == ["organizations/acme.yaml", "organizations/globex.yaml"]


def test_an_organization_that_is_gone_is_named(pushed: Estate) -> None:
    result = pushed.apply()
    (pushed.place.root / "organizations/globex.yaml").unlink()
    run = pushed.publish("--pins", result)
    assert run.code == 0, run.output
    assert "`globex/okta` is in no valid manifest, so it is not pinned" in pushed.requests()[0].body


def test_a_project_below_the_top_of_the_repository(estate: Estate) -> None:
    """Paths are those of the repository, whatever the working folder is."""
    estate.place.write("sso/reconciler.yaml", "version: 1\n")
    folder = estate.place.root / "organizations"
    folder.rename(estate.place.root / "sso/organizations")
    estate.push()
    sso = str(estate.place.root / "sso")
    run = estate.publish("--pins", estate.apply(folder=sso), folder=sso)
    assert run.code == 0, run.output
    assert [*estate.on_branch("pins")] == ["sso/organizations/acme.yaml", "sso/organizations/globex.yaml"]


def test_an_id_is_added_to_a_map_by_environment(pushed: Estate) -> None:
    text = (pushed.place.root / "organizations/acme.yaml").read_text(encoding="utf-8")
    live = "    connection_id: {live: oidc-connection-live-11111111-1111-4111-8111-111111111111}\n"
    pushed.place.write("organizations/acme.yaml", text.replace("  okta:\n", f"  okta:\n{live}"))
    pushed.push()
    pushed.publish("--pins", pushed.apply("--target", "acme/*"))
    added = pushed.on_branch("pins")["organizations/acme.yaml"]
    assert f"1111, test: {pushed.live_id('acme')}}}" in added
    assert "organization_id:\ntest: organization-test-" in added


def test_a_result_of_another_project_is_refused(pushed: Estate) -> None:
    result = pushed.apply()
    pushed.place.setenv("STYTCH_PROJECT_ID", "project-live-22222222-2222-4222-8222-222222222222")
    run = pushed.place.run("publish", pushed.forge, "--pins", result)
    assert run.code == 1
    assert "but the credentials are of project-live-22222222" in run.err
    assert not pushed.fake.writes()


@pytest.mark.parametrize(
    "content", ["{}", "[]", "no json", json.dumps({"outcomes": [], "format_version": "9.0"})]
)
def test_a_file_that_is_no_result_is_refused(pushed: Estate, content: str) -> None:
    file = Path(pushed.place.root.parent / "x.json")
    file.write_text(content, encoding="utf-8")
    run = pushed.publish("--pins", str(file))
    assert run.code == 1
    assert str(file) in run.err
    assert not pushed.fake.writes()


def test_an_apply_that_failed_at_once_needs_none(pushed: Estate) -> None:
    file = pushed.place.root.parent / "apply.json"
    pushed.place.delenv("STYTCH_SECRET")
    assert pushed.place.run("apply", "--auto-approve", "--output", f"json={file}").code == 1
    run = pushed.publish("--pins", str(file))
    assert (run.code, run.out.partition(":")[0]) == (0, f"{pushed.noun} not needed")
    assert pushed.fake.calls == []


def test_a_hostile_result_cannot_leave_the_manifests(pushed: Estate) -> None:
    """Threats, 4: somebody replaced the artifact. No place in it is looked at, and no unfit id is written."""
    file = Path(pushed.apply())
    document = json.loads(file.read_text(encoding="utf-8"))
    for pin in document["pins"]:
        pin["filename"] = ".github/workflows/x.yml"
    document["pins"][0]["id"] = "organization-test-x\n@everyone: x"
    document["outcomes"][0]["redirect_url"] = "https://x/`| @everyone\n/close"
    file.write_text(json.dumps(document), encoding="utf-8")
    pushed.place.write(".github/workflows/x.yml", "on: push\n")
    pushed.push()
    run = pushed.publish("--pins", str(file))
    assert run.code == 0, run.output
    assert [*pushed.on_branch("pins")] == ["organizations/acme.yaml", "organizations/globex.yaml"]
    assert "organization_id" not in pushed.on_branch("pins")["organizations/acme.yaml"]
    (request,) = pushed.requests()
    assert "the id of acme has no safe place in its block: add it by hand: " in request.body
    assert not [line for line in request.body.splitlines() if line.startswith(("/", "@"))]
    assert "everyone" not in request.title + pushed.git.head(BRANCH).message + run.out


def test_no_secret_is_anywhere(pushed: Estate) -> None:
    run = pushed.publish("--pins", pushed.apply())
    text = run.output + "".join(request.body for request in pushed.requests())
    assert "canary" not in text
    assert "canary" not in repr([call.body for call in pushed.fake.calls])


def test_outside_of_a_repository_it_says_what_is_missing(pushed: Estate) -> None:
    result = pushed.apply()
    (pushed.place.root / ".git").rename(pushed.place.root.parent / "git-moved")
    run = pushed.publish("--pins", result)
    assert run.code == 1
    assert "pull requests need a checkout of the repository" in run.err
