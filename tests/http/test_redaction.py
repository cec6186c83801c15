"""A service's words are shown only where they cannot repeat a secret."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.http.redaction import WITHHELD, redact

SECRET = 'p%40ss w0rd+/=\n"Zürich<&>\tEND~!'
FIRST_LINE = SECRET.split("\n", maxsplit=1)[0]
WRITINGS = {
    "as it is": SECRET,
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON with letters": json.dumps(SECRET, ensure_ascii=False),
    "JSON with slashes": json.dumps(SECRET).replace("/", "\\/"),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "percent": quote(SECRET, safe=""),
    "percent but slashes": quote(SECRET),
    "percent in lower case": quote(SECRET, safe="").lower(),
    "a form": quote_plus(SECRET),
    "percent twice": quote(quote(SECRET)),
    "HTML": html.escape(SECRET),
    "HTML in JSON": json.dumps(html.escape(SECRET)),
    "Python": repr(SECRET),
    "blanks for line breaks": SECRET.replace("\n", " ").replace("\t", " "),
    "no line breaks": SECRET.replace("\n", ""),
    "CRLF": SECRET.replace("\n", "\r\n"),
    "upper case": SECRET.upper(),
    "the first line": FIRST_LINE,
    "the second line": SECRET.split("\n", maxsplit=1)[1],
    "the beginning": SECRET[:10] + "…",
    "without its end": SECRET[:-1],
    "zero width": "\u200b".join(SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "hexadecimal": SECRET.encode().hex(),
}


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS.keys())
def test_a_text_with_a_secret_in_any_writing_is_not_shown(writing: str) -> None:
    assert redact(f"bad client_secret: {writing}, sorry", (SECRET,)) == WITHHELD


@pytest.mark.parametrize(
    "text", ["client_secret is too short", "", "100% of p%40ss", "\\", "secret-test- keys are no live keys"]
)
def test_other_words_are_shown(text: str) -> None:
    assert redact(text, (SECRET, "", "secret-test-abcdefghijkl")) == text


def test_short_secrets_are_recognised_as_a_whole() -> None:
    assert redact("it is s3cr!", ("s3cr!",)) == WITHHELD
    assert redact("it is s3c", ("s3cr!",)) == "it is s3c"
    assert redact("it is +++", ("+++",)) == WITHHELD


def test_a_line_that_says_little_does_not_hide_everything() -> None:
    assert redact("a to b", ("a\nlonger-than-eight",)) == "a to b"


@given(st.text(min_size=1), st.text(), st.text())
def test_no_secret_survives_whatever_stands_around_it(secret: str, before: str, after: str) -> None:
    assert redact(before + secret + after, (secret,)) == WITHHELD
