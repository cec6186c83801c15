"""Runs every command to each exit code that the reference lists for it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.commands import VERBS
from tests.cli.conftest import place
from tests.docs.pages import ROOT, read
from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub
from tests.support.fixtures import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.workplace import Workplace

__all__ = ["place", "running"]


def as_declared(place: Workplace) -> None:
    place.applied()


def not_created(_place: Workplace) -> None:
    """Two connections are declared, and none exists."""


def verified(place: Workplace) -> None:
    place.emulator.add_identity_provider("acme")
    place.declare("acme", issuer=f"{place.base_url}/idp/acme")
    place.applied()


def not_reached(place: Workplace) -> None:
    place.declare("acme", issuer="https://127.0.0.1:9")


def secret_missing(place: Workplace) -> None:
    place.applied()
    place.delenv("ACME_CLIENT_SECRET")


def broken_manifest(place: Workplace) -> None:
    place.write("organizations/acme.yaml", "organization: acme\nconnections: []")


def undeclared_organization(place: Workplace) -> None:
    place.add_organization("initech", "okta")


def saved_plan(place: Workplace) -> None:
    place.run("plan", "--out", "plan.json")


def not_a_plan(place: Workplace) -> None:
    place.write("plan.json", "{}")


ENDINGS: dict[tuple[str, int], tuple[Callable[[Workplace], None], str]] = {
    ("init", 0): (not_created, "init new"),
    ("init", 1): (not_created, "init ."),
    ("validate", 0): (not_created, "validate"),
    ("validate", 1): (broken_manifest, "validate"),
    ("plan", 0): (not_created, "plan"),
    ("plan", 1): (secret_missing, "plan --detailed-exitcode"),
    ("plan", 2): (not_created, "plan --detailed-exitcode"),
    ("apply", 0): (not_created, "apply --auto-approve"),
    ("apply", 1): (secret_missing, "apply --auto-approve"),
    ("drift", 0): (as_declared, "drift"),
    ("drift", 1): (secret_missing, "drift"),
    ("drift", 2): (not_created, "drift"),
    ("verify", 0): (verified, "verify --target acme/sso"),
    ("verify", 1): (not_reached, "verify --target acme/sso"),
    ("list", 0): (as_declared, "list"),
    ("list", 1): (as_declared, "list nobody"),
    ("output", 0): (as_declared, "output acme/sso redirect_url"),
    ("output", 1): (as_declared, "output acme/nothing redirect_url"),
    ("import", 0): (undeclared_organization, "import initech"),
    ("import", 1): (undeclared_organization, "import initech nobody"),
    ("pin", 0): (as_declared, "pin"),
    ("pin", 1): (as_declared, "pin --check"),
    ("show", 0): (saved_plan, "show plan.json"),
    ("show", 1): (not_a_plan, "show plan.json"),
    ("secrets", 0): (not_created, "secrets check"),
    ("secrets", 1): (secret_missing, "secrets check"),
    ("publish", 0): (saved_plan, "publish github --plan plan.json"),
    ("publish", 1): (saved_plan, "publish github --plan plan.json --pull-request 8"),
    ("explain", 0): (not_created, "explain too-many-deletes"),
    ("explain", 1): (not_created, "explain nonsense"),
    ("completion", 0): (not_created, "completion bash"),
    ("completion", 1): (not_created, "completion tcsh"),
    ("schema", 0): (not_created, "schema plan"),
    ("emulator", 0): (not_created, "emulator --list-switches"),
    ("emulator", 1): (not_created, "emulator --seed nowhere.yaml --port 0"),
    ("demo", 1): (not_created, "demo --keep ."),
}

PROVEN_ELSEWHERE = {("demo", 0): "tests/journeys/test_readme.py"}
"""What takes many seconds, and is run by another test anyway."""


def documented() -> dict[str, list[int]]:
    """Return the exit codes of each command whose cells in the table are not empty."""
    page = read(ROOT / "docs/reference/exit-codes.md")
    table = page.partition("| command | 0 | 1 | 2 |\n")[2].partition("\n\n")[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0].strip("`"): [code for code, cell in enumerate(row[1:]) if cell] for row in rows}


def test_every_command_has_its_exit_codes() -> None:
    assert list(documented()) == list(VERBS)
    cells = {(verb, code) for verb, codes in documented().items() for code in codes}
    assert cells == ENDINGS.keys() | PROVEN_ELSEWHERE.keys()
    assert all((ROOT / name).exists() for name in PROVEN_ELSEWHERE.values())


@pytest.fixture
def github(place: Workplace) -> Iterator[FakeGitHub]:
    with FakeGitHub() as github:
        place.setenv("GITHUB_API_URL", github.api_url)
        place.setenv("GITHUB_REPOSITORY", REPOSITORY)
        place.setenv("GITHUB_TOKEN", TOKEN)
        place.setenv("GITHUB_STEP_SUMMARY", str(place.root / "summary.md"))
        yield github


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(("verb", "code"), ENDINGS, ids=str)
def test_a_command_ends_with_each_of_its_exit_codes(place: Workplace, verb: str, code: int) -> None:
    arrange, command = ENDINGS[verb, code]
    arrange(place)
    run = place.run(*shlex.split(command))
    assert run.code == code, run.output
    assert "such option" not in run.err, "every command ends with 1 after a wrong option"
