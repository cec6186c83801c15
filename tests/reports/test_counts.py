"""Text, Markdown and HTML of a plan count alike, in every case of the planner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.reports import PLAN_FORMATS
from tests.plans.test_plans import every_case, open_case

if TYPE_CHECKING:
    from pathlib import Path

_HIDDEN = re.compile(r"\((\d+) unchanged attributes? hidden\)")
_VERDICT = re.compile(
    r"Plan: \d.* to destroy\.|No changes\..*n\.|Nothing could.*ned\.|No differences were.*ned\."
)


@every_case
def test_the_formats_for_people_agree_in_every_count(folder: Path) -> None:
    plan = open_case(folder).plan()
    text, markdown, html = (PLAN_FORMATS[name](plan) for name in ("text", "markdown", "html"))
    assert _hidden(text) == _hidden(markdown) == _hidden(html)
    assert {*_VERDICT.findall(text)} == {*_VERDICT.findall(markdown)} == {*_VERDICT.findall(html)}


def _hidden(text: str) -> list[str]:
    return sorted(_HIDDEN.findall(text))
