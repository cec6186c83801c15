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
