"""What the first decision leaves open is asked afterwards, with few questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import AccessDenied, ProviderError, Unavailable
from reconciler.workflow.follow_up import MAX_QUESTIONS
from tests.planning.readers import MemoryReader, live_organization, manifest, messages, plan_of
from tests.support.values import declared, live_connection

if TYPE_CHECKING:
    from reconciler.core.state import DesiredOrganization, Organization


def pinned(reference: str, *numbers: int) -> DesiredOrganization:
    """A manifest whose connections are pinned to connections with these numbers."""
    connections = (
        replace(
            declared(f"c{number}", connection_id=f"oidc-connection-test-{number}"),
            address=replace(declared().address, organization=reference, connection=f"c{number}"),
        )
        for number in numbers
    )
    return manifest(reference, *connections)


def swapped(count: int) -> list[DesiredOrganization]:
    """Manifests of which each is pinned to the organization after the one that it names."""
    return [
        manifest(f"slug-{number}", organization_id=f"organization-test-{(number + 1) % count}")
        for number in range(count)
    ]


def test_all_organizations_that_moved_are_looked_up_in_one_search() -> None:
    reader = MemoryReader(*map(live_organization, range(4)))
    plan = plan_of(reader, *swapped(4))
    assert "organization-test-1 is called 'slug-1' now" in messages(plan)["slug-0"]
    assert plan.summary.refused == 4
    assert [len(references) for references in reader.searched] == [4, 4]


def test_a_pinned_organization_whose_name_is_gone_is_looked_up() -> None:
    reader = MemoryReader(live_organization(1))
    renamed = manifest("old-slug", organization_id="organization-test-1")
    text = messages(plan_of(reader, renamed, manifest("unpinned")))
    assert (
        "no organization is called 'old-slug', but the pinned organization-test-1 is called"
        in text["old-slug"]
    )
    assert "is called" not in text["unpinned"]
    assert [len(references) for references in reader.searched] == [2, 1]


def test_no_more_than_ten_are_looked_up_but_all_are_refused() -> None:
    reader = MemoryReader(*map(live_organization, range(30)))
    plan = plan_of(reader, *swapped(30))
    assert plan.summary.refused == 30
    assert [len(references) for references in reader.searched] == [30, MAX_QUESTIONS]
    assert sum("is called" in text for text in messages(plan).values()) == MAX_QUESTIONS


def test_owners_of_pins_share_the_ten_questions_with_them() -> None:
    reader = MemoryReader(*map(live_organization, range(5)))
    plan_of(reader, *swapped(4), pinned("slug-4", *range(20)))
    assert len(reader.owners_asked) == MAX_QUESTIONS - 4


def test_the_finding_about_a_missing_pin_is_right_without_an_answer() -> None:
    class Flaky(MemoryReader):
        async def find_owner(self, connection_id: str) -> Organization | None:
            raise Unavailable("the service is away")

    plan = plan_of(Flaky(live_organization(1)), pinned("slug-1", 7))
    assert "which organization organization-test-1 does not have" in messages(plan)["slug-1/c7"]


def test_the_owner_is_named() -> None:
    owner = replace(live_organization(2), connections=(live_connection(7),))
    plan = plan_of(MemoryReader(live_organization(1), owner), pinned("slug-1", 7))
    assert "belongs to organization slug-2 (organization-test-2)" in messages(plan)["slug-1/c7"]


@pytest.mark.parametrize("error", [AccessDenied("no")])
def test_denied_access_stops_the_run(error: ProviderError) -> None:
    class Denied(MemoryReader):
        async def find_owner(self, connection_id: str) -> Organization | None:
            raise error

    with pytest.raises(AccessDenied):
        plan_of(Denied(live_organization(1)), pinned("slug-1", 7))


def test_a_plan_that_leaves_nothing_open_asks_nothing() -> None:
    reader = MemoryReader(live_organization(1))
    plan_of(reader, manifest("slug-1"))
    assert len(reader.searched) == 1
    assert reader.owners_asked == []
