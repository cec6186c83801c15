"""Annotations as the runner reads them, whatever the names are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given

from reconciler.reports import DRIFT_FORMATS, FAILURE_FORMATS, PLAN_FORMATS, VALIDATION_FORMATS
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.github_annotations import MAX_MESSAGE, workflow_command
from reconciler.reports.report import Annotation
from tests.reports.published import FINDINGS, HOSTILE, ORDINARY, REFUSED, drift_of, hostile_plan, place
from tests.reports.test_markdown_safety import nasty_texts
from tests.support.generated import examples

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = re.compile(r"^::(?P<name>[a-z-]+) (?P<properties>[^:]*)::(?P<data>.*)$")

FORMS: dict[str, Callable[[str], str]] = {
    "plan": lambda text: PLAN_FORMATS["github"](hostile_plan((text,))),
    "drift": lambda text: DRIFT_FORMATS["github"](drift_of(hostile_plan((text,)))),
    "failure": lambda text: FAILURE_FORMATS["github"](hostile_plan((text,)).diagnostics),
}


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a command as actions/runner does: properties end at the next two colons, commas part them."""
    match = COMMAND.match(line)
    assert match, line
    pairs = (pair.partition("=") for pair in match["properties"].split(","))
    properties = {key: unescaped(value, {"%3A": ":", "%2C": ","}) for key, _, value in pairs}
    return match["name"], properties, unescaped(match["data"], {})


def unescaped(text: str, more: dict[str, str]) -> str:
    for escape, character in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(escape, character)
    return text


def test_a_finding_stands_on_its_line() -> None:
    *_, line = PLAN_FORMATS["github"](ORDINARY).split("\n")[:3]
    assert read(line) == (
        "warning",
        {"file": "organizations/acme.yaml", "line": "8", "col": "3", "title": "issuer-host-change"},
        "acme/okta-workforce: the host of `issuer` changes from acme.okta.com to login.acme.com\n"
        "whoever runs that host decides who logs in to this organization\n"
        "hint: accept it with `--accept-risk issuer-host-change:acme/okta-workforce`",
    )


def test_the_most_urgent_come_first() -> None:
    """GitHub shows ten annotations of each level in a step."""
    lines = PLAN_FORMATS["github"](ORDINARY).splitlines()
    read_lines = [read(line) for line in lines if line.startswith("::")]
    titles = [properties["title"] for _, properties, _ in read_lines]
    first = "acme/okta-workforce changes who can sign in"
    assert titles[:3] == [first, first, "issuer-host-change"]
    others = read_lines[2:]
    assert [name for name, _, _ in others] == ["warning", "warning", "notice", "notice", "notice"]
    assert others[1][1]["title"] == "acme/old-saml-bridge will be destroyed"
    assert "Plan: 2 to add, 1 to change, 1 to destroy." in lines


def test_errors_are_errors() -> None:
    text = PLAN_FORMATS["github"](REFUSED)
    assert read(text.splitlines()[0])[1]["title"].endswith("changes who can sign in")
    name, properties, data = read(text.splitlines()[1])
    assert (name, properties["title"]) == ("error", "organization-not-read")
    assert data.startswith("organization globex cannot be planned")
    assert read(VALIDATION_FORMATS["github"](FINDINGS).splitlines()[0])[0] == "error"


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@given(text=nasty_texts)
@examples(100)
@example(text=HOSTILE[6])
@example(text="::error::x")
@example(text="%0A::error::x")
@example(text="a,file=b,line=1::x")
def test_names_can_neither_end_a_command_nor_begin_one(form: Callable[[str], str], text: str) -> None:
    lines, harmless = form(text).split("\n"), form("harmless").split("\n")
    assert len(lines) == len(harmless)
    for line, expected in zip(lines, harmless, strict=True):
        assert line.isprintable()
        assert "##[" not in line
        if expected.startswith("::"):
            assert read(line)[0] == read(expected)[0]
            assert read(line)[1].keys() == read(expected)[1].keys()
        else:
            assert line == expected


@given(text=nasty_texts)
@examples(200)
def test_what_is_written_is_what_is_read(text: str) -> None:
    name, properties, data = read(
        workflow_command(Annotation(level="notice", title=text, message=text, location=place(3, text)))
    )
    assert name == "notice"
    assert properties == {
        "file": escape_terminal(text),
        "line": "3",
        "col": "3",
        "title": escape_terminal(text),
    }
    assert data == "\n".join(escape_terminal(line) for line in text.split("\n"))


def test_a_message_that_the_runner_would_cut_is_cut_visibly() -> None:
    _, _, data = read(
        workflow_command(Annotation(level="notice", title="x", message="y" * 10_000, location=None))
    )
    assert len(data) == MAX_MESSAGE
    assert data.endswith("…")
