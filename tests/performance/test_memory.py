"""What has been checked or planned is not kept."""

import asyncio
import gc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.cli.validate import _validated
from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.desired import DesiredConnection, DesiredOrganization
from reconciler.core.errors import ProviderError, SourceLocation
from reconciler.core.limits import Limits
from reconciler.core.live import LiveOrganization, Organization
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.planner import Choices
from reconciler.manifests import ManifestFile
from reconciler.secrets import ResolvedSecrets
from reconciler.workflow.gather import Declared
from reconciler.workflow.plan import Circumstances, stream_plan

LARGEST_BATCH = 1000


def files(count: int) -> Iterator[ManifestFile]:
    yield ManifestFile(None, "", (), (), following=count)
    for index in range(count):
        place = SourceLocation(f"{index}.yaml", 1, 1, 0)
        connection = DesiredConnection(
            address=Address(f"customer-{index}", "okta"),
            connection=OidcConnection(display_name="okta"),
            location=place,
        )
        organization = DesiredOrganization(
            reference=f"customer-{index}", location=place, connections=(connection,)
        )
        yield ManifestFile(Path(f"{index}.yaml"), f"{index}.yaml", (organization,), ())


class EverythingIsAsDeclared:
    """A reader that finds every organization, with the one connection that is declared."""

    def __init__(self) -> None:
        self.searches = 0

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        self.searches += 1
        return {one: Organization(organization_id=f"organization-{one}", slug=one) for one in references}

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        await asyncio.sleep(0)
        live = OidcConnection(connection_id=f"oidc-connection-{organization.slug}", display_name="okta")
        return LiveOrganization(organization=organization, connections=(live,))

    async def refresh_organization(self, organization: Organization) -> Organization:
        return organization

    async def find_owner(self, _connection_id: str) -> Organization | None:
        return None


class Census:
    """Counts the declared organizations that are alive, now and then."""

    def __init__(self) -> None:
        self.most = 0

    def advanced(self, done: int) -> None:
        if done % 500 == 1:
            self.most = max(self.most, alive())


def alive() -> int:
    return sum(isinstance(one, DesiredOrganization) for one in gc.get_objects())


def planned(count: int) -> tuple[Plan, EverythingIsAsDeclared, Census]:
    reader, census = EverythingIsAsDeclared(), Census()
    choices = Choices(secrets={})
    declared = Declared(files(count), choices, lambda _wanted: ResolvedSecrets({}))
    plan = asyncio.run(
        stream_plan(
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
    )
    return plan, reader, census


def test_a_plan_keeps_no_more_than_a_batch() -> None:
    before = alive()
    plan, _, census = planned(5_000)
    assert plan.summary.organizations == 5_000
    assert plan.summary.unchanged == 5_000
    assert 0 < census.most - before <= LARGEST_BATCH + 100
    assert alive() - before <= 1


def test_searches_stay_within_one_for_a_thousand_and_three() -> None:
    for count in (1, 60, 600, 999, 1_000, 2_000, 2_999, 7_000):
        _, reader, _ = planned(count)
        assert reader.searches <= count / 1000 + 3


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
