"""What is published, word for word: one golden file per report and format, read like prose."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import count
from reconciler.reports import DRIFT_FORMATS, PLAN_FORMATS, VALIDATION_FORMATS
from reconciler.reports.markdown import MAX_BYTES
from reconciler.reports.text_style import Style
from tests.reports.markup import rendered
from tests.reports.published import (
    BLOCKED,
    FINDINGS,
    HOSTILE,
    ORDINARY,
    QUIET,
    REFUSED,
    SOUND,
    create,
    delete,
    drift_of,
    hostile_plan,
    large_plan,
    plan,
    update,
)
from tests.reports.rendering import drift_markdown, drift_news, plan_markdown, validation_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.plan import Plan

GOLDENS = Path(__file__).parent / "goldens"
PUBLISHED = ("markdown", "github", "sarif", "html")

ALL = (
    (PLAN_FORMATS, {"ordinary": ORDINARY, "quiet": QUIET, "refused": REFUSED, "blocked": BLOCKED}),
    (DRIFT_FORMATS, {"drift": drift_of(ORDINARY), "no-drift": drift_of(QUIET), "unsure": drift_of(REFUSED)}),
    (VALIDATION_FORMATS, {"findings": FINDINGS, "sound": SOUND}),
)

CASES: list[tuple[str, str, Any]] = [
    (name, format_, (formats[format_], reported))
    for formats, reports in ALL
    for name, reported in reports.items()
    for format_ in PUBLISHED
]
CASES += [("hostile", "markdown", (PLAN_FORMATS["markdown"], hostile_plan(HOSTILE[:4])))]


@pytest.mark.parametrize(("name", "format_", "case"), CASES, ids=[f"{case[0]}.{case[1]}" for case in CASES])
def test_the_report_word_for_word(
    name: str, format_: str, case: Any, matches_golden: Callable[[str, Path], None]
) -> None:
    render, reported = case
    text = render(reported)
    assert text == render(reported, style=Style(color=True))
    assert text.endswith("\n")
    if format_ == "html":  # what comes before is style, what comes after script
        text = text[text.index("<body>") : text.index("<script>")]
    matches_golden(text, GOLDENS / f"{name}.{format_}")


@pytest.mark.parametrize("organizations", [1, 50, 1_000, 10_000])
def test_a_comment_fits_however_much_changes(organizations: int) -> None:
    """GitHub counts characters; bytes are never fewer, nor are they fewer than UTF-16 units."""
    large = large_plan(organizations)
    began = time.process_time()
    text = plan_markdown(large)
    assert time.process_time() - began < 5
    assert len(text.encode()) <= MAX_BYTES


def test_the_largest_risks_are_kept_and_the_rest_is_counted() -> None:
    text = plan_markdown(large_plan(10_000))
    assert "issuer-host-change" in text
    assert "<code>customer-09999/the-last</code> will be <b>destroyed</b>" in text
    decisive = text.count("\n- ❗ `customer-")
    assert f"- ❗ … {10_000 - decisive:,} more connections: the job summary and the saved plan" in text
    rows = text.count("\n| `customer-")
    assert (
        f"… {10_000 - rows:,} more organizations with 0 to add, {10_000 - rows:,} to change, 0 to destroy."
        in text
    )
    diffs = text.count("```diff")
    assert f"… {10_001 - diffs:,} more changes, too large to show here: {10_001 - diffs:,} to change." in text
    assert decisive > 1_000
    assert rows > 100
    assert diffs > 5


def many_changes(decisive: int) -> Plan:
    """Return a plan of 10,000 changes, of which so many decide who can sign in."""
    names = [f"customer-{number:05}" for number in range(10_000)]
    harmless = {"custom_scopes": ("openid", "email")}
    fields = ({"issuer": f"https://login.{name}.example"} for name in names)
    return plan(*(
        update(name, "okta", **(given if number % (10_000 // decisive) == 0 else harmless))
        for number, (name, given) in enumerate(zip(names, fields, strict=True))
    ))  # fmt: skip


@pytest.mark.parametrize("decisive", [1, 100, 400, 1_000])
def test_of_ten_thousand_changes_all_that_decide_are_in_the_comment(decisive: int) -> None:
    """threats.md 1: one line each, however many others there are, in at most 65,536 characters."""
    text = plan_markdown(many_changes(decisive))
    assert len(text) <= 65_536 - 1_500  # what a publisher puts around it
    assert f"**Who can sign in changes**: {count(decisive, 'attribute')}" in text
    assert text.count("\n- ❗ `customer-") == decisive
    assert "more changes, too large to show here" in text
    assert text.count("\n| `customer-") > 50


def test_what_even_short_lines_cannot_hold_is_counted_and_said_where() -> None:
    text = plan_markdown(many_changes(5_000))
    left = 5_000 - text.count("\n- ❗ `customer-")
    assert f"- ❗ … {left:,} more connections: the job summary and the saved plan have all" in text
    summary = plan_markdown(many_changes(5_000), max_bytes=1024 * 1024)
    assert summary.count("\n- ❗ `customer-") == 5_000


def test_a_job_summary_shows_more_than_a_comment() -> None:
    large = large_plan(1_000)
    comment, summary = plan_markdown(large), plan_markdown(large, max_bytes=1024 * 1024)
    assert summary.count("```diff") == 1_001
    assert comment.count("```diff") < 200


@pytest.mark.parametrize("most", [3_000, 5_000, 20_000])
@pytest.mark.parametrize("render", [plan_markdown, lambda plan, **how: drift_markdown(drift_of(plan), **how)])
def test_any_limit_holds_and_the_page_stays_whole(render: Callable[..., str], most: int) -> None:
    text = render(hostile_plan(), max_bytes=most)
    assert len(text.encode()) <= most
    assert rendered(text).skeleton[:4] == ["<h3 >", "</h3>", "<p >", "<strong >"]


def test_findings_that_do_not_fit_are_counted() -> None:
    diagnostics = tuple(FINDINGS.diagnostics) * 1_000
    text = plan_markdown(plan(create(), diagnostics=diagnostics))
    assert "**refused** `organization-not-read`: organization … cannot be planned" in text
    assert text.count("`globex`") == 20 + 1  # in the finding, and in the table
    assert "`globex` and 980 more" in text
    assert "**warning**" in text
    assert len(validation_markdown(type(FINDINGS)(diagnostics=diagnostics)).encode()) <= MAX_BYTES


def test_one_enormous_change_does_not_hide_the_others() -> None:
    enormous = create("initech", "x", custom_scopes=tuple(f"scope-{number}" for number in range(20_000)))
    text = plan_markdown(plan(enormous, create("acme", "okta"), delete()))
    assert "acme/okta</code> will be created" in text
    assert "… 1 more change, too large to show here: 1 to add." in text


def test_news_are_what_the_previous_report_did_not_have() -> None:
    report = drift_of(ORDINARY)
    assert "**New since** `2026-11-14T12:00:00Z`: 3 findings" in drift_news(report)
    assert "okta-workforce" not in drift_news(report)
    assert drift_news(drift_of(QUIET)) == ""


def test_the_same_report_gives_the_same_bytes() -> None:
    again = json.loads(PLAN_FORMATS["sarif"](ORDINARY))
    assert again == json.loads(PLAN_FORMATS["sarif"](ORDINARY))


def test_a_secret_reference_is_all_that_is_known_of_a_secret() -> None:
    for format_ in PUBLISHED:
        text = PLAN_FORMATS[format_](ORDINARY)
        assert "CLIENT_SECRET" not in re.sub(r"\(sensitive value\) # \$\{env:\w+\}", "", text)
