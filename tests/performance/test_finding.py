"""Organizations are searched for a thousand at a time, although few of them wait to be planned."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import AccessDenied, OrganizationNotFound, ProviderError, Unavailable
from reconciler.core.state import Organization
from reconciler.workflow.finding import AT_ONCE, Finder
from tests.performance.test_memory import EverythingIsAsDeclared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Asked(EverythingIsAsDeclared):
    """A reader that remembers what it was asked for, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.failing: ProviderError | None = None

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        self.asked.append(list(references))
        if isinstance(self.failing, AccessDenied):
            raise self.failing
        if self.failing is not None:
            return dict.fromkeys(references, self.failing)
        return await super().find_organizations(references)


def found(finder: Finder, *references: str) -> Mapping[str, Organization | ProviderError]:
    return asyncio.run(finder.find(references))


def test_who_was_found_before_is_not_searched_for_again() -> None:
    reader = Asked()
    finder = Finder(reader)
    finder.foresee(["b", "c", "d"])
    assert found(finder, "a", "b")["b"] == Organization(organization_id="organization-b", slug="b")
    assert set(found(finder, "c", "d")) == {"c", "d"}
    assert reader.asked == [["a", "b", "c", "d"]]


def test_nobody_is_searched_for_twice_although_foreseen_late() -> None:
    reader = Asked()
    finder = Finder(reader)
    assert set(found(finder, "a", "b")) == {"a", "b"}
    finder.foresee(["c"])
    assert set(found(finder, "c")) == {"c"}
    assert reader.asked == [["a", "b"], ["c"]]


def test_a_search_is_full_but_never_more_than_that() -> None:
    reader = Asked()
    finder = Finder(reader)
    finder.foresee(f"f{index}" for index in range(2 * AT_ONCE))
    found(finder, "a", "b")
    found(finder, *(f"f{index}" for index in range(AT_ONCE)))
    assert [len(one) for one in reader.asked] == [AT_ONCE, AT_ONCE]
    assert len({name for one in reader.asked for name in one}) == 2 * AT_ONCE


def test_more_than_a_search_can_hold_are_asked_for_alone() -> None:
    reader = Asked()
    finder = Finder(reader)
    finder.foresee(["later"])
    wanted = [f"a{index}" for index in range(AT_ONCE + 1)]
    assert list(found(finder, *wanted)) == wanted
    assert reader.asked == [wanted]


@pytest.mark.parametrize("error", [Unavailable("the service is away"), OrganizationNotFound("no such one")])
def test_a_failure_is_an_answer_too(error: ProviderError) -> None:
    """The client was patient; who asked again for every few organizations would ask too often."""
    reader = Asked()
    reader.failing = error
    finder = Finder(reader)
    finder.foresee(["b"])
    assert found(finder, "a") == {"a": error}
    reader.failing = None
    assert found(finder, "b", "c")["b"] is error
    assert reader.asked == [["a", "b"], ["c"]]


def test_a_denial_ends_everything() -> None:
    reader = Asked()
    reader.failing = AccessDenied("no")
    finder = Finder(reader)
    with pytest.raises(AccessDenied):
        found(finder, "a")
