"""`list` and `output`: what is declared, what is live, and single values of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace


@pytest.fixture
def workplace(bare: Workplace, running: RunningEmulator) -> Workplace:
    """One organization with three kinds of connections, and one that no manifest declares."""
    bare.use(running)
    bare.add_organization("acme", "sso", "rogue")
    bare.add_organization("globex", "own")
    bare.declare("acme")
    manifest = bare.root / "organizations/acme.yaml"
    manifest.write_text(manifest.read_text().replace('"connections": {', '"connections": {"later": {},', 1))
    return bare


def rows(workplace: Workplace, *words: str) -> dict[str, tuple[str, str | None]]:
    run = workplace.run("list", *words, "--format", "json")
    assert run.code == 0, run.output
    connections = run.document["connections"]
    return {
        connection["address"].replace(connection["connection_id"] or "-", "ID"): (
            connection["management"], connection["status"],
        )
        for connection in connections
    }  # fmt: skip


ACME = {
    "acme/later": ("not created", None),
    "acme/sso": ("managed", "active"),
    "acme/ID": ("undeclared", "active"),
}


def test_it_lists_what_manifests_declare_and_what_they_do_not(workplace: Workplace) -> None:
    """No secret is needed: none is resolved."""
    assert rows(workplace) == ACME


def test_all_adds_organizations_that_no_manifest_declares(workplace: Workplace) -> None:
    assert rows(workplace, "--all") == ACME | {"globex/ID": ("undeclared", "active")}


def test_all_beside_a_name_keeps_what_manifests_declare_of_the_others(workplace: Workplace) -> None:
    """Other organizations are listed as their manifests declare them, not as unknown ones."""
    assert rows(workplace, "globex", "--all") == ACME | {"globex/ID": ("undeclared", "active")}


def test_an_organization_that_no_manifest_declares_can_be_named(workplace: Workplace) -> None:
    assert rows(workplace, "globex") == {"globex/ID": ("undeclared", "active")}


def test_targets_and_paths_select(workplace: Workplace) -> None:
    assert rows(workplace, "--target", "acme/s*") == {"acme/sso": ACME["acme/sso"]}
    assert rows(workplace, "organizations/acme.yaml") == ACME


def test_the_table_has_a_line_for_each_connection(workplace: Workplace) -> None:
    run = workplace.run("list")
    lines = run.out.splitlines()
    assert lines[0].split("  ")[0] == "ADDRESS"
    redirect_url = workplace.run("output", "acme/sso", "redirect_url").out.strip()
    assert lines[2].startswith("acme/sso")
    assert lines[2].endswith(redirect_url)
    assert lines[-1] == "3 connections in 1 organization."


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (95, ["ADDRESS", "STATUS", "MANAGED"]),
        (120, ["ADDRESS", "DISPLAY NAME", "PROVIDER", "STATUS", "MANAGED"]),
        (400, ["ADDRESS", "DISPLAY NAME", "PROVIDER", "STATUS", "MANAGED", "CONNECTION ID", "ORGANIZATION ID",
               "REDIRECT URL"]),
    ],
)  # fmt: skip
def test_a_terminal_shows_the_columns_that_fit(
    workplace: Workplace, columns: int, headings: list[str]
) -> None:
    with terminal(workplace, "list", "acme", columns=columns, result_on_screen=True) as session:
        assert session.end()[0] == 0
    assert re.split(r" {2,}", session.lines[0]) == headings
    assert any(line.startswith("acme/sso") for line in session.lines[2:5])
    assert session.text.endswith("3 connections in 1 organization.\n")
    says = " ".join(session.text.split())
    assert ("redirect url; `reconciler output ADDRESS` prints them." in says) is (columns < 400)


def test_the_default_connection_is_marked(workplace: Workplace) -> None:
    (sso,) = (live for live in workplace.live("acme") if live["display_name"] == "sso")
    workplace.emulator.edit_organization("acme", sso_default_connection_id=sso["connection_id"])
    marked = {
        item["display_name"]: item["default"]
        for item in workplace.run("list", "--format", "json").document["connections"]
    }
    assert marked == {"later": False, "sso": True, "rogue": False}
    marked_lines = [line for line in workplace.run("list").out.splitlines() if "active, default" in line]
    assert [line.split()[0] for line in marked_lines] == ["acme/sso"]


def test_a_secret_is_never_shown(workplace: Workplace) -> None:
    outputs = [
        workplace.run(*words).output
        for words in (("list",), ("list", "--format", "json"), ("output", "acme/sso"))
    ]
    assert not any("s3cr3t" in text or "client_secret" in text for text in outputs)


def test_an_organization_that_does_not_exist_is_one_clear_line(workplace: Workplace) -> None:
    run = workplace.run("list", "acmee")
    assert (run.code, run.out) == (1, "")
    assert "organization 'acmee' does not exist in this project: did you mean `acme`?" in run.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("acme/ssoo", "redirect_url"),
            "no connection has the address 'acme/ssoo': did you mean `acme/sso`?",
        ),
        (
            ("acme/nothing-like-it",),
            "no connection has the address 'acme/nothing-like-it': `reconciler list acme` lists",
        ),
        (("acme/sso", "redirect_uri"), "unknown field 'redirect_uri': did you mean `redirect_url`?"),
        (("acme/sso", "client_secret"), "client_secret is never shown"),
        (("acme", "redirect_url"), "'acme' is not an address; addresses look like acme/okta"),
        (("acme/later", "redirect_url"), "acme/later has no redirect_url: it is not created"),
    ],
    ids=str,
)
def test_mistakes_are_one_clear_line(workplace: Workplace, words: tuple[str, ...], message: str) -> None:
    run = workplace.run("output", *words)
    assert (run.code, run.out) == (1, "")
    assert message in run.err


def test_one_value_is_all_that_is_printed(workplace: Workplace) -> None:
    """Case: the administrator of a customer needs the redirect_url."""
    run = workplace.run("output", "acme/sso", "redirect_url")
    assert (run.code, run.err, run.out.count("\n")) == (0, "", 1)
    document = workplace.run("output", "acme/sso", "redirect_url", "--format", "json").document
    assert document == {"format_version": "1.0", "address": "acme/sso", "redirect_url": run.out.strip()}


def test_a_connection_without_a_name_is_found_by_its_id(workplace: Workplace) -> None:
    connection_id = workplace.live("globex")[0]["connection_id"]
    run = workplace.run("output", f"globex/{connection_id}", "display_name")
    assert (run.code, run.out) == (0, "own\n")
