"""`explain`: every code has an explanation, and every explanation belongs to a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.core.codes import CODES
from reconciler.policies import RULES
from reconciler.reports.explanations import load_explanations

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

EXPLANATIONS = load_explanations({rule.id: rule.why for rule in RULES})


def test_every_code_has_an_explanation() -> None:
    assert sorted(EXPLANATIONS) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_explanation_says_what_why_and_what_to_do(code: str) -> None:
    explanation = EXPLANATIONS[code]
    for text in (explanation.title, explanation.why, explanation.fix):
        assert text.endswith((".", "?"))
        assert text[0].isupper() or text[0] == "`"


def test_text_says_what_why_and_what_to_do(bare: Workplace) -> None:
    run = bare.run("explain", "pin-not-live")
    assert (run.code, run.err) == (0, "")
    explanation = EXPLANATIONS["pin-not-live"]
    assert run.out == (
        f"pin-not-live: {explanation.title}\n\n"
        f"Why it matters: {explanation.why}\nWhat to do: {explanation.fix}\n"
    )


def test_json_has_a_key_for_each_part(bare: Workplace) -> None:
    document = bare.run("explain", "issuer-host-change", "--format", "json").document
    assert sorted(document) == ["code", "fix", "format_version", "title", "why"]
    assert "--accept-risk issuer-host-change:ADDRESS" in document["fix"]


def test_an_unknown_code_gets_a_suggestion(bare: Workplace) -> None:
    run = bare.run("explain", "pin-not-life")
    assert (run.code, run.out) == (1, "")
    assert "unknown code 'pin-not-life': did you mean `pin-not-live`?" in run.err
