"""What has been checked or planned is not kept."""

import asyncio
import gc
from collections.abc import Iterator, Mapping, Sequence

import pytest

from reconciler.cli.validate import _validated
from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import OrganizationNotFound, ProviderError, SourceLocation
from reconciler.core.limits import Limits
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.planner import Choices
from reconciler.core.shard import Shard
from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization, Organization
from reconciler.manifests import ManifestFile
from reconciler.secrets import ResolvedSecrets
from reconciler.workflow.gather import Declared
from reconciler.workflow.plan import Circumstances, stream_plan

LARGEST_BATCH = 1000
AHEAD = 1000


def files(count: int, *, ahead: int = 0) -> Iterator[ManifestFile]:
    """As many files with one organization each, of which so many are foreseen."""
    yield ManifestFile(None, "", (), (), following=count)
    told = 0
    for index in range(count):
        foreseen = tuple(f"customer-{one}" for one in range(told, min(index + ahead, count if ahead else 0)))
        told += len(foreseen)
        place = SourceLocation(f"{index}.yaml", line=1, column=1, byte=0)
        connection = DesiredConnection(
            address=Address(f"customer-{index}", "okta"),
            connection=OidcConnection(display_name="okta"),
            location=place,
        )
        organization = DesiredOrganization(
            reference=f"customer-{index}", location=place, connections=(connection,)
        )
        yield ManifestFile(f"{index}.yaml", f"{index}.yaml", (organization,), (), foreseen=foreseen)


class EverythingIsAsDeclared:
    """A reader that finds every organization, with the one connection that is declared."""

    def __init__(self) -> None:
        self.searches = 0
        self.asked_for = 0

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        self.searches += 1
        self.asked_for += len(references)
        return {one: Organization(organization_id=f"organization-{one}", slug=one) for one in references}

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        await asyncio.sleep(0)
        live = OidcConnection(connection_id=f"oidc-connection-{organization.slug}", display_name="okta")
        return LiveOrganization(organization=organization, connections=(live,))

    async def refresh_organization(self, organization: Organization) -> Organization:
        return organization

    async def find_owner(self, _connection_id: str) -> Organization | None:
        return None


class NobodyIsThere(EverythingIsAsDeclared):
    """A reader that finds no organization at all."""

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        await super().find_organizations(references)
        return {one: OrganizationNotFound(f"no organization {one}") for one in references}


class Census:
    """Counts the declared organizations that are alive, now and then."""

    def __init__(self) -> None:
        self.most = 0

    def advanced(self, done: int) -> None:
        if done % 500 == 1:
            self.most = max(self.most, alive())


def alive() -> int:
    return sum(isinstance(one, DesiredOrganization) for one in gc.get_objects())


def planned(
    count: int,
    *,
    ahead: int = 0,
    targets: tuple[str, ...] = (),
    shard: Shard | None = None,
    reader: EverythingIsAsDeclared | None = None,
) -> tuple[Plan, EverythingIsAsDeclared, Census]:
    reader, census = reader or EverythingIsAsDeclared(), Census()
    choices = Choices(secrets={}, targets=targets)
    declared = Declared(files(count, ahead=ahead), choices, lambda _wanted: ResolvedSecrets({}), shard)
    plan = asyncio.run(streamed(declared, reader, choices, census))
    return plan, reader, census


async def streamed(
    declared: Declared, reader: EverythingIsAsDeclared, choices: Choices, census: Census
) -> Plan:
    return await stream_plan(
        declared.batches(),
        reader,
        choices=choices,
        limits=Limits(),
        circumstances=Circumstances(
            scope=Scope("https://test.stytch.com", "project-test-x", Environment.TEST),
            created_at="2026-01-01T00:00:00+00:00",
        ),
        progress=census,
    )


def test_a_plan_keeps_no_more_than_a_batch() -> None:
    before = alive()
    plan, _, census = planned(5_000)
    assert plan.summary.organizations == 5_000
    assert plan.summary.unchanged == 5_000
    assert 0 < census.most - before <= LARGEST_BATCH + 100
    assert alive() - before <= 1


def test_a_plan_of_what_was_foreseen_keeps_few_of_them() -> None:
    before = alive()
    plan, _, census = planned(5_000, ahead=AHEAD)
    assert plan.summary.unchanged == 5_000
    assert 0 < census.most - before <= LARGEST_BATCH / 4


@pytest.mark.parametrize("ahead", [0, 1, 7, AHEAD])
@pytest.mark.parametrize("count", [1, 60, 600, 999, 1_000, 2_000, 2_999, 7_000])
def test_searches_stay_within_one_for_a_thousand_and_three(count: int, ahead: int) -> None:
    plan, reader, _ = planned(count, ahead=ahead)
    assert plan.summary.unchanged == count
    if ahead in {0, AHEAD}:
        assert reader.searches <= count / 1000 + 3
    if ahead == AHEAD:
        assert reader.searches == -(-count // 1000)
    assert reader.asked_for == count


@pytest.mark.parametrize("ahead", [0, AHEAD])
def test_so_they_do_where_nobody_is_found(ahead: int) -> None:
    reader = NobodyIsThere()
    plan, _, _ = planned(7_000, ahead=ahead, reader=reader)
    assert plan.summary.refused == 7_000
    assert reader.searches <= 7_000 / 1000 + 3
    assert reader.asked_for == 7_000


def test_of_a_selection_nothing_else_is_searched_for() -> None:
    shard = Shard(1, 4)
    _, of_shard, _ = planned(4_000, ahead=AHEAD, shard=shard)
    mine = sum(shard.holds(f"customer-{index}") for index in range(4_000))
    assert of_shard.asked_for == mine
    assert of_shard.searches <= mine / 1000 + 3
    _, of_target, _ = planned(4_000, ahead=AHEAD, targets=("customer-7/okta",))
    assert of_target.asked_for == 1


def test_validating_keeps_no_organization() -> None:
    before = alive()
    most = 0

    def watched() -> Iterator[ManifestFile]:
        nonlocal most
        for index, file in enumerate(files(2_000)):
            if index % 500 == 0:
                most = max(most, alive() - before)
            yield file

    validated = _validated(watched())
    assert (validated.files, validated.organizations, validated.connections) == (2_000, 2_000, 2_000)
    assert most <= 3
