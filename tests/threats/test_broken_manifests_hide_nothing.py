"""A manifest that cannot be read hides nothing: attacks beside one that is broken by a single character.

Each is run through the real commands in a clone of a Git repository, as CI runs them.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import okta

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import CompletedRun, Workplace

ACME = """\
organization: acme
connections:
  sso:
    issuer: https://acme.example.com
    client_id: client-of-acme
    client_secret: ${env:ACME_CLIENT_SECRET}
    lifecycle: {prevent_destroy: true}
"""
GLOBEX = """\
organization: globex
connections:
  sso:
    display_name: Globex
    issuer: https://globex.example.com
    client_id: client-of-globex
    client_secret: ${env:GLOBEX_CLIENT_SECRET}
"""
SHARED_SECRET = "secret-reference-shared"
PARSE_ERRORS = {
    "a bracket": (": true}", ": true"),
    "a tab": ("  sso:", "\tsso:"),
    "a quote": ("https://acme", '"https://acme'),
    "no UTF-8": ("sso:", "sso:\udcff"),
    "a duplicate key": ("client_id: client-of-acme", "issuer: client-of-acme"),
    "a key": ("organization: acme", "organisation: acme"),
}
RULE_ERRORS = {
    "a scheme": ("${env:", "${enw:"),
    "a name": ("client_id", "client_ids"),
    "an issuer": ("https://", "https:/"),
    "an organization": ("organization: acme", "organization: acme!"),
}
ERRORS = {**PARSE_ERRORS, **RULE_ERRORS}


class Clone:
    """A clone in which the pull request is checked out; acme and globex are live as main declares them."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.emulator = place.emulator

    def write(self, name: str, text: str) -> None:
        path = self.place.root / "organizations" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))

    def break_acme(self, error: tuple[str, str]) -> None:
        assert error[0] in ACME
        self.write("acme.yaml", ACME.replace(*error, 1))

    def run(self, *words: str) -> CompletedRun:
        """Commit the pull request, and run a command in a fresh clone of it."""
        clone = self.cloned()
        try:
            return self.place.run("-C", str(clone), *words)
        finally:
            os.chdir(self.place.root)

    def cloned(self) -> Path:
        """Commit the pull request, and return a fresh clone of it."""
        self.place.git("checkout", "--quiet", "-B", "pull")
        self.place.commit()
        clone = self.place.root.parent / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        self.place.git("clone", "--quiet", "--branch", "pull", str(self.place.root), str(clone))
        return clone

    def live(self, slug: str) -> list[dict[str, Any]]:
        return sorted(self.emulator.oidc_connections(slug), key=lambda connection: connection["display_name"])

    def assert_acme_unchanged(self, before: list[dict[str, Any]]) -> None:
        assert self.live("acme") == before


@pytest.fixture
def clone(bare: Workplace, running: RunningEmulator, tmp_path: Path) -> Clone:
    bare.use(running)
    bare.setenv("RECONCILER_ALLOWED_HOSTS", bare.base_url.removeprefix("http://"))
    clone = Clone(bare)
    for slug, manifest in (("acme", ACME), ("globex", GLOBEX)):
        bare.add_organization(slug)
        bare.setenv(f"{slug.upper()}_CLIENT_SECRET", f"hidden-value-of-{slug}")
        clone.write(f"{slug}.yaml", manifest)
    bare.git("init", "--quiet", "--initial-branch", "main")
    bare.commit()
    bare.applied()
    return clone


every_error = pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)


@every_error
def test_a_second_document_that_deletes(clone: Clone, error: tuple[str, str]) -> None:
    """Threat of 4.3: a second document for the organization of the broken file, with `state: absent`."""
    before = clone.live("acme")
    clone.break_acme(error)
    clone.write("a.yaml", "organization: acme\nconnections:\n  x: {display_name: sso, state: absent}\n")
    run = clone.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    clone.assert_acme_unchanged(before)
    assert "organizations/acme.yaml" in run.output
    assert "organizations/a.yaml:1:1" in run.output


@every_error
@pytest.mark.parametrize("name", ["acme", "id"])
def test_a_second_document_with_another_issuer(clone: Clone, error: tuple[str, str], name: str) -> None:
    """Threat of 4.3: a second document for the organization of the broken file, with another issuer."""
    before = clone.live("acme")
    clone.break_acme(error)
    reference = before[0]["organization_id"] if name == "id" else name
    clone.write(
        "zz.yaml",
        f"organization: {reference}\nconnections:\n"
        "  sso: {issuer: 'https://evil.example.net', client_id: client-of-acme}\n",
    )
    run = clone.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    clone.assert_acme_unchanged(before)


@every_error
def test_another_organization_with_its_secret(clone: Clone, error: tuple[str, str]) -> None:
    """Threat of 4.3: another organization refers to the secret of the broken file's organization."""
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX.replace("GLOBEX_CLIENT_SECRET", "ACME_CLIENT_SECRET"))
    run = clone.run("plan", "--format", "json")
    assert run.code == 1
    assert SHARED_SECRET in {risk["code"] for risk in run.document["risks"]}, run.out


@every_error
def test_another_organization_with_its_client(clone: Clone, error: tuple[str, str]) -> None:
    """Threat of 4.3: another organization declares the client of the broken file's organization."""
    clone.break_acme(error)
    clone.write(
        "globex.yaml",
        GLOBEX.replace("https://globex.", "https://acme.").replace("client-of-globex", "client-of-acme"),
    )
    run = clone.run("plan", "--format", "json")
    assert run.code == 1
    assert "shared-client" in {risk["code"] for risk in run.document["risks"]}, run.out


@pytest.mark.parametrize("error", PARSE_ERRORS.values(), ids=PARSE_ERRORS)
@pytest.mark.parametrize("words", [(), ("--target", "globex/*"), ("organizations/globex.yaml",)])
def test_nothing_is_deleted_anywhere(clone: Clone, error: tuple[str, str], words: tuple[str, ...]) -> None:
    """Threat of 4.3: while a file cannot be read, nothing is deleted, `state: absent` included."""
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX + "    state: absent\n")
    run = clone.run("apply", "--auto-approve", *words)
    assert run.code == 1, run.output
    assert len(clone.live("globex")) == 1
    assert "organizations/acme.yaml" in run.output


@pytest.mark.parametrize("error", PARSE_ERRORS.values(), ids=PARSE_ERRORS)
def test_nothing_undeclared_is_deleted(clone: Clone, error: tuple[str, str]) -> None:
    clone.emulator.add_connection("globex", **okta("undeclared"))
    clone.break_acme(error)
    clone.write("globex.yaml", "prune: true\n" + GLOBEX)
    run = clone.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    assert len(clone.live("globex")) == 2


@pytest.mark.parametrize("error", RULE_ERRORS.values(), ids=RULE_ERRORS)
def test_a_broken_rule_stops_no_delete_elsewhere(clone: Clone, error: tuple[str, str]) -> None:
    """A file that parses hides nothing: only its own organization is refused."""
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX + "    state: absent\n")
    run = clone.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    assert not clone.live("globex")


@every_error
def test_a_connection_pinned_in_the_broken_file_is_not_pinned_elsewhere(
    clone: Clone, error: tuple[str, str]
) -> None:
    pin = clone.live("acme")[0]["connection_id"]
    clone.write("acme.yaml", ACME.replace("    issuer", f"    connection_id: {pin}\n    issuer"))
    clone.place.commit()
    clone.write(
        "acme.yaml", ACME.replace("    issuer", f"    connection_id: {pin}\n    issuer").replace(*error)
    )
    clone.write("globex.yaml", GLOBEX + f"    connection_id: {pin}\n")
    run = clone.run("plan", "--format", "json")
    assert run.code == 1
    assert "duplicate-connection-id" in run.codes, run.out


@every_error
def test_the_others_are_applied(clone: Clone, error: tuple[str, str]) -> None:
    """One bad thing stops only itself: the rest of the pull request is carried out, and the run exits 1."""
    before = clone.live("acme")
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX.replace("display_name: Globex", "display_name: Globex SSO"))
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    run = clone.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    assert clone.live("globex")[0]["client_id"] == "new-client"
    clone.assert_acme_unchanged(before)
    assert "0 added, 1 changed, 0 destroyed" in run.out


def test_a_file_that_was_never_readable_lets_nothing_be_applied(clone: Clone) -> None:
    """Where Git cannot tell, `plan` shows the rest, and `apply` writes only what was asked for."""
    clone.place.git("rm", "--quiet", "organizations/acme.yaml")
    clone.write("renamed.yaml", ACME + "  [")
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    plan = clone.run("plan")
    assert plan.code == 1
    assert "0 to add, 1 to change, 0 to destroy" in plan.out
    assert clone.run("drift").code == 1
    assert clone.run("apply", "--auto-approve").code == 1
    assert clone.live("globex")[0]["client_id"] == "client-of-globex"
    assert clone.run("apply", "--auto-approve", "--target", "globex/*").code == 0
    assert clone.live("globex")[0]["client_id"] == "new-client"


@pytest.mark.parametrize("words", [("globex/*",)])
def test_what_was_not_asked_for_cannot_fail_the_run(clone: Clone, words: tuple[str, ...]) -> None:
    """Case 10: a typo in one file, `plan --target` for another."""
    clone.break_acme(PARSE_ERRORS["a tab"])
    run = clone.run("plan", "--target", *words)
    assert run.code == 0, run.output
    assert "organizations/acme.yaml" in run.out
    assert clone.run("plan", "organizations/globex.yaml").code == 0
    asked = clone.run("plan", "--target", "acme/*")
    assert asked.code == 1
    assert "organizations/acme.yaml:3:1" in asked.output


def test_a_saved_plan_that_is_incomplete(clone: Clone) -> None:
    """`--out` writes `complete: false`, and `apply PLAN_FILE` applies what is known and exits 1."""
    clone.break_acme(PARSE_ERRORS["a tab"])
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    saved = str(clone.place.root.parent / "plan.json")
    run = clone.run("plan", "--out", saved, "--format", "json")
    assert run.code == 1
    assert run.document["complete"] is False
    assert run.document["errored"] is True
    applied = clone.run("apply", saved)
    assert applied.code == 1, applied.output
    assert clone.live("globex")[0]["client_id"] == "new-client"


def merged(clone: Clone) -> tuple[dict[str, Any], str]:
    """Plan in two shards, merge their plans, and return the document and the file of the whole."""
    saved = [str(clone.place.root.parent / f"plan-{number}.json") for number in (1, 2)]
    folder = ("-C", str(clone.cloned()))
    for number, path in enumerate(saved, start=1):
        clone.place.run(*folder, "plan", "--shard", f"{number}/2", "--out", path, "-q")
    whole = str(clone.place.root.parent / "plan.json")
    words = ("show", "--merge", *saved, "--format", "json", "--output", f"json={whole}")
    run = clone.place.run(*folder, *words)
    os.chdir(clone.place.root)
    assert run.code == 1, run.output
    return run.document, whole


def errors(document: dict[str, Any]) -> list[str]:
    kinds = ("diagnostics", "blocks")
    return [
        found["code"] for kind in kinds for found in document[kind] if found["severity"] == "error"
    ]  # fmt: skip


@every_error
def test_the_merged_plan_of_shards_hides_nothing(clone: Clone, error: tuple[str, str]) -> None:
    """Product 4.3 in shards: the whole is incomplete, says why once, and applies what is known."""
    before = clone.live("acme")
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    document, whole = merged(clone)
    assert (document["complete"], document["errored"]) == (False, True)
    assert 0 < len(errors(document)) == len(set(errors(document)))
    run = clone.run("apply", whole)
    assert run.code == 1, run.output
    assert "organizations/acme.yaml" in run.output
    assert clone.live("globex")[0]["client_id"] == "new-client"
    clone.assert_acme_unchanged(before)


@pytest.mark.parametrize("error", PARSE_ERRORS.values(), ids=PARSE_ERRORS)
def test_no_shard_deletes_beside_a_broken_file(clone: Clone, error: tuple[str, str]) -> None:
    """The shard with the delete is not the one with the file."""
    before = {slug: clone.live(slug) for slug in ("acme", "globex")}
    clone.break_acme(error)
    clone.write("globex.yaml", GLOBEX + "    state: absent\n")
    document, whole = merged(clone)
    assert document["summary"]["destroy"] == 0
    assert clone.run("apply", whole, "--allow-deletes", "1").code == 1
    assert {slug: clone.live(slug) for slug in before} == before


@pytest.mark.parametrize("slug", ["hooli", "initech"])
def test_the_attacks_of_a_broken_file_in_shards(clone: Clone, slug: str) -> None:
    """Another organization, in either shard, with the client and the secret of the broken file."""
    clone.place.add_organization(slug)
    clone.place.setenv(f"{slug.upper()}_CLIENT_SECRET", "hidden-value-of-acme")
    clone.place.write("reconciler.yaml", "policies: {shared-client: error, secret-reference-shared: error}\n")
    clone.break_acme(PARSE_ERRORS["a bracket"])
    attack = ACME.replace("organization: acme", f"organization: {slug}").replace("sso:", "evil:")
    clone.write(f"{slug}.yaml", attack)
    document, whole = merged(clone)
    assert {risk["code"] for risk in document["risks"] if risk["severity"] == "error"} >= {
        "shared-client",
        SHARED_SECRET,
    }
    before = clone.live(slug)
    assert clone.run("apply", whole).code == 1
    assert clone.live(slug) == before


def test_a_file_that_was_never_readable_blocks_the_merged_plan_once(clone: Clone) -> None:
    clone.place.git("rm", "--quiet", "organizations/acme.yaml")
    clone.write("renamed.yaml", ACME + "  [")
    for slug in ("hooli", "initech", "umbrella"):
        clone.place.add_organization(slug)
        text = GLOBEX.replace("organization: globex", f"organization: {slug}")
        clone.write(f"{slug}.yaml", text.replace("-of-globex", f"-of-{slug}"))
    document, whole = merged(clone)
    assert errors(document).count("unreadable-manifest") == 1
    assert document["applyable"] is False
    assert clone.run("apply", whole).code == 1
    assert clone.live("hooli") == []


@every_error
def test_pin_leaves_out_the_broken_file_only(clone: Clone, error: tuple[str, str]) -> None:
    clone.break_acme(error)
    broken = (clone.place.root / "organizations/acme.yaml").read_bytes()
    folder = clone.cloned()
    run = clone.place.run("-C", str(folder), "pin")
    os.chdir(clone.place.root)
    assert run.code == 1, run.output
    assert "organizations/acme.yaml" in run.output
    assert "connection_id: oidc-connection-" in (folder / "organizations/globex.yaml").read_text()
    assert (folder / "organizations/acme.yaml").read_bytes() == broken


@every_error
def test_import_leaves_out_what_the_broken_file_declares(clone: Clone, error: tuple[str, str]) -> None:
    """No second manifest for its organization, and one for another organization all the same."""
    clone.place.add_organization("hooli")
    clone.break_acme(error)
    folder = clone.cloned()
    run = clone.place.run("-C", str(folder), "import", "--all")
    os.chdir(clone.place.root)
    assert run.code == 1, run.output
    assert "organizations/acme.yaml" in run.output
    assert sorted(path.name for path in (folder / "organizations").iterdir()) == [
        "acme.yaml",
        "globex.yaml",
        "hooli.yaml",
    ]


def test_import_beside_a_file_that_was_never_readable_writes_what_was_asked_for(clone: Clone) -> None:
    clone.place.git("rm", "--quiet", "organizations/acme.yaml")
    clone.write("renamed.yaml", ACME + "  [")
    for slug in ("hooli", "initech"):
        clone.place.add_organization(slug)
    folder = clone.cloned()
    names = ["globex.yaml", "renamed.yaml"]
    run = clone.place.run("-C", str(folder), "import", "--all")
    os.chdir(clone.place.root)
    assert run.code == 1, run.output
    assert sorted(path.name for path in (folder / "organizations").iterdir()) == names
    run = clone.place.run("-C", str(folder), "import", "hooli")
    os.chdir(clone.place.root)
    assert run.code == 1, run.output
    assert "organizations/renamed.yaml" in run.output
    assert sorted(path.name for path in (folder / "organizations").iterdir()) == [
        *names[:1],
        "hooli.yaml",
        *names[1:],
    ]


@pytest.fixture
def unlisted(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Acme's manifest is in a folder that cannot be listed, and globex is to be changed."""
    (clone.place.root / "organizations/a").mkdir()
    clone.place.git("mv", "organizations/acme.yaml", "organizations/a/acme.yaml")
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    scandir = os.scandir

    def refuse(folder: str) -> object:
        if str(folder).endswith("organizations/a"):
            raise OSError(errno.EIO, "Input/output error", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    return clone


@pytest.mark.parametrize("words", [("plan",), ("drift",), ("apply", "--auto-approve")], ids=" ".join)
def test_a_folder_that_cannot_be_listed_stops_only_what_it_holds(
    unlisted: Clone, words: tuple[str, ...]
) -> None:
    run = unlisted.run(*words)
    assert run.code == 1, run.output
    assert "cannot list organizations/a: input/output error" in run.output
    assert "acme/globex" not in run.output
    is_applied = words[0] == "apply"
    assert (unlisted.live("globex")[0]["client_id"] == "new-client") is is_applied


def test_nothing_is_deleted_beside_a_folder_that_cannot_be_listed(unlisted: Clone) -> None:
    before = {slug: unlisted.live(slug) for slug in ("acme", "globex")}
    unlisted.write("globex.yaml", GLOBEX + "    state: absent\n")
    unlisted.write("evil.yaml", "organization: acme\nprune: true\nconnections: {}\n")
    run = unlisted.run("apply", "--auto-approve")
    assert run.code == 1, run.output
    assert {slug: unlisted.live(slug) for slug in before} == before


def test_a_folder_that_git_does_not_know_lets_nothing_be_applied(unlisted: Clone) -> None:
    unlisted.place.git("rm", "-rq", "--cached", "organizations/a")
    unlisted.place.write(".gitignore", "/organizations/a/\n")
    folder = unlisted.cloned()
    (folder / "organizations/a").mkdir()
    run = unlisted.place.run("-C", str(folder), "apply", "--auto-approve")
    os.chdir(unlisted.place.root)
    assert run.code == 1, run.output
    assert "[unreadable-manifest]" in run.output
    assert unlisted.live("globex")[0]["client_id"] == "client-of-globex"


def test_import_writes_no_second_manifest_beside_a_folder_that_cannot_be_listed(unlisted: Clone) -> None:
    folder = unlisted.cloned()
    run = unlisted.place.run("-C", str(folder), "import", "--all")
    os.chdir(unlisted.place.root)
    assert run.code == 1, run.output
    assert sorted(path.name for path in (folder / "organizations").glob("*")) == ["a", "globex.yaml"]


def test_a_linked_folder_stops_only_what_it_holds(clone: Clone, tmp_path: Path) -> None:
    """Threats 1: a link out of the project below a glob with folders is named, and nothing of it is read."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text("password: c4nary\n")
    clone.place.write("reconciler.yaml", "organizations: [organizations/*.yaml, organizations/*/*.yaml]\n")
    (clone.place.root / "organizations/out").symlink_to(outside)
    clone.write("globex.yaml", GLOBEX.replace("client-of-globex", "new-client"))
    run = clone.run("plan")
    assert run.code == 1, run.output
    assert "c4nary" not in run.output
    assert "organizations/out" in run.output
    assert "0 to add, 1 to change, 0 to destroy" in run.out
