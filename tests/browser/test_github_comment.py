"""Comments as GitHub shows them: decisions are seen, names stay names, nothing is cut off or hard to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.reports.drift_report import drift_report
from reconciler.reports.markdown import render_markdown
from reconciler.reports.plan_report import plan_report
from reconciler.reports.validation import validation_report
from tests.browser import github
from tests.browser.conftest import AXE
from tests.reports.published import BLOCKED, FINDINGS, ORDINARY, REFUSED, drift_of, hostile_plan, review_plan
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.reports.report import Report
    from tests.browser.conftest import Page

GOLDENS = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parents[1] / "reports" / "goldens").glob("*.markdown"))
}

REPORTS = {
    "ordinary": plan_report(ORDINARY),
    "refused": plan_report(REFUSED),
    "blocked": plan_report(BLOCKED),
    "review": plan_report(review_plan()),
    "drift": drift_report(drift_of(ORDINARY)),
    "drift of much": drift_report(drift_of(review_plan())),
    "findings": validation_report(FINDINGS),
}

HOSTILE_SUBJECTS: dict[str, Callable[[], str]] = {
    "plan": lambda: render_markdown(plan_report(hostile_plan())),
    "drift": lambda: render_markdown(drift_report(drift_of(hostile_plan()))),
}

GOLDENS |= {name: render_markdown(report) for name, report in REPORTS.items()}

every_golden = pytest.mark.parametrize("markdown", GOLDENS.values(), ids=list(GOLDENS))
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
every_scheme = pytest.mark.parametrize("scheme", github.SCHEMES)

_TEXT_THAT_IS_SEEN = "return document.querySelector('article').innerText"


@pytest.fixture
def show(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a way to open Markdown as GitHub shows it in a comment."""
    if not github.STYLE.exists():
        skip_or_fail("github-markdown-css is missing: run `npm ci` in tests/browser")

    def show_(markdown: str, *, scheme: str = "light") -> Page:
        return open_page(github.page(markdown), width=github.WIDTH, scheme=scheme)

    return show_


def foreign(page: Page) -> list[str]:
    """Return what nothing of ours ever is: images, references, headings of the first level, loose HTML."""
    selector = "[data-reference], img, input, h1, hr, script, iframe, [onerror], a[href^=mailto]"
    return list(
        page.run(
            f"return [...document.querySelectorAll('article :is({selector})')].map((it) => it.outerHTML)"
        )
    )


@every_golden
@every_scheme
def test_a_comment_is_legible_and_fits(show: Callable[..., Page], markdown: str, scheme: str) -> None:
    page = show(markdown, scheme=scheme)
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.run("return document.documentElement.scrollWidth") <= github.WIDTH
    tables = "[...document.querySelectorAll('table')]"
    assert not any(page.run(f"return {tables}.map((it) => it.scrollWidth - it.clientWidth)"))
    assert contrast_problems(page) == []
    assert page.problems() == []


@every_golden
def test_no_line_is_broken_twice(show: Callable[..., Page], markdown: str) -> None:
    page = show(markdown)
    breaks = "[...document.querySelectorAll('article br')].map((it) => it.nextSibling?.nodeName)"
    assert "BR" not in page.run(f"return {breaks}")
    assert "<br>\n" not in markdown
    assert "\n  <br>" not in markdown


def contrast_problems(page: Page) -> list[str]:
    """Return the elements whose text stands out too little from what is behind it."""
    if not AXE.exists():
        skip_or_fail("axe-core is missing: run `npm ci` in tests/browser")
    page.run(AXE.read_text(encoding="utf-8"))
    audit: dict[str, Any] = page.browser.execute_async_script(
        "axe.run('article', {runOnly: ['color-contrast']}).then(arguments[arguments.length - 1])"
    )
    assert audit["passes"] or audit["violations"]
    return [node["html"] for violation in audit["violations"] for node in violation["nodes"]]


@every_golden
def test_a_comment_has_no_element_that_is_not_ours(show: Callable[..., Page], markdown: str) -> None:
    assert foreign(show(markdown)) == []


@pytest.mark.parametrize("subject", HOSTILE_SUBJECTS.values(), ids=list(HOSTILE_SUBJECTS))
def test_no_name_becomes_markup_link_mention_or_image(
    show: Callable[..., Page], subject: Callable[[], str]
) -> None:
    page = show(subject())
    assert foreign(page) == []
    assert "evil.example" not in page.run("return [...document.links].map((link) => link.href).join()")
    assert "octocat" in page.run(_TEXT_THAT_IS_SEEN)


@every_report
def test_what_decides_is_seen_before_a_fold_is_opened(show: Callable[..., Page], report: Report) -> None:
    page = show(render_markdown(report))
    text = words(page.run(_TEXT_THAT_IS_SEEN))
    assert words(report.verdict) in text
    for item in report.differences:
        assert words(f"{item.address} {item.attribute}: ") in text
        assert words(item.before) in text
        assert words(item.after) in text
    for line in report.guards:
        assert words(line) in text
    for diagnostic in report.diagnostics:
        assert words(diagnostic.summary.removeprefix(f"{diagnostic.address}: ")) in text
    if report.origin:
        assert report.origin.scope.environment.value in text.split("Plan:")[0].split("Drift:")[0]


def words(text: str) -> str:
    """Leave out what only separates words, or turns them into code."""
    return " ".join(text.replace("`", "").split())


def test_the_renderer_does_what_github_does(show: Callable[..., Page]) -> None:
    """The tests above can fail: mentions, references, pictures and alerts are seen by them."""
    page = show(
        "@octocat #1 owner/name#2 GH-3 :tada: $x$ `@code`\nsecond <b>line</b>\n\n"
        "<script>alert(1)</script><img src=https://evil.example/x.png onerror=alert(1)>\n\n"
        "> [!WARNING]\n> careful"
    )
    references = page.run(
        "return [...document.querySelectorAll('[data-reference]')].map((it) => it.textContent)"
    )
    assert references == ["@octocat", "#1", "owner/name#2", "GH-3", ":tada:", "$x$"]
    assert page.run("return document.querySelectorAll('article script, [onerror]').length") == 0
    assert page.run("return document.querySelectorAll('img').length") == 1
    assert page.run("return document.querySelector('.markdown-alert-warning').innerText").split() == [
        "Warning",
        "careful",
    ]
    assert page.run("return document.querySelectorAll('article p br').length") == 1


def test_text_that_is_too_pale_is_found(show: Callable[..., Page]) -> None:
    page = show("text")
    page.run("document.querySelector('article p').style.color = '#c0c0c0'")
    assert len(contrast_problems(page)) == 1
