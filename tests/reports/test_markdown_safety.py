"""No name breaks out of its place: Markdown is rendered with GitHub's renderer and taken apart."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.results import ValidationResult
from reconciler.reports import FAILURE_FORMATS
from reconciler.reports.escaping import MAX_NAME, clip, escape_terminal, markdown_code, markdown_message
from tests.reports.markup import rendered
from tests.reports.published import HOSTILE, drift_of, hostile_plan, hostile_verification
from tests.reports.rendering import (
    drift_markdown,
    drift_news,
    plan_markdown,
    validation_markdown,
    verification_markdown,
    verification_news,
)
from tests.support.generated import examples

if TYPE_CHECKING:
    from collections.abc import Callable

FRAGMENTS = (
    *"`|\\*_~[]()<>!#@&$:;'\"-+=/.%^{} \t\n\r\x00\x1b\u202e\u2028\u200d\ud800\u0639\u00e9x1",
    "```", "~~~", "`` `", "</code>", "</details>", "</summary>", "</td>", "<!--", "-->",
    "<br>", "&lt;", "&#96;",
    "@octocat", "#1", "GH-1", "https://evil.example", "www.evil.example", "a@b.example", "mailto:a@b.example",
    "![a](b)", "](b)", "[a]: b", "\n\n", "\n# x", "\n- x", "\n> x", "\n    x", "\n|-|\n", "|---|", ":tada:",
    "$x$", "/close", "::error::", "##[error]", "xmpp:a@b.example",
)  # fmt: skip

nasty_texts = (
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), min_size=1, max_size=8)
    .map("".join)
    .filter(str.strip)
)

FORMS: dict[str, Callable[[str], str]] = {
    "plan": lambda text: plan_markdown(hostile_plan((text,))),
    "drift": lambda text: drift_markdown(drift_of(hostile_plan((text,)))),
    "verification": lambda text: verification_markdown(hostile_verification(text)),
    "verification's news": lambda text: verification_news(hostile_verification(text)),
    "news": lambda text: drift_news(drift_of(hostile_plan((text,)))),
    "validation": lambda text: validation_markdown(
        ValidationResult(diagnostics=hostile_plan((text,)).diagnostics)
    ),
    "failure": lambda text: FAILURE_FORMATS["markdown"](hostile_plan((text,)).diagnostics),
}

every_form = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))

MEANINGFUL = re.compile(r"@|#\d|\bGH-\d|https?:|www\.|[<>`\[\]|~$\\]")
"""What GitHub would read something into, were it outside of code."""


def is_harmless(text: str) -> bool:
    return MEANINGFUL.search(text.replace("[!CAUTION]", "").replace("[!NOTE]", "")) is None


@every_form
@given(text=nasty_texts)
@examples(150)
@example(text=HOSTILE[0])
@example(text=HOSTILE[1])
@example(text=HOSTILE[2])
@example(text=HOSTILE[3])
@example(text=HOSTILE[5])
@example(text="a\\")
@example(text="`")
def test_a_report_has_the_same_elements_whatever_the_names_are(form: Callable[[str], str], text: str) -> None:
    hostile, harmless = rendered(form(text)), rendered(form("harmless"))
    assert hostile.skeleton == harmless.skeleton
    assert not [text for text in hostile.outside if not is_harmless(text)]


@every_form
@given(text=nasty_texts)
@examples(50)
def test_no_line_begins_with_what_came_from_outside(form: Callable[[str], str], text: str) -> None:
    """GitLab takes lines that begin with a slash for commands, and runners those with two colons."""
    lines = form(text).split("\n")
    assert not [line for line in lines if re.match(r" *(/[a-z]|::)", line) or not line.isprintable()]


@given(text=nasty_texts)
@examples(300)
def test_code_shows_the_text_itself_in_a_table_too(text: str) -> None:
    escaped = clip(escape_terminal(text), MAX_NAME).replace("|", "\\u007c")
    markup = rendered(f"| A | B |\n|---|---|\n| {markdown_code(text)} | {markdown_code(text)} |")
    assert markup.skeleton.count("<td >") == 2
    assert markup.code == [escaped, escaped]
    assert "".join(markup.outside).split() == ["A", "B"]


@given(text=nasty_texts)
@examples(300)
def test_a_sentence_keeps_every_word(text: str) -> None:
    """Backticks that quote become code, and pipes escapes; nothing else is added or lost."""
    markup = rendered(f"- x {markdown_message(text)} y")
    wanted = escape_terminal(text).replace("`", "").replace("|", "\\u007c").split()
    assert markup.text.replace("`", "").split() == ["x", *wanted, "y"]
    assert markup.skeleton == ["<ul >", "<li >", "</li>", "</ul>"]


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_what_is_empty_is_said_to_be(text: str) -> None:
    assert rendered(f"- {markdown_code('')} {markdown_message(text)}\n- x").code == ["(empty)", "(empty)"]


def test_fences_are_longer_than_any_run_within() -> None:
    markdown = plan_markdown(hostile_plan(("`````",)))
    fences = re.findall(r"^(`{3,})(?:diff)?$", markdown, re.MULTILINE)
    assert fences
    assert all(opening == closing and len(opening) > 5 for opening, closing in list(pairwise(fences))[::2])
