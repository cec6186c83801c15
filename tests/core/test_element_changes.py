"""Which elements of a list or mapping differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.change import Action
from reconciler.core.diff import ElementChange, element_changes

keys = st.sampled_from(("a", "b", "__c", "d'e", 'f"]', "[0]", "\u202e", ""))
flat = st.dictionaries(keys, st.sampled_from(("1", "2")))


@given(flat, flat)
def test_just_the_differing_entries_are_named(before: dict[str, str], after: dict[str, str]) -> None:
    expected = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert [one.key for one in element_changes(before, after)] == sorted(expected)


@given(st.sets(keys), st.sets(keys))
def test_lists_are_sets(before: set[str], after: set[str]) -> None:
    found = element_changes(tuple(before), tuple(after))
    assert {one.key for one in found if one.action is Action.CREATE} == after - before
    assert {one.key for one in found if one.action is Action.DELETE} == before - after
    assert len(found) == len(before ^ after)


def test_an_entry_is_added_changed_or_removed() -> None:
    assert element_changes({"a": "1", "b": "1", "same": "x"}, {"b": "2", "c": "1", "same": "x"}) == (
        ElementChange(key="a", action=Action.DELETE, before="1", after=None),
        ElementChange(key="b", action=Action.UPDATE, before="1", after="2"),
        ElementChange(key="c", action=Action.CREATE, before=None, after="1"),
    )


def test_nothing_becomes_something_and_back() -> None:
    assert element_changes(None, {"a": "1"}) == (
        ElementChange(key="a", action=Action.CREATE, before=None, after="1"),
    )
    assert element_changes(("a",), None) == (
        ElementChange(key="a", action=Action.DELETE, before="a", after=None),
    )
    assert element_changes("text", None) == ()
