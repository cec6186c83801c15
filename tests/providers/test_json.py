"""Bodies are read strictly: JSON in UTF-8, with bounds on nesting, and nothing that JSON does not have."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.http.json_fields import MAX_DEPTH, parse_json
from reconciler.providers.stytch.call import ApiResponse, payload

WHOLE = st.integers(-(2**63), 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ATOMS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(document=st.dictionaries(TEXTS, VALUES), is_escaped=st.booleans())
def test_what_is_written_is_read(document: dict[str, Any], is_escaped: bool) -> None:
    body = json.dumps(document, ensure_ascii=is_escaped).encode()
    found = parse_json(body)
    assert found == json.loads(body) == document
    assert repr(found) == repr(document)  # True is no 1, and 1.0 neither


@given(value=VALUES)
def test_only_objects_are_payloads(value: Any) -> None:
    body = json.dumps({"request_id": "r", **value} if isinstance(value, dict) else value).encode()
    assert (payload(ApiResponse(200, body), wrapped=False) is None) == (not isinstance(value, dict))


def test_blanks_do_not_count() -> None:
    assert parse_json(b' {"a":\t2}\n') == {"a": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"-Infinity",
        b"1e999",
        b'"\\ud800"',
        b'{"\\uDFFF": 1}',
        b'"\\ude00\\ud83d"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b"9" * 5000,
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 1}',
        b'[{"a": {"b": 1, "c": 2, "b": 1}}]',
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


def test_many_values_cost_no_call_each() -> None:
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append(frame) if event == "call" else None)
    try:
        parse_json(b"[" + b'0,"a",' * 10_000 + b"0]")
    finally:
        sys.setprofile(None)
    assert len(calls) < 1000


def test_nesting_up_to_the_bound_and_pairs_of_surrogates_are_read() -> None:
    parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"
