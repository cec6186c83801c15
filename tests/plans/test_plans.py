"""Every folder here is a behavior: what is declared and what is live lead to this plan.

``desired.yaml`` is the manifest, ``live.json`` what the API answers (see `recorded.py`), and
``options.yaml``, if there, what the call says: ``targets``, ``rotate``, ``no_secrets``, ``limits``,
``secrets`` (the environment), and ``past`` (what Git remembers to be protected). ``plan.txt`` and
``plan.json`` are the plan, in words and as data.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.core.errors import ProviderError
from reconciler.core.planner import Choices
from reconciler.core.run_selection import Limits, RunSelection
from reconciler.core.state import Protection
from reconciler.manifests import load_manifests, load_project
from reconciler.manifests.environments import RunEnvironment
from reconciler.reports.json_documents import plan_json
from reconciler.reports.json_schemas import document_schema
from reconciler.reports.text_plan import render_plan
from reconciler.reports.wording import NO_CHANGES
from reconciler.secrets import resolve_secrets, wanted_by
from reconciler.storage.documents import parse_plan
from reconciler.workflow.follow_up import PlanSources
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.core.simulation import carry_out
from tests.plans.recorded import Recorded, recorded
from tests.support.values import SCOPE, WHEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.plan import Plan
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import DesiredOrganization, DesiredState, Organization

CASES = sorted(file.parent for file in Path(__file__).parent.glob("*/desired.yaml"))
SCHEMA = json.loads(document_schema("plan"))

every_case = pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)


class Unwatched:
    def advanced(self, done: int) -> None:
        """Nobody looks."""


@dataclass(frozen=True)
class Remembered:
    """A history that protects these connections; an empty origin stands for one that is cut off."""

    origins: dict[str, str]

    def protections(
        self, desired: DesiredOrganization, organization: Organization, to_delete: Sequence[OidcConnection]
    ) -> tuple[Protection, ...]:
        ids = [connection.connection_id or "" for connection in to_delete]
        return tuple(Protection(id_, self.origins[id_]) for id_ in ids if id_ in self.origins)


@dataclass(frozen=True)
class Case:
    desired: DesiredState
    reader: Recorded
    choices: Choices
    limits: Limits
    secrets: Mapping[SecretReference, Secret]
    values: tuple[str, ...]
    past: Remembered | None

    def plan(self) -> Plan:
        selection = RunSelection(targets=self.choices.targets)
        planning = plan_organizations(
            [*filter(selection.includes_organization, self.desired.organizations)],
            self.reader,
            choices=self.choices,
            limits=self.limits,
            metadata=PlanMetadata(scope=SCOPE, created_at=WHEN),
            progress=Unwatched(),
            sources=PlanSources(history=self.past),
        )
        return asyncio.run(planning)


def open_case(folder: Path) -> Case:
    options = read_options(folder)
    project = replace(load_project(None, folder), environment=RunEnvironment(SCOPE.principal))
    loaded = load_manifests(["desired.yaml"], project, {})
    assert not loaded.has_errors, loaded.diagnostics
    environment: dict[str, str] = options.get("secrets", {})
    no_secrets: bool = options.get("no_secrets", False)
    wanted = wanted_by(loaded.state.connections)
    resolved = resolve_secrets(wanted, project.secret_access(environment))
    assert no_secrets or not resolved.diagnostics
    choices = Choices(
        secrets={} if no_secrets else resolved.secrets,
        targets=tuple(options.get("targets", ())),
        rotate=tuple(options.get("rotate", ())),
        compares_secrets=not no_secrets,
    )
    limits = Limits(**options.get("limits", {}))
    past = Remembered(options["past"]) if "past" in options else None
    reader = recorded(folder / "live.json")
    return Case(loaded.state, reader, choices, limits, resolved.secrets, tuple(environment.values()), past)


def read_options(folder: Path) -> dict[str, Any]:
    file = folder / "options.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}


@every_case
def test_the_plan_in_words(folder: Path, matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(render_plan(open_case(folder).plan()), folder / "plan.txt")


@every_case
def test_the_plan_as_data(folder: Path, matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(plan_json(open_case(folder).plan(), version="0"), folder / "plan.json")


@every_case
def test_the_data_is_as_its_schema_says_and_can_be_read_back(folder: Path) -> None:
    document = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA).validate(document)
    assert parse_plan(document) == replace(open_case(folder).plan(), live=())  # not saved


@every_case
def test_carrying_out_the_plan_leaves_nothing_to_do(folder: Path) -> None:
    case = open_case(folder)
    first = case.plan()
    for organization_id, state in case.reader.live.items():
        changes = [change for change in first.changes if change.organization_id == organization_id]
        if not isinstance(state, ProviderError):
            case.reader.live[organization_id] = carry_out(changes, state, case.secrets)
    second = case.plan()
    assert not second.has_changes or case.choices.rotate
    assert (NO_CHANGES in render_plan(second)) is not (second.has_errors or second.has_changes)


@every_case
def test_no_secret_is_in_a_golden_file(folder: Path) -> None:
    live = (folder / "live.json").read_text(encoding="utf-8")
    secrets = {*open_case(folder).values, *live_secrets(json.loads(live))}
    for name in ("plan.txt", "plan.json"):
        text = (folder / name).read_text(encoding="utf-8")
        assert not [secret for secret in secrets if secret and secret in text]


def test_there_is_a_folder_for_every_behavior() -> None:
    assert len(CASES) >= 45


def live_secrets(document: Any) -> set[str]:
    if isinstance(document, dict):
        here = {document["client_secret"]} if document.get("client_secret") else set()
        return here.union(*map(live_secrets, document.values()))
    return set().union(*map(live_secrets, document)) if isinstance(document, list) else set()
