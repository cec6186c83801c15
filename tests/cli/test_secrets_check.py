"""`secrets check`: which references cannot be resolved, asked of the stores and never of the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

CANARY = "canary-7f2c"


@pytest.fixture
def project(bare: Workplace) -> Workplace:
    """Three organizations without credentials for the API; two of them use one variable."""
    bare.declare("acme", client_secret="${env:SHARED_CLIENT_SECRET}")
    bare.declare("globex", client_secret="${env:SHARED_CLIENT_SECRET}")
    bare.declare("initech", client_secret="${file:initech.key}")
    return bare


def test_it_names_what_is_missing_once_with_the_addresses_that_need_it(project: Workplace) -> None:
    project.write("initech.key", CANARY)
    run = project.run("secrets", "check")
    assert run.code == 1
    assert run.out.splitlines() == [
        "${env:SHARED_CLIENT_SECRET}: the environment variable SHARED_CLIENT_SECRET is not set; "
        "set it, or correct the reference",
        "  acme/sso (organizations/acme.yaml:7:7)",
        "  globex/sso (organizations/globex.yaml:7:7)",
        "1 of 2 secret references cannot be resolved.",
    ]


def test_it_shows_no_value_and_needs_no_credentials(project: Workplace) -> None:
    project.write("initech.key", CANARY)
    project.setenv("SHARED_CLIENT_SECRET", CANARY)
    run = project.run("secrets", "check")
    assert (run.code, run.output) == (0, "2 secret references resolved.\n")
    assert CANARY not in project.run("secrets", "check", "--format", "json").output


def test_targets_and_paths_select(project: Workplace) -> None:
    project.write("initech.key", CANARY)
    assert project.run("secrets", "check", "--target", "initech/*").code == 0
    assert project.run("secrets", "check", "organizations/initech.yaml").code == 0
    run = project.run("secrets", "check", "--target", "acme/*", "--format", "json")
    assert run.code == 1
    assert run.document["missing"][0]["needed_by"] == [
        {"address": "acme/sso", "location": "organizations/acme.yaml:7:7"}
    ]


def test_a_target_that_matches_nothing_is_an_error(project: Workplace) -> None:
    run = project.run("secrets", "check", "--target", "nobody/*")
    assert (run.code, run.out) == (1, "")
    assert "no declared connection matches 'nobody/*'" in run.err


def test_a_secret_that_is_ignored_is_not_needed(bare: Workplace) -> None:
    bare.declare(
        "acme", client_secret="${env:X_CLIENT_SECRET}", lifecycle={"ignore_changes": ["client_secret"]}
    )
    assert bare.run("secrets", "check").out == "0 secret references resolved.\n"


def test_markdown_has_a_row_for_every_connection(project: Workplace) -> None:
    """For the summary of a job; the JSON beside it is for programs."""
    run = project.run("secrets", "check", "--format", "markdown", "--output", "json=check.json")
    assert run.code == 1
    assert "❌ 2 of 2 secret references cannot be resolved." in run.out
    rows = [line for line in run.out.splitlines() if line.startswith("| `${")]
    assert [row.split(" | ")[1] for row in rows] == ["`acme/sso`", "`globex/sso`", "`initech/sso`"]
    document = json.loads((project.root / "check.json").read_text(encoding="utf-8"))
    assert [missing["reference"] for missing in document["missing"]] == [
        "${env:SHARED_CLIENT_SECRET}",
        "${file:initech.key}",
    ]


def test_a_broken_manifest_is_an_error_and_the_others_are_checked(project: Workplace) -> None:
    project.write("organizations/globex.yaml", "organization: globex\nconnection: {}\n")
    project.setenv("SHARED_CLIENT_SECRET", CANARY)
    run = project.run("secrets", "check", "--format", "json")
    assert run.code == 1
    assert [finding["code"] for finding in run.document["diagnostics"]] == [
        "unknown-key",
        "secret-unavailable",
    ]
    assert [missing["reference"] for missing in run.document["missing"]] == ["${file:initech.key}"]
