"""Scenes after a merge: the workflow `apply`, its word on the pull request, and what is started by hand."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.emulator import Effect, Fault
from tests.workflows.conftest import MANIFEST
from tests.workflows.scene import results

if TYPE_CHECKING:
    from tests.workflows.scene import Scene

EVERY_JOB = {"plan": "success", "apply": "success", "result": "success"}
BLOCKED = {"plan": "failure", "apply": "skipped", "result": "success"}


def test_a_merge_applies_its_plan_and_says_so_on_the_pull_request(scene: Scene) -> None:
    """6: result, redirect URLs and pins stand on the pull request and in the summary."""
    jobs = scene.merge()
    assert results(jobs) == EVERY_JOB
    assert "acme/okta" in jobs["plan"].summary
    assert (scene.live("acme")["client_id"], scene.live("acme")["status"]) == ("client-of-acme", "active")
    (comment,) = scene.comments
    for text in (comment, jobs["result"].summary):
        assert "2 added" in text
        assert scene.live("globex")["redirect_url"] in text
        assert f"connection_id: {scene.live('acme')['connection_id']}" in text
    assert results(scene.merge()) == EVERY_JOB | {"apply": "skipped"}


def test_a_merge_is_applied_by_the_installed_command(scene: Scene) -> None:
    """The other scenes run the same code in a process that has imported it before."""
    scene.runner.programs = Path(sys.executable).parent
    assert results(scene.merge()) == EVERY_JOB
    assert scene.live("acme")["status"] == "active"


def test_an_apply_that_partly_fails_says_what_is_left(scene: Scene) -> None:
    initech = scene.emulator.add_organization("initech")["organization_id"]
    scene.repository.write("organizations/initech.yaml", MANIFEST.format(slug="initech"))
    scene.emulator.add_fault(Fault(Effect.ERROR, ("writes",), organization=initech, status=400))
    jobs = scene.merge()
    assert results(jobs) == EVERY_JOB | {"apply": "failure"}
    assert scene.live("acme")["status"] == scene.live("globex")["status"] == "active"
    (comment,) = scene.comments
    for text in (comment, jobs["result"].summary):
        assert "2 added" in text
        assert "1 failed" in text
        assert "initech/okta" in text


def test_a_refused_organization_does_not_hold_up_the_others(scene: Scene) -> None:
    """4.3: `apply` carries out what is known, and the run is red."""
    scene.repository.replace("organizations/globex.yaml", "organization: globex", "organization: globexx")
    assert results(scene.merge()) == EVERY_JOB | {"plan": "failure", "apply": "failure"}
    assert scene.live("acme")["status"] == "active"
    assert "globexx" in scene.comments[-1]


def test_a_plan_that_is_blocked_after_the_merge_is_shown(scene: Scene) -> None:
    scene.make_live("acme", "globex")
    scene.repository.replace(
        "organizations/acme.yaml", "https://acme.okta.com/token", "https://a.example/token"
    )
    jobs = scene.merge()
    assert results(jobs) == BLOCKED
    for text in (scene.comments[-1], jobs["plan"].summary):
        assert "token-url-host-change" in text
    assert not scene.writes()


def test_a_merge_whose_job_leaves_no_plan_says_so_on_the_pull_request(scene: Scene) -> None:
    """6: after the merge, silence is no answer."""
    scene.runner.lost = {"plan"}
    assert results(scene.merge()) == EVERY_JOB | {"plan": "failure", "apply": "skipped"}
    assert "no-result" in scene.comments[-1]
    assert "run the apply workflow again" in scene.comments[-1]
    assert "push again" not in scene.comments[-1]


def test_a_plan_that_its_reviewers_refuse_was_not_applied(scene: Scene) -> None:
    """6: nobody is asked any more, and the comment does not promise it."""
    scene.runner.lost = {"apply"}
    assert results(scene.merge()) == EVERY_JOB | {"apply": "failure"}
    (comment,) = scene.comments
    assert "2 to add" in comment
    assert "was not applied" in comment
    assert "will be asked" not in comment


def test_a_risk_is_accepted_by_hand(scene: Scene) -> None:
    """6: reviewers see what is accepted, and the result stands on the same pull request."""
    scene.make_live("acme", "globex")
    scene.repository.replace(
        "organizations/acme.yaml", "https://acme.okta.com/token", "https://a.example/token"
    )
    scene.merge()
    rules = ("token-url-host-change", "endpoint-off-site", "secret-kept")
    jobs = scene.dispatch(accept_risk="\n".join(f"{rule}:acme/okta" for rule in rules))
    assert results(jobs) == EVERY_JOB
    assert "token-url-host-change" in jobs["plan"].summary
    assert scene.live("acme")["token_url"] == "https://a.example/token"
    assert "1 changed" in scene.comments[-1]


def test_deletes_are_accepted_by_hand(scene: Scene) -> None:
    scene.make_live("acme", "globex")
    for slug in ("acme", "globex"):
        scene.repository.replace(
            f"organizations/{slug}.yaml", "    display_name", "    state: absent\n    display_name"
        )
    assert results(scene.merge()) == BLOCKED
    assert results(scene.dispatch(allow_deletes="1")) == BLOCKED
    assert results(scene.dispatch(allow_deletes="2")) == EVERY_JOB
    assert not scene.emulator.oidc_connections("acme")


def test_a_secret_is_rotated_by_hand(scene: Scene) -> None:
    """Only the job that applies has the customers' secrets."""
    scene.make_live("acme", "globex")
    old, new = scene.runner.secrets["EXAMPLE_OKTA_CLIENT_SECRET"], "canary-of-rotation-71d2"
    scene.runner.secrets["EXAMPLE_OKTA_CLIENT_SECRET"] = new
    assert results(scene.dispatch()) == EVERY_JOB | {"apply": "skipped"}
    assert results(scene.dispatch(rotate="acme/*")) == EVERY_JOB
    assert (scene.live("acme")["client_secret"], scene.live("globex")["client_secret"]) == (new, old)


def test_one_connection_is_applied_by_hand(scene: Scene) -> None:
    scene.repository.commit("change")
    assert results(scene.dispatch(target="globex/okta")) == EVERY_JOB
    assert scene.live("globex")["status"] == "active"
    assert not scene.emulator.oidc_connections("acme")


def test_hostile_values_of_the_form_are_refused_before_anybody_is_asked(scene: Scene) -> None:
    """What is typed becomes neither a command nor an option; tests of the action have more of them."""
    scene.repository.commit("change")
    injection = "acme/okta\n$(touch injected) '\"; touch injected"
    jobs = scene.dispatch(
        accept_risk=injection, allow_deletes="1 --any-inputs", rotate=injection, target=injection
    )
    assert results(jobs) == {"plan": "failure", "apply": "skipped", "result": "skipped"}
    assert not scene.writes()
    assert not (scene.repository.folder / "injected").exists()


def test_a_thousand_connections_of_which_three_lack_their_secret(scene: Scene) -> None:
    """5: all that is missing is named, also where nothing changes; what needs none of it is applied."""
    slugs = [f"o{number:02}" for number in range(100)]
    missing = ["o00/new", "o01/new", "o99/c5"]
    for slug in ("acme", "globex"):
        (scene.repository.folder / f"organizations/{slug}.yaml").unlink()
    for slug in slugs:
        scene.emulator.add_organization(slug)
        _declare_ten(scene, slug, is_new=slug < "o10")
    _serve(scene, missing)
    jobs = scene.merge()
    assert results(jobs) == EVERY_JOB | {"apply": "failure"}
    assert [len(scene.emulator.oidc_connections(slug)) for slug in slugs[:10]] == [9] * 2 + [10] * 8
    assert "3 of 1000 secret references cannot be resolved." in jobs["apply"].summary
    for text in (jobs["apply"].summary, scene.comments[-1], jobs["result"].summary):
        rows = [line for line in text.splitlines() if "${env:" in line]
        assert [re.findall(r"o\d\d/\w+", row)[0] for row in rows] == missing, text
    check = scene.runner.home / "artifacts/reconciler-apply/reconciler-secrets-check-result.json"
    document = json.loads(check.read_text(encoding="utf-8"))
    assert [entry["needed_by"][0]["address"] for entry in document["missing"]] == missing


def _declare_ten(scene: Scene, slug: str, *, is_new: bool) -> None:
    """Declare ten connections with a secret each; all but a new one are live."""
    blocks = []
    for number in range(10):
        name = "new" if is_new and not number else f"c{number}"
        issuer = f"https://{slug}-{name}.okta.com"
        variable = f"{slug}_{name}_CLIENT_SECRET".upper()
        blocks.append(
            f"  {name}:\n    display_name: {name}\n    issuer: {issuer}\n    client_id: {slug}-{name}\n"
            f"    client_secret: ${{env:{variable}}}\n"
        )
        if name != "new":
            scene.emulator.add_connection(slug, display_name=name, issuer=issuer, client_id=f"{slug}-{name}")
    scene.repository.write(
        f"organizations/{slug}.yaml", f"organization: {slug}\nconnections:\n" + "".join(blocks)
    )


def _serve(scene: Scene, missing: list[str]) -> None:
    """Name all secrets in the workflow, and give a value to those that are not missing."""
    names = re.findall(r"\$\{env:(\w+)\}", "".join(_manifests(scene)))
    lacking = {f"{address}_CLIENT_SECRET".replace("/", "_").upper() for address in missing}
    scene.runner.secrets |= {name: f"canary-{name}" for name in names if name not in lacking}
    line = "          EXAMPLE_OKTA_CLIENT_SECRET: ${{ secrets.EXAMPLE_OKTA_CLIENT_SECRET }}\n"
    lines = [line.replace("EXAMPLE_OKTA_CLIENT_SECRET", name) for name in names]
    scene.repository.replace(".github/workflows/reconciler-apply.yml", line, "".join(lines))


def _manifests(scene: Scene) -> list[str]:
    files = sorted((scene.repository.folder / "organizations").glob("*.yaml"))
    return [file.read_text(encoding="utf-8") for file in files]
