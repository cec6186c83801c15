"""Organizations are found in bulk, and what cannot be planned is an error of its own manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import AccessDenied, Unavailable
from tests.planning.readers import MemoryReader, live_organization, manifest, messages, plan_of

if TYPE_CHECKING:
    from reconciler.core.state import LiveOrganization, Organization


def test_all_organizations_are_asked_for_at_once() -> None:
    reader = MemoryReader(*(live_organization(number) for number in range(30)))
    plan = plan_of(reader, *(manifest(f"slug-{number}") for number in range(30)))
    assert plan.summary.organizations == 30
    assert [len(references) for references in reader.searched] == [30]
    assert len(reader.read) == 30


def test_without_manifests_nothing_is_asked() -> None:
    reader = MemoryReader()
    assert not plan_of(reader).has_changes
    assert reader.searched == []


def test_three_manifests_of_one_organization_are_all_refused_and_it_is_not_read() -> None:
    reader = MemoryReader(live_organization(1), live_organization(2))
    plan = plan_of(reader, *map(manifest, ("slug-1", "organization-test-1", "external-1", "slug-2")))
    assert reader.read == ["organization-test-2"]
    assert plan.summary.refused == 3
    summaries = messages(plan)
    assert "so is 'external-1' at external-1.yaml:1:1" in summaries["slug-1"]
    for name in ("organization-test-1", "external-1"):
        assert "so is 'slug-1' at slug-1.yaml:1:1" in summaries[name]


def test_a_manifest_that_is_pinned_to_another_organization_does_not_claim_the_one_it_names() -> None:
    reader = MemoryReader(live_organization(1), live_organization(2))
    plan = plan_of(reader, manifest("slug-1", organization_id="organization-test-2"), manifest("external-1"))
    assert plan.summary.refused == 1
    assert reader.read == ["organization-test-1"]


def test_an_error_does_not_affect_other_organizations() -> None:
    class Flaky(MemoryReader):
        async def read_organization(self, organization: Organization) -> LiveOrganization:
            if organization.slug == "slug-1":
                raise Unavailable("the service is away")
            return await super().read_organization(organization)

    plan = plan_of(Flaky(*map(live_organization, (1, 2))), *map(manifest, ("slug-1", "slug-2", "nobody")))
    assert "the service is away" in messages(plan)["slug-1"]
    assert "no organization 'nobody'" in messages(plan)["nobody"]
    assert (plan.summary.organizations, plan.summary.refused) == (3, 2)


def test_denied_access_stops_the_run() -> None:
    class Denied(MemoryReader):
        async def read_organization(self, organization: Organization) -> LiveOrganization:
            raise AccessDenied("no")

    with pytest.raises(AccessDenied):
        plan_of(Denied(live_organization(1)), manifest("slug-1"))
