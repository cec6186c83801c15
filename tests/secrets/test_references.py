"""The grammar of references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.secret import Locator
from reconciler.secrets import MalformedReference, make_reference, parse_reference, parse_template

A = Locator("env", "A")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("$HOME and $(x) and {y}", ("$HOME and $(x) and {y}",)),
        ("${env:A}", (A,)),
        ("a${env:A}b", ("a", A, "b")),
        ("${env:A}${env:A}", (A, A)),
        ("$${env:A}", ("${env:A}",)),
        ("$$${env:A}", ("$${env:A}",)),
        ("$${${env:A}", ("${", A)),
        ("${file:secrets/a b.txt}", (Locator("file", "secrets/a b.txt"),)),
        ("${aws-sm:NAME#KEY}", (Locator("aws-sm", "NAME#KEY"),)),
    ],
)
def test_a_text_is_split(text: str, parts: tuple[str | Locator, ...]) -> None:
    assert parse_template(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "a${env:A",
        "${}",
        "${A}",
        "${:A}",
        "${env:}",
        "${env: A}",
        "${Env:A}",
        "${env:${var:B}}",
        "${1:A}",
    ],
)
def test_what_does_not_read_as_a_reference_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedReference) as refused:
        parse_template(text)
    assert "A" not in str(refused.value)


def test_a_text_without_a_reference_is_no_secret_reference() -> None:
    with pytest.raises(MalformedReference):
        parse_reference("hunter2")


locators = st.builds(Locator, st.sampled_from(["env", "file"]), st.text("ab/.#", min_size=1))


@given(st.lists(locators | st.text("a$e:", min_size=1), min_size=1, max_size=5))
def test_what_is_made_reads_back(parts: list[str | Locator]) -> None:
    joined = _with_neighbours_joined(parts)
    if any(isinstance(part, str) and part.endswith("$") for part in joined):
        return
    if any(isinstance(part, Locator) for part in joined):
        assert parse_reference(make_reference(joined).text).parts == joined


def _with_neighbours_joined(parts: list[str | Locator]) -> tuple[str | Locator, ...]:
    joined: list[str | Locator] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
