"""Bodies are read as the standard library would read them, where it can write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.providers.stytch.answer import parse

WHOLE = st.integers(-(2**63), 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ATOMS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(document=st.dictionaries(TEXTS, VALUES), is_escaped=st.booleans())
def test_what_is_written_is_read(document: dict[str, Any], is_escaped: bool) -> None:
    body = json.dumps(document, ensure_ascii=is_escaped).encode()
    found = parse(body)
    assert found == json.loads(body) == document
    assert repr(found) == repr(document)  # True is no 1, and 1.0 neither


@given(value=VALUES)
def test_only_objects_are_answers(value: Any) -> None:
    assert (parse(json.dumps(value).encode()) is None) == (not isinstance(value, dict))


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b' {"a":\t2}\n'])
def test_the_last_of_equal_keys_counts_and_blanks_do_not(body: bytes) -> None:
    assert parse(body) == {"a": 2}
