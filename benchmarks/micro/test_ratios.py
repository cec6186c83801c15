"""Load, match, diff and render, as multiples of a reference loop timed in the same run.

A bound is about twice the ratio measured when it was set, so that only large regressions fail.
"""

from __future__ import annotations

import asyncio
import json
from timeit import repeat
from typing import TYPE_CHECKING, Any, Final

import pytest
from benchmarks import estate
from reconciler.core.diff import changed_fields
from reconciler.core.matching import match_connections
from reconciler.core.plan import Environment, Scope
from reconciler.core.planner import Choices
from reconciler.core.run_selection import Limits
from reconciler.core.state import LiveOrganization, Organization
from reconciler.manifests import load_manifests, load_project
from reconciler.providers.stytch.resources import read_list
from reconciler.reports.text_plan import render_plan
from reconciler.workflow.plan import PlanMetadata, plan_organizations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.core.state import DesiredOrganization

_ORGANIZATIONS: Final = 20


def reference() -> int:
    """Look up, compare and join strings."""
    values = {f"key-{index}": f"value-{index}" for index in range(100)}
    copy = dict(values)
    total = 0
    for _ in range(20):
        for key, value in values.items():
            total += value.startswith("value") and copy[key] is value
    return total + len(" ".join(values))


@pytest.fixture(scope="module")
def unit() -> float:
    """Seconds of the reference loop."""
    return min(repeat(reference, number=20, repeat=15)) / 20


@pytest.fixture
def declared(tmp_path: Path) -> Sequence[DesiredOrganization]:
    """The desired state of an estate."""
    return _load(tmp_path)


@pytest.mark.parametrize("bound", [120.0])
def test_load(benchmark: Any, tmp_path: Path, unit: float, bound: float) -> None:
    estate.write_estate(tmp_path, _ORGANIZATIONS)
    benchmark(_load_again, tmp_path)
    assert _ratio(benchmark, unit) <= bound


@pytest.mark.parametrize("bound", [2.3])
def test_match(benchmark: Any, declared: Sequence[DesiredOrganization], unit: float, bound: float) -> None:
    pairs = [(organization, _live(index)) for index, organization in enumerate(declared)]
    benchmark(lambda: [match_connections(organization, live) for organization, live in pairs])
    assert _ratio(benchmark, unit) <= bound


@pytest.mark.parametrize("bound", [1.9])
def test_diff(benchmark: Any, declared: Sequence[DesiredOrganization], unit: float, bound: float) -> None:
    pairs = [
        (desired.connection, live)
        for index, organization in enumerate(declared)
        for desired, live in zip(organization.connections, _live(index).connections, strict=True)
    ]
    benchmark(lambda: [changed_fields(desired, live, {}) for desired, live in pairs])
    assert _ratio(benchmark, unit) <= bound


@pytest.mark.parametrize("bound", [92.0])
def test_render(benchmark: Any, declared: Sequence[DesiredOrganization], unit: float, bound: float) -> None:
    plan = asyncio.run(
        plan_organizations(
            declared,
            _EmptyProject(),
            choices=Choices(secrets={}),
            limits=Limits(),
            metadata=PlanMetadata(
                scope=Scope("https://test.stytch.com", estate.PROJECT_ID, Environment.TEST),
                created_at="2026-01-01T00:00:00+00:00",
            ),
            progress=_Silent(),
        )
    )
    assert plan.summary.add == len(declared) * estate.CONNECTIONS
    benchmark(render_plan, plan)
    assert _ratio(benchmark, unit) <= bound


class _EmptyProject:
    """Organizations without connections."""

    async def find_organizations(self, references: Sequence[str]) -> Mapping[str, Organization]:
        return {name: Organization(organization_id=name) for name in references}

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        return LiveOrganization(organization=organization)

    async def refresh_organization(self, organization: Organization) -> Organization:
        return organization

    async def find_owner(self, _connection_id: str) -> Organization | None:
        return None


class _Silent:
    def advanced(self, done: int) -> None:
        """Ignore progress."""


def _load(folder: Path) -> Sequence[DesiredOrganization]:
    estate.write_estate(folder, _ORGANIZATIONS)
    return _load_again(folder)


def _load_again(folder: Path) -> Sequence[DesiredOrganization]:
    loaded = load_manifests((), load_project(None, folder), {})
    assert not loaded.has_errors
    return loaded.state.organizations


def _live(index: int) -> LiveOrganization:
    organization = Organization(organization_id=estate.organization_id(index))
    document = {"oidc_connections": [estate.live(index, number) for number in range(estate.CONNECTIONS)]}
    return read_list(json.loads(json.dumps(document)), organization, "a list")


def _ratio(benchmark: Any, unit: float) -> float:
    ratio: float = benchmark.stats.stats.min / unit
    benchmark.extra_info["times the reference loop"] = round(ratio, 2)
    print(f"{ratio:.2f} times the reference loop")
    return ratio
