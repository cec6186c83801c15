"""Nothing from outside moves the cursor, reorders text or hides in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.errors import count
from reconciler.reports.escaping import escape_terminal, format_value, quote
from reconciler.reports.text_style import width


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text", "plain text"),
        ("Büro 東京 🗼", "Büro 東京 🗼"),
        ("\x1b[31m", r"\u001b[31m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202egnp", r"\u202egnp"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\x9b31m", r"\u009b31m"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("no\u00a0break", r"no\u00a0break"),
    ],
)
def test_what_does_not_show_as_itself_is_escaped(text: str, escaped: str) -> None:
    assert escape_terminal(text) == escaped


@given(st.text())
def test_whatever_the_text_the_result_is_printable(text: str) -> None:
    assert escape_terminal(text).isprintable()
    assert quote(text).isprintable()


@given(st.text(), st.text())
def test_quotes_of_different_texts_differ(first: str, second: str) -> None:
    assert (quote(first) == quote(second)) is (first == second)


def test_quotes_and_backslashes_cannot_end_the_string() -> None:
    assert quote('a" -> "b\\') == r'"a\" -> \"b\\"'


def test_values_that_are_no_texts_are_shown_as_json() -> None:
    assert format_value({"b": 1, "a": "\u202e"}) == r'{"a": "\u202e", "b": 1}'


def test_width_counts_columns_not_characters() -> None:
    assert width("ab") == 2
    assert width("東京") == 4
    assert width("e\u0301") == 1


def test_one_is_singular() -> None:
    assert [count(number, "attribute") for number in (0, 1, 2)] == [
        "0 attributes",
        "1 attribute",
        "2 attributes",
    ]
