"""A saved plan applies only beside the files that it was made from, and says all that it does."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.plan_serialization import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workplace import CompletedRun, Workplace


@pytest.fixture
def project(served: Workplace) -> Workplace:
    """A clone of a repository with a project file, a manifest and an approval, and its plan in plan.json."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", "version: 1\n")
    served.write("approvals/note.yaml", "approvals: []\n")
    served.git("init", "--quiet", "--initial-branch", "main")
    served.commit()
    return served


def planned(place: Workplace, *words: str) -> None:
    run = place.run("plan", "--out", "plan.json", "-q", *words)
    assert run.code == 0, run.output


def apply(place: Workplace, *words: str) -> CompletedRun:
    return place.run("apply", "plan.json", "-q", *words)


def assert_refused(place: Workplace, text: str) -> None:
    run = apply(place)
    assert run.code == 1
    assert text in run.err
    assert not place.live("acme")
    run = apply(place, "--any-inputs")
    assert run.code == 0, run.output
    assert place.live("acme")


def test_the_same_files_are_accepted(project: Workplace) -> None:
    planned(project)
    assert apply(project).code == 0


def test_a_fresh_clone_of_the_same_commit_is_accepted(project: Workplace, tmp_path: Path) -> None:
    """The apply job checks the commit out anew, elsewhere."""
    planned(project)
    clone = tmp_path / "clone"
    project.git("clone", "--quiet", str(project.root), str(clone))
    shutil.copy(project.root / "plan.json", clone)
    run = project.run("-C", str(clone), "apply", "plan.json")
    os.chdir(project.root)
    assert run.code == 0, run.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("organizations/acme.yaml", "organization: acme\n"),
        ("organizations/globex.yaml", "organization: globex\n"),
        ("reconciler.yaml", "version: 1 # another\n"),
        ("approvals/note.yaml", "approvals: [] # another\n"),
        ("approvals/more.yaml", "approvals: []\n"),
    ],
)
def test_other_files_are_refused(project: Workplace, name: str, text: str) -> None:
    planned(project)
    project.write(name, text)
    assert_refused(project, "differ from those that the plan was made from")


def test_a_file_that_is_gone_is_refused(project: Workplace) -> None:
    project.write("organizations/globex.yaml", "organization: globex\n")
    project.add_organization("globex")
    planned(project)
    (project.root / "organizations/globex.yaml").unlink()
    assert_refused(project, "differ from those that the plan was made from")


def test_no_manifests_at_all_are_refused(project: Workplace) -> None:
    planned(project)
    commit = project.git("rev-parse", "HEAD")
    shutil.rmtree(project.root / "organizations")
    assert_refused(project, f"are not here: check out commit {commit}")


def test_bytes_count_not_meaning(project: Workplace) -> None:
    planned(project)
    manifest = project.root / "organizations/acme.yaml"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert_refused(project, "differ from those that the plan was made from")


def test_bytes_do_not_move_from_one_file_to_another(project: Workplace) -> None:
    project.write("organizations/b.yaml", "# one\n# two\n")
    project.write("organizations/c.yaml", "# three\n")
    planned(project)
    project.write("organizations/b.yaml", "# one\n")
    project.write("organizations/c.yaml", "# two\n# three\n")
    assert_refused(project, "differ from those that the plan was made from")


def test_given_paths_are_inputs_too(project: Workplace) -> None:
    project.write("elsewhere/globex.yaml", "organization: globex\n")
    project.add_organization("globex")
    planned(project, "organizations/acme.yaml", "elsewhere/globex.yaml")
    project.write("elsewhere/globex.yaml", "organization: globex # another\n")
    assert_refused(project, "differ from those that the plan was made from")


def test_any_inputs_needs_a_saved_plan(project: Workplace) -> None:
    run = project.run("apply", "--any-inputs", "--auto-approve")
    assert run.code == 1
    assert "--any-inputs is about a saved plan" in run.err


def rewrite(place: Workplace, change: Callable[[Any], object]) -> None:
    """Change the plan as somebody who knows how the digest is made."""
    file = place.root / "plan.json"
    document = json.loads(file.read_text())
    change(document)
    document["digest"] = digest(document)
    file.write_text(json.dumps(document))


def test_a_plan_that_names_no_inputs_is_refused(project: Workplace) -> None:
    planned(project)
    rewrite(project, lambda plan: plan.pop("inputs"))
    assert_refused(project, "does not say which manifests")


@pytest.mark.parametrize(
    "parts",
    [
        [{"scheme": "env", "path": "GLOBEX_CLIENT_SECRET"}],
        [{"literal": "x"}, {"scheme": "env", "path": "ACME_CLIENT_SECRET"}],
        [{"scheme": "file", "path": "ACME_CLIENT_SECRET"}],
        [],
    ],
)
def test_text_and_parts_of_a_reference_agree(project: Workplace, parts: list[dict[str, str]]) -> None:
    """What is shown is what is read."""
    planned(project)
    rewrite(project, lambda plan: plan["resource_changes"][0]["secret_reference"].update(parts=parts))
    for words in (("apply", "plan.json"), ("apply", "plan.json", "--any-inputs"), ("show", "plan.json")):
        run = project.run(*words)
        assert run.code == 1
        assert "the text and the parts of the secret reference of acme/sso differ" in run.err
    assert not project.live("acme")


@pytest.mark.parametrize("key", ["resource_changes", "digest", "client_id"])
def test_a_key_that_is_there_twice_is_refused(project: Workplace, key: str) -> None:
    planned(project)
    file = project.root / "plan.json"
    text = file.read_text()
    place = text.index(f'"{key}":')
    file.write_text(f'{text[:place]}"{key}": null, {text[place:]}')
    for verb in ("apply", "show"):
        run = project.run(verb, "plan.json")
        assert run.code == 1
        assert "an object has a key twice" in run.err


STRICT = "policies: {shared-client: error, secret-reference-shared: error}\n"
ISSUER = "https://idp.example.com"


def declare(place: Workplace, name: str, **fields: object) -> None:
    connection = {"client_secret": f"${{env:{name.upper()}_CLIENT_SECRET}}", "client_id": name, **fields}
    connections = {"sso": {"issuer": f"https://{name}.example.com", **connection}}
    place.write(f"organizations/{name}.yaml", json.dumps({"organization": name, "connections": connections}))


@pytest.fixture
def two(project: Workplace) -> Workplace:
    """Globex is live and committed; acme is to be created, and the project file blocks what is shared."""
    project.write("reconciler.yaml", STRICT)
    project.add_organization("globex")
    project.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex-value")
    project.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    declare(project, "globex", issuer=ISSUER)
    project.git("rm", "-q", "--cached", "organizations/acme.yaml")
    (project.root / "organizations/acme.yaml").unlink()
    assert project.run("apply", "--auto-approve").code == 0
    project.commit()
    declare(project, "acme")
    return project


def without_risks(plan: Any) -> None:
    plan["risks"] = []


def assert_blocked(place: Workplace, code: str) -> None:
    """A fresh plan is blocked, and so is a saved one from which somebody took the risk."""
    assert f"[{code}]" in place.run("plan", "--out", "plan.json").output
    rewrite(place, without_risks)
    run = place.run("apply", "plan.json")
    assert (run.code, place.live("acme")) == (1, ()), run.output
    assert f"[{code}]" in run.output


def test_a_value_that_two_customers_share_is_judged_by_apply_too(two: Workplace) -> None:
    two.setenv("ACME_CLIENT_SECRET", "hidden-globex-value")
    assert_blocked(two, "secret-reference-shared")


def test_a_plan_without_secrets_is_judged_by_their_values_when_it_is_applied(two: Workplace) -> None:
    two.setenv("ACME_CLIENT_SECRET", "hidden-globex-value")
    assert two.run("plan", "--no-secrets", "--out", "plan.json").code == 0
    run = two.run("apply", "plan.json")
    assert (run.code, two.live("acme")) == (1, ()), run.output
    assert "[secret-reference-shared]" in run.output


@pytest.mark.parametrize("broken", ["{", "\ncolour: red\n"], ids=["cannot be parsed", "breaks a rule"])
def test_a_broken_file_counts_as_its_last_version_for_a_saved_plan_too(two: Workplace, broken: str) -> None:
    """Product 4.3: beside a broken manifest, another organization with its client, in a saved plan."""
    file = two.root / "organizations/globex.yaml"
    file.write_text(file.read_text() + broken if broken == "{" else file.read_text()[:-1] + ', "colour": 1}')
    declare(two, "acme", issuer=ISSUER, client_id="globex")
    assert_blocked(two, "shared-client")


def test_the_managed_connections_of_a_saved_plan_are_counted_again(project: Workplace) -> None:
    """Threats 4: limits are judged again, also by percent, of which the plan says the whole."""
    project.write("reconciler.yaml", "limits: {max_deletes: 100, max_delete_percent: 50}\n")
    names = [f"sso{number}" for number in range(4)]
    block = {"issuer": ISSUER, "client_secret": "${env:ACME_CLIENT_SECRET}"}
    connections: dict[str, Any] = {name: block | {"client_id": name} for name in names}
    text = {"organization": "acme", "connections": connections}
    project.write("organizations/acme.yaml", json.dumps(text))
    assert project.run("apply", "--auto-approve").code == 0
    for name in names[1:]:
        connections[name] = connections[name] | {"state": "absent"}
    project.write("organizations/acme.yaml", json.dumps(text))
    run = project.run("plan", "--out", "plan.json")
    assert "[too-many-deletes]" in run.output

    def inflate(plan: Any) -> None:
        plan["blocks"] = []
        plan["summary"]["managed"] = 100_000

    rewrite(project, inflate)
    run = project.run("apply", "plan.json")
    assert (run.code, len(project.live("acme"))) == (1, 4), run.output
    assert "the plan deletes 3 of 4 managed connections" in run.output
