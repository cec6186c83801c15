"""Case 11: 88 missing variables are one table, and one finding each where programs read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import CompletedRun, Workplace

GOLDENS = Path(__file__).parent / "missing_secrets"
MISSING = [f"customer-{number:02}" for number in range(1, 89)]


@pytest.fixture
def estate(bare: Workplace, running: RunningEmulator) -> Workplace:
    """88 organizations whose variables are not set, and one that can be planned."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 100}")
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    bare.add_organization("acme", organization_id="organization-test-00000000-0000-4000-8000-000000000001")
    for slug in MISSING:
        bare.add_organization(slug)
    for slug in ("acme", *MISSING):
        variable = slug.upper().replace("-", "_")
        bare.declare(slug, client_secret=f"${{env:{variable}_CLIENT_SECRET}}")
    return bare


def steady(run: CompletedRun, place: Workplace) -> str:
    """Return what was printed, without what differs from run to run."""
    return run.out.replace(place.headline, "Project PROJECT\n\n")


def test_a_plan_has_one_table_and_plans_the_rest(
    estate: Workplace, matches_golden: Callable[[str, Path], None]
) -> None:
    """Case 11: 88 missing variables are not 88 blocks of five lines."""
    run = estate.run("plan")
    assert (run.code, run.err) == (1, "")
    matches_golden(steady(run, estate), GOLDENS / "plan.txt")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_terminal(estate: Workplace, columns: int) -> None:
    """Case 11: where the table is wider than the terminal, each variable takes two lines instead."""
    with terminal(estate, "plan", columns=columns, result_on_screen=True) as session:
        code, _ = session.end()
    assert code == 1
    lines = [line.removeprefix("│ ") for line in session.lines]
    assert "88 secrets cannot be resolved: the environment variable is not set" in " ".join(lines)
    row = "  ${env:CUSTOMER_88_CLIENT_SECRET}"
    if columns == 120:
        assert f"{row}  customer-88/sso  organizations/customer-88.yaml:7:7" in lines
    else:
        assert lines[lines.index(row) + 1] == "    customer-88/sso, organizations/customer-88.yaml:7:7"


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_pages_have_the_same_table(estate: Workplace, format_: str) -> None:
    """Case 11: a comment and a page show one finding with a row for each variable."""
    run = estate.run("plan", "--format", format_)
    assert run.code == 1
    assert run.out.count("88 secrets cannot be resolved: the environment variable is not set") == 1
    assert run.out.count("cannot be resolved") == 1
    for number in range(1, 89):
        (row,) = [
            line for line in run.out.splitlines() if f"${{env:CUSTOMER_{number:02}_CLIENT_SECRET}}" in line
        ]
        assert f"customer-{number:02}/sso" in row
        assert f"organizations/customer-{number:02}.yaml:7:7" in row


def test_the_table_of_a_comment_is_cut_within_its_limit(estate: Workplace) -> None:
    """Case 11: a table that does not fit a comment says how many rows are left out."""
    for slug in MISSING:
        secret = f"${{env:{slug.upper().replace('-', '_')}_{'X' * 900}_CLIENT_SECRET}}"
        estate.declare(slug, client_secret=secret)
    out = estate.run("plan", "--format", "markdown").out
    assert len(out) < 65_536
    rows = out.count("| `${env:CUSTOMER_")
    assert 0 < rows < 88
    assert f"… {88 - rows} more secrets" in out


@pytest.mark.parametrize("verb", ["plan", "drift", "apply"])
def test_programs_get_one_finding_with_its_place_for_each(estate: Workplace, verb: str) -> None:
    """Case 11: JSON names each variable, its place, and what needs it."""
    options = ["--auto-approve"] if verb == "apply" else []
    run = estate.run(verb, "--format", "json", *options)
    assert run.code == 1
    findings = [finding for finding in run.document["diagnostics"] if finding["code"] == "secret-unavailable"]
    assert [finding["missing_secret"]["needed_by"] for finding in findings] == [[f"{s}/sso"] for s in MISSING]
    assert {finding["range"]["filename"] for finding in findings} == {
        f"organizations/{slug}.yaml" for slug in MISSING
    }


def test_annotations_stand_at_each_line(estate: Workplace) -> None:
    """Case 11: annotations and SARIF need a place each, so they stay apart."""
    annotations = estate.run("plan", "--format", "github").out.splitlines()
    assert sum("secret-unavailable" in line and "line=7" in line for line in annotations) == 88
    results = json.loads(estate.run("plan", "--format", "sarif").out)["runs"][0]["results"]
    assert sum(result["ruleId"] == "secret-unavailable" for result in results) == 88


def test_a_saved_plan_shows_the_table_again(estate: Workplace) -> None:
    """Case 11: `show` renders the saved plan as `plan` did."""
    planned = estate.run("plan", "--out", "plan.json")
    shown = estate.run("show", "plan.json").out
    table = planned.out[planned.out.index("╷") :].partition("\nSaved the plan")[0]
    assert "88 secrets" in table
    assert table.rstrip() in shown


def test_each_problem_has_its_own_table(
    estate: Workplace, matches_golden: Callable[[str, Path], None]
) -> None:
    """Case 11: unset variables, an empty one, missing files, and one variable that many connections need."""
    for slug in MISSING[:80]:
        estate.declare(slug, client_secret="${env:SHARED_CLIENT_SECRET}")
    for slug in MISSING[80:83]:
        estate.declare(slug, client_secret=f"${{file:secrets/{slug}}}")
    estate.setenv("CUSTOMER_84_CLIENT_SECRET", "")
    run = estate.run("plan")
    assert run.code == 1
    matches_golden(steady(run, estate), GOLDENS / "problems.txt")


def test_nothing_can_be_planned_and_the_table_still_says_why(estate: Workplace) -> None:
    """Case 11: where every organization needs a missing secret, the failure has the table too."""
    estate.delenv("ACME_CLIENT_SECRET")
    for format_ in ("text", "markdown"):
        run = estate.run("plan", "--format", format_)
        assert run.code == 1
        assert "89 secrets cannot be resolved" in run.output
