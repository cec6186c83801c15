"""`--changed-since`: only manifests that differ from a Git revision are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.reports.wording import NOTHING_SELECTED

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

TWO = """\
organization: initech
connections:
  sso: {issuer: https://initech.example.com, client_id: a}
---
organization: umbrella
connections:
  sso: {issuer: https://umbrella.example.com, client_id: a}
"""


class History:
    """The Git repository of a project folder."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.git = place.git
        self.commit = place.commit

    def edit(self, name: str, old: str = "client-of-", new: str = "another-") -> None:
        path = self.place.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def selected(self, *words: str) -> set[str]:
        """Return the organizations that `drift` would look at, told by what it finds missing."""
        run = self.place.run("drift", "--no-secrets", "--changed-since", "main", "--format", "json", *words)
        assert not run.document["errored"], run.output
        return {finding["organization"] for finding in run.document["findings"]}

    def validate(self, revision: str = "main", *words: str) -> CompletedRun:
        return self.place.run("validate", "--changed-since", revision, *words)


@pytest.fixture
def history(place: Workplace) -> History:
    """Three manifests on main, and a branch without any change of its own."""
    for slug in ("initech", "umbrella"):
        place.emulator.add_organization(slug)
    place.write("organizations/two.yaml", TWO)
    history = History(place)
    history.git("init", "--quiet", "--initial-branch", "main")
    history.commit()
    history.git("checkout", "--quiet", "-b", "topic")
    return history


def test_no_manifest_differs(history: History, place: Workplace) -> None:
    run = place.run("plan", "--changed-since", "main")
    assert (run.code, run.out) == (0, f"{place.headline}{NOTHING_SELECTED}\n")
    assert "Only what differs from main" in run.err
    assert not list(place.emulator.request_log)


def test_one_changed_manifest_takes_two_requests(history: History, place: Workplace) -> None:
    history.edit("organizations/acme.yaml")
    history.commit()
    run = place.run("plan", "--changed-since", "main", "--format", "json")
    assert [change["address"] for change in run.document["resource_changes"]] == ["acme/sso"]
    assert len(list(place.emulator.request_log)) == 2


def test_unchanged_files_are_not_read(history: History, place: Workplace) -> None:
    place.write("organizations/globex.yaml", "organization: [")
    history.git("add", "--all")
    history.git("commit", "--quiet", "--amend", "--message", "broken on main")
    history.git("branch", "--force", "main", "HEAD")
    history.edit("organizations/acme.yaml")
    assert history.validate().code == 0
    assert place.run("validate").code == 1


@pytest.mark.parametrize("how", ["committed", "staged", "neither"])
def test_uncommitted_changes_are_selected(history: History, how: str) -> None:
    history.edit("organizations/acme.yaml")
    if how == "staged":
        history.git("add", "--all")
    if how == "committed":
        history.commit()
    assert history.selected() == {"acme"}


def test_an_untracked_file_is_selected(history: History, place: Workplace) -> None:
    place.emulator.add_organization("new")
    place.write(".gitignore", "new.yaml")
    place.declare("new")
    assert history.selected() == {"new"}


def test_changes_on_main_are_not_selected(history: History) -> None:
    history.edit("organizations/acme.yaml")
    history.commit()
    history.git("checkout", "--quiet", "main")
    history.edit("organizations/globex.yaml")
    history.commit()
    history.git("checkout", "--quiet", "topic")
    assert history.selected() == {"acme"}


def test_only_changed_documents_of_a_file_are_selected(history: History) -> None:
    history.edit("organizations/two.yaml", "initech.example.com", "login.initech.example.com")
    assert history.selected() == {"initech"}


def test_a_changed_comment_selects_the_whole_file(history: History) -> None:
    history.edit("organizations/two.yaml", "---", "--- # here")
    assert history.selected() == {"initech", "umbrella"}


def test_a_renamed_file_is_read(history: History) -> None:
    history.git("mv", "organizations/acme.yaml", "organizations/zacme.yaml")
    assert history.selected() == {"acme"}
    assert "declared no more" not in history.validate().err


def test_an_organization_that_moved_to_another_file_is_still_declared(
    history: History, place: Workplace
) -> None:
    text = (place.root / "organizations/acme.yaml").read_text(encoding="utf-8")
    (place.root / "organizations/acme.yaml").unlink()
    place.write("organizations/two.yaml", f"{TWO}---\n{text}\n")
    assert history.selected() == {"acme"}
    assert "declared no more" not in history.validate().out


def test_a_removed_organization_is_a_warning(history: History, place: Workplace) -> None:
    place.declare("acme", lifecycle={"prevent_destroy": True})
    history.commit()
    history.git("branch", "--force", "main", "HEAD")
    (place.root / "organizations/acme.yaml").unlink()
    run = history.validate("main", "--format", "json")
    assert run.code == 0
    (diagnostic,) = run.document["diagnostics"]
    assert (diagnostic["severity"], diagnostic["code"], diagnostic["address"]) == (
        "warning", "organization-not-declared", "acme",
    )  # fmt: skip
    assert "acme/sso had `prevent_destroy: true`" in diagnostic["detail"]
    assert diagnostic["range"]["filename"] == "organizations/acme.yaml"
    assert history.selected() == set()


def test_reports_name_removed_organizations(history: History, place: Workplace) -> None:
    (place.root / "organizations/acme.yaml").unlink()
    run = place.run("plan", "--no-secrets", "--changed-since", "main", "--format", "json")
    assert (run.code, run.document["summary"]["warnings"]) == (0, 1)
    assert run.codes == ["organization-not-declared"]


def test_a_removed_document_is_a_warning(history: History, place: Workplace) -> None:
    place.write("organizations/two.yaml", TWO.partition("---")[0])
    run = history.validate("main", "--format", "json")
    assert [diagnostic["address"] for diagnostic in run.document["diagnostics"]] == ["umbrella"]


def test_with_errors_removed_organizations_are_not_reported(history: History, place: Workplace) -> None:
    place.write("organizations/acme.yaml", "organization: [")
    run = history.validate("main", "--format", "json")
    assert run.code == 1
    assert "organization-not-declared" not in set(run.codes)


def test_a_change_to_the_project_file_selects_all(history: History, place: Workplace) -> None:
    place.write("reconciler.yaml", "limits: {requests_per_second: 400}")
    assert history.selected() == {"acme", "globex", "initech", "umbrella"}
    (place.root / "reconciler.yaml").unlink()
    assert history.selected() == {"acme", "globex", "initech", "umbrella"}


def test_an_invalid_glob_is_reported(history: History, place: Workplace) -> None:
    project = (place.root / "reconciler.yaml").read_text(encoding="utf-8")
    place.write("reconciler.yaml", f"{project}\norganizations: ['organizations/a**.yaml']\n")
    history.commit()
    history.git("branch", "--force", "main")
    run = place.run("validate", "--changed-since", "main", "--format", "json")
    assert run.code == 1
    assert run.codes == ["invalid-glob"]


def test_paths_limit_further(history: History) -> None:
    history.edit("organizations/acme.yaml")
    history.edit("organizations/globex.yaml")
    assert history.selected("organizations/acme.yaml") == {"acme"}
    assert history.selected("organizations") == {"acme", "globex"}


def test_a_missing_path_must_have_existed_at_the_revision(history: History, place: Workplace) -> None:
    (place.root / "organizations/acme.yaml").unlink()
    assert history.validate("main", "organizations/acme.yaml").code == 0
    run = history.validate("main", "organizations/never.yaml")
    assert run.code == 1
    assert "organizations/never.yaml: no such file or folder, and there was none" in run.out + run.err


def test_targets_limit_further(history: History) -> None:
    history.edit("organizations/acme.yaml")
    history.edit("organizations/globex.yaml")
    assert history.selected("--target", "globex/*") == {"globex"}


def test_below_the_top_of_the_repository(history: History, place: Workplace) -> None:
    history.git("mv", "-k", "organizations", "reconciler.yaml", _folder(place, "deep/er"))
    history.commit()
    history.git("branch", "--force", "main", "HEAD")
    history.edit("deep/er/organizations/acme.yaml")
    run = place.run("-C", "deep/er", "validate", "--changed-since", "main")
    assert "1 file, 1 organization" in run.out


def test_a_folder_that_is_a_link_is_refused(history: History, place: Workplace) -> None:
    history.git("mv", "organizations", "elsewhere")
    (place.root / "organizations").symlink_to("elsewhere")
    history.commit()
    history.git("branch", "--force", "main", "HEAD")
    history.edit("elsewhere/acme.yaml")
    run = place.run("validate", "--changed-since", "main", "--format", "json")
    assert run.codes == ["linked-manifest"]


def test_a_manifest_that_is_a_link_is_refused(history: History, place: Workplace) -> None:
    place.write("kept/acme.txt", (place.root / "organizations/acme.yaml").read_text(encoding="utf-8"))
    (place.root / "organizations/acme.yaml").unlink()
    (place.root / "organizations/acme.yaml").symlink_to("../kept/acme.txt")
    history.commit()
    history.git("branch", "--force", "main", "HEAD")
    run = place.run("validate", "--changed-since", "main", "--format", "json")
    assert run.codes == ["linked-manifest"]


def test_unusual_file_names(history: History, place: Workplace) -> None:
    place.emulator.add_organization("odd")
    path = place.declare("odd")
    path.rename(path.with_name("-n \n:(top)*[a]ü.yaml"))
    history.commit()
    assert history.selected() == {"odd"}
    assert history.selected("organizations/-n \n:(top)*[a]ü.yaml") == {"odd"}


def test_hidden_and_other_files_are_not_selected(history: History, place: Workplace) -> None:
    place.write("organizations/.hidden.yaml", "organization: [")
    place.write("organizations/notes.txt", "organization: [")
    place.write("elsewhere/other.yaml", "organization: [")
    assert history.selected() == set()


def test_apply_applies_only_what_differs(history: History, place: Workplace) -> None:
    history.edit("organizations/acme.yaml")
    run = place.run("apply", "--auto-approve", "--changed-since", "main")
    assert "Resources: 1 added" in run.out
    assert not place.live("globex")


def test_drift_of_changed_manifests_leaves_others_unchecked(history: History, place: Workplace) -> None:
    first = place.run("drift", "--no-secrets", "--output", "json=first.json")
    assert first.code == 2
    run = place.run(
        "drift", "--no-secrets", "--changed-since", "main", "--previous", "first.json", "--format", "json"
    )
    assert (run.code, run.document["summary"]["unchecked"]) == (0, 4)


@pytest.mark.parametrize("revision", ["nonsense", "-x", "--help", "a b", "HEAD^{tree}", "HEAD;true"])
def test_an_unknown_revision(history: History, revision: str) -> None:
    run = history.validate(f"{revision}", "--format", "json")
    assert run.code == 1
    (diagnostic,) = run.document["diagnostics"]
    assert f"Git knows no revision {revision!r}; fetch it, or name another one" in diagnostic["summary"]


def test_a_shallow_clone_says_how_to_get_the_rest(
    history: History, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit()
    history.commit()
    clone = place.root.parent / "clone"
    history.git("clone", "--quiet", "--depth", "1", f"file://{place.root}", str(clone))
    for revision in ("main", "HEAD~2"):
        run = place.run("-C", str(clone), "validate", "--changed-since", revision)
        assert run.code == 1
        assert "the clone is shallow" in run.err
        assert "fetch-depth: 0" in run.err
        monkeypatch.chdir(place.root)


def test_histories_with_nothing_in_common(history: History, place: Workplace) -> None:
    history.git("checkout", "--quiet", "--orphan", "other")
    place.write("another", "")
    history.commit()
    assert "have no commit in common" in history.validate().err


def test_before_the_first_commit(bare: Workplace) -> None:
    history = History(bare)
    history.git("init", "--quiet")
    assert "Git knows no revision 'HEAD'" in history.validate("HEAD").err


def test_without_a_repository(place: Workplace) -> None:
    run = place.run("validate", "--changed-since", "main")
    assert run.code == 1
    assert "--changed-since needs a Git repository" in run.err
    assert "not a git repository" in run.err


def test_without_git(history: History, place: Workplace) -> None:
    place.setenv("PATH", "")
    assert "there is no `git` to be found" in history.validate().err


def test_a_project_file_from_elsewhere(history: History, place: Workplace) -> None:
    outside = place.root.parent / "reconciler.yaml"
    outside.write_text("organizations: [work/organizations/*.yaml]", encoding="utf-8")
    run = place.run("--config", str(outside), "validate", "--changed-since", "main")
    assert run.code == 1
    assert f"--changed-since needs a Git repository in {outside.parent}" in run.err


def test_a_manifest_from_elsewhere(history: History, place: Workplace) -> None:
    outside = place.root.parent / "outside.yaml"
    outside.write_text("organization: acme\n", encoding="utf-8")
    run = history.validate("main", str(outside))
    assert run.code == 1
    assert "it is outside of the Git repository" in run.err


def test_a_submodule_keeps_its_own_history(history: History, place: Workplace) -> None:
    other = place.root.parent / "other"
    other.mkdir()
    history.git("init", "--quiet", folder=other)
    history.git("commit", "--quiet", "--allow-empty", "--message", "x", folder=other)
    history.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "organizations/sub"
    )
    assert "cannot look into organizations/sub: it is a submodule" in history.validate().err


def test_a_saved_plan_is_applied_as_it_is(history: History, place: Workplace) -> None:
    place.run("plan", "--out", "plan.json")
    run = place.run("apply", "plan.json", "--changed-since", "main")
    assert run.code == 1
    assert "--changed-since" in run.err


def _folder(place: Workplace, name: str) -> str:
    (place.root / name).mkdir(parents=True)
    return name
