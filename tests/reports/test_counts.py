"""Text, Markdown and HTML of a plan count alike, in every case of the planner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reconciler.reports import PLAN_FORMATS
from tests.plans.test_plans import every_case, open_case
from tests.reports.published import BLOCKED, ORDINARY, REFUSED, review_plan

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.plan import Plan

_HIDDEN = re.compile(r"\((\d+) unchanged attributes? hidden\)")
_VERDICT = re.compile(
    r"Plan: \d.* to destroy\.|No changes\..*n\.|Nothing could.*planned\.|No differences were.*planned\."
)


_LINE = re.compile(r"^(Risk|Warning|Refused|Unmanaged)s?: (\d+)", re.MULTILINE)
_COUNTER = re.compile(r'<li class="(risk|warning|refused|unmanaged)"><b>(\d+)</b>')


@every_case
def test_the_formats_for_people_agree_in_every_count(folder: Path) -> None:
    plan = open_case(folder).plan()
    text, markdown, html = (PLAN_FORMATS[name](plan) for name in ("text", "markdown", "html"))
    assert _hidden(text) == _hidden(markdown) == _hidden(html)
    assert {*_VERDICT.findall(text)} == {*_VERDICT.findall(markdown)} == {*_VERDICT.findall(html)}
    counts = {name.lower(): int(number) for name, number in _LINE.findall(text)}
    assert {name: int(number) for name, number in _COUNTER.findall(html)} == counts
    assert [int(number) for number in re.findall(r"Unmanaged: (\d+)", markdown)] == [
        number for name, number in counts.items() if name == "unmanaged"
    ]


@pytest.mark.parametrize(
    "plan", [review_plan(), ORDINARY, REFUSED, BLOCKED], ids=["review", "ordinary", "refused", "blocked"]
)
def test_one_moved_issuer_is_one_finding_in_every_format(plan: Plan) -> None:
    text, markdown, html = (PLAN_FORMATS[name](plan) for name in ("text", "markdown", "html"))
    counts = {name.lower(): int(number) for name, number in _LINE.findall(text)}
    assert {name: int(number) for name, number in _COUNTER.findall(html)} == counts
    for word in ("risk", "warning"):
        shown = re.findall(rf'class="word">{word}<', html)
        assert len(shown) == counts.get(word, 0)
        groups = re.findall(rf"\*\*{word}\*\*.*?(?:\((\d+)\))?(?:<br>|$)", markdown, re.MULTILINE)
        assert sum(int(number or 1) for number in groups) == counts.get(word, 0)


def _hidden(text: str) -> list[str]:
    return sorted(_HIDDEN.findall(text))
