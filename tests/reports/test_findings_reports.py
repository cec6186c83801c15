"""What ``validate`` shows."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from reconciler.core.errors import Diagnostic, Severity, Snippet, SourceLocation
from reconciler.core.results import ValidationResult
from reconciler.reports import VALIDATION_FORMATS
from reconciler.reports.text_style import Style, render_diagnostics, width
from tests.reports.samples import ERROR, WARNING

FOUND = ValidationResult(diagnostics=(ERROR, WARNING), files=2, organizations=1, connections=1)


def render(validated: ValidationResult, format_: str = "text", *, color: bool = False) -> str:
    return VALIDATION_FORMATS[format_](validated, style=Style(color=color))


def test_a_finding_shows_what_where_and_what_to_do() -> None:
    assert (
        render_diagnostics((ERROR,))
        == """╷
│ Error: unknown key 'isuer' [unknown-key]
│
│   on acme.yaml:12:5
│     12:     isuer: https://acme.okta.com
│             ^^^^^
│
│ the key is not part of a connection
│
│ hint: did you mean `issuer`?
╵
"""
    )


def test_a_finding_without_a_place_is_short() -> None:
    assert (
        render_diagnostics((WARNING,))
        == """╷
│ Warning: scope 'openid' is listed twice [duplicate-scope]
╵
"""
    )


def test_a_newline_from_outside_makes_no_line_of_ours() -> None:
    text = render_diagnostics((replace(WARNING, summary="a\nb", detail="c\n╵ Success!", hint="d\ne"),))
    assert (
        text
        == r"""╷
│ Warning: a\nb [duplicate-scope]
│
│ c\n╵ Success!
│
│ hint: d\ne
╵
"""
    )


def alike(number: int) -> tuple[Diagnostic, ...]:
    """Return findings that say the same of as many files."""
    return tuple(
        replace(ERROR, location=SourceLocation(f"{index}.yaml", line=index + 1)) for index in range(number)
    )


def test_an_outage_that_hits_all_organizations_is_one_finding() -> None:
    hit = tuple(
        Diagnostic(
            Severity.ERROR,
            "organization-not-read",
            f"organization org-{index} cannot be planned: no connection to the service",
            address=f"org-{index}",
            location=SourceLocation(f"organizations/org-{index}.yaml", line=1),
        )
        for index in range(60)
    )
    text = render_diagnostics(hit)
    assert text.count("cannot be planned") == 1
    assert "organization … cannot be planned: no connection to the service (60)" in text
    assert "\n│   org-1 (organizations/org-1.yaml:1:1)\n" in text


def test_a_few_findings_that_say_the_same_are_each_shown_in_full() -> None:
    assert render_diagnostics(alike(5)) == "".join(render_diagnostics((finding,)) for finding in alike(5))


def test_many_findings_that_say_the_same_are_one_with_their_places() -> None:
    text = render_diagnostics(alike(60))
    assert text.count("╷") == 1
    assert f"{alike(1)[0].summary} (60)" in text
    places = [line for line in text.splitlines() if ".yaml:" in line]
    assert places == [f"│   acme/okta ({index}.yaml:{index + 1}:1)" for index in range(60)]


def test_the_caret_stands_below_the_finding_whatever_is_before_it() -> None:
    snippet = Snippet(text="\t\u202e東京: bad", start=6, end=9)
    excerpt, carets = render_diagnostics((replace(ERROR, snippet=snippet),)).splitlines()[4:6]
    assert excerpt == "│     12: \\t\\u202e東京: bad"
    assert carets.index("^") == excerpt.index("bad") + len("東京")
    assert carets.count("^") == 3


def test_a_finding_at_the_end_of_a_line_has_a_caret_too() -> None:
    diagnostic = replace(ERROR, snippet=Snippet(text="key:", start=4, end=4))
    assert render_diagnostics((diagnostic,)).splitlines()[5] == "│             ^"


def test_colour_marks_severity() -> None:
    text = render_diagnostics((ERROR, WARNING), style=Style(color=True))
    assert "\x1b[31mError:\x1b[0m \x1b[1munknown key" in text
    assert "\x1b[33mWarning:\x1b[0m \x1b[1mscope" in text


LONG = Diagnostic(
    Severity.ERROR,
    "unknown-key",
    "a summary with `a command in backticks` in it",
    hint="see https://example.com/a/very/long/address/that/nobody/may/break, "
    "or 日本語日本語 日本語日本語 日本語",
)


def test_a_finding_is_wrapped_to_the_terminal_and_words_and_commands_stay_whole() -> None:
    assert render_diagnostics((LONG,), style=Style(columns=34)).splitlines() == [
        "╷",
        "│ Error: a summary with",
        "│ `a command in backticks` in it",
        "│ [unknown-key]",
        "│",
        "│ hint: see",
        "│ https://example.com/a/very/long/address/that/nobody/may/break,",
        "│ or 日本語日本語 日本語日本語",
        "│ 日本語",
        "╵",
    ]


@pytest.mark.parametrize("columns", range(1, 90, 4))
def test_wrapping_loses_nothing(columns: int) -> None:
    wrapped = render_diagnostics((LONG,), style=Style(columns=columns))
    assert words_of(wrapped) == words_of(render_diagnostics((LONG,)))


def test_every_line_of_a_painted_frame_is_painted() -> None:
    lines = render_diagnostics((LONG,), style=Style(color=True, columns=34)).splitlines()
    assert lines[1] == "\x1b[31m│\x1b[0m \x1b[31mError:\x1b[0m \x1b[1ma summary with\x1b[0m"
    assert lines[2] == "\x1b[31m│\x1b[0m \x1b[1m`a command in backticks` in it\x1b[0m"


@pytest.mark.parametrize("columns", range(20, 60, 3))
@pytest.mark.parametrize("text", ["key: " + "v" * 70 + " # end", "キー: " + "値" * 40, "key: short"])
def test_the_caret_stands_below_the_finding_of_a_line_that_is_cut(text: str, columns: int) -> None:
    start = text.index(" ") + 1
    diagnostic = replace(ERROR, snippet=Snippet(text=text, start=start, end=start + 3))
    shown = render_diagnostics((diagnostic,), style=Style(columns=columns)).splitlines()
    line, caret = next(pair for pair in pairwise(shown) if "^" in pair[1])
    assert width(line) <= columns
    before = width(caret.partition("^")[0])
    at = next(index for index in range(len(line)) if width(line[:index]) == before)
    assert line[at] == text[start]


def words_of(framed: str) -> list[str]:
    return [word for word in framed.split() if word not in {"╷", "│", "╵"}]


def test_nothing_wrong() -> None:
    text = render(ValidationResult(files=1, organizations=2, connections=3))
    assert text == "Success! The configuration is valid.\n1 file, 2 organizations, 3 connections\n"


def test_only_warnings() -> None:
    text = render(ValidationResult(diagnostics=(WARNING,)))
    assert "Success! The configuration is valid, but there were some validation warnings" in text


def test_errors_are_counted() -> None:
    text = render(FOUND)
    assert text.endswith(
        "The configuration is not valid: 1 error, 1 warning.\n2 files, 1 organization, 1 connection\n"
    )


def test_the_document_has_terraforms_shape() -> None:
    document = json.loads(render(FOUND, "json"))
    error = document.pop("diagnostics")[0]
    assert document == {
        "format_version": "1.0",
        "valid": False,
        "error_count": 1,
        "warning_count": 1,
        "files": 2,
        "organizations": 1,
        "connections": 1,
    }
    assert error == {
        "severity": "error",
        "code": "unknown-key",
        "summary": "unknown key 'isuer'",
        "detail": "the key is not part of a connection",
        "hint": "did you mean `issuer`?",
        "address": "acme/okta",
        "range": {
            "filename": "acme.yaml",
            "start": {"line": 12, "column": 5, "byte": 200},
            "end": {"line": 12, "column": 10, "byte": 205},
        },
        "snippet": {
            "context": None,
            "code": "    isuer: https://acme.okta.com",
            "start_line": 12,
            "highlight_start_offset": 4,
            "highlight_end_offset": 9,
            "values": [],
        },
    }
