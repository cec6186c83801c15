"""Each command with a JSON document: what it prints fits its schema, in success and in failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.json_documents import check_document

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

RESULTS = {
    "validate": ("validate",),
    "plan": ("plan",),
    "saved plan": ("show", "plan.json"),
    "apply": ("apply", "--auto-approve"),
    "drift": ("drift",),
    "list": ("list", "--all"),
    "output": ("output", "acme/sso"),
    "import": ("import", "--all"),
    "import into manifests": ("import", "--update", "--add"),
    "pin": ("pin",),
    "secrets check": ("secrets", "check"),
    "explain": ("explain", "issuer-change"),
}
"""A call of each command with a JSON document."""

BROKEN = {
    "a manifest with an error": ("organizations/acme.yaml", "organisation: acme"),
    "a project file with an error": ("reconciler.yaml", "limit: 1"),
}


def run(place: Workplace, words: tuple[str, ...]) -> CompletedRun:
    return place.run(*words, "--format", "json")


@pytest.mark.parametrize("words", RESULTS.values(), ids=RESULTS)
def test_a_result_fits_its_schema(place: Workplace, words: tuple[str, ...]) -> None:
    """Before anything is created, and after one connection of two was edited by hand."""
    assert place.run("plan", "--out", "plan.json").code == 0
    first = run(place, words)
    assert first.code in {0, 2}, first.output
    assert first.document
    if words[0] != "apply":
        place.applied()
    (live,) = place.live("acme")
    place.emulator.edit_connection(live["connection_id"], client_id="edited")
    place.add_organization("initech", "Okta")
    again = run(place, words)
    assert again.code in {0, 2}, again.output
    assert again.document
    assert again.out.isascii()
    assert "hidden-" not in first.out + again.out


@pytest.mark.parametrize("words", RESULTS.values(), ids=RESULTS)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_failure_fits_its_schema(place: Workplace, words: tuple[str, ...], broken: str) -> None:
    """Whatever is wrong, the one document that is printed has the form that its readers expect."""
    assert place.run("plan", "--out", "plan.json").code == 0
    place.write(*BROKEN[broken])
    place.setenv("STYTCH_SECRET", "wrong")
    assert run(place, words).document


@pytest.mark.parametrize("words", RESULTS.values(), ids=RESULTS)
def test_a_failure_of_the_command_line_fits_its_schema(place: Workplace, words: tuple[str, ...]) -> None:
    """A misspelt option ends before the command begins."""
    ended = run(place, (*words, "--no-such-option"))
    assert ended.code == 1
    assert [finding["code"] for finding in ended.document["diagnostics"]] == ["usage-error"]


def test_operations_that_failed_fit_the_schema(place: Workplace) -> None:
    """Each outcome of an operation has its own form in the document of an apply."""
    place.emulator.add_fault("create-oidc-connection:500")
    document = run(place, ("apply", "--auto-approve")).document
    assert {outcome["status"] for outcome in document["outcomes"]} == {"failed"}


def test_the_files_of_output_hold_the_same_documents(place: Workplace) -> None:
    """`--output json=FILE` writes what `--format json` prints."""
    for words in (("plan",), ("validate",), ("drift",), ("list",), ("pin", "--check")):
        place.run(*words, "--output", "json=result.json")
        check_document(words[0], json.loads((place.root / "result.json").read_text(encoding="utf-8")))
