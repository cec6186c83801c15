"""Every folder here is a refusal: what was done to a saved plan, or to what is live, and what is said.

``case.yaml`` names a folder of ``tests/plans`` (``plan``), of which the plan is saved. Then

- ``edit`` sets values in the document, by dotted paths; with ``sealed`` its digest is made to fit;
- ``scope`` says in what the run that applies it differs, ``now`` when it is, ``max_age`` how many
  hours are allowed, ``allow_deletes`` what was agreed to;
- ``live`` sets values in what is live by then, by dotted paths.

``refusal.txt`` is what the run says instead of applying the plan, or of the one operation that is
refused alone.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.core.errors import PlanRefused, ProviderError
from reconciler.core.operation import Stale, judge
from reconciler.core.plan_serialization import digest
from reconciler.core.run_selection import Limits
from reconciler.reports.text_style import render_diagnostics
from reconciler.storage.documents import parse_plan
from reconciler.workflow.apply import check_saved_plan
from reconciler.workflow.judgement import accept_deletes
from tests.core.documents import plan_data
from tests.plans.recorded import recorded
from tests.plans.test_plans import open_case, read_options
from tests.support.values import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.plan import Plan

HERE = Path(__file__).parent
PLANS = HERE.parent / "plans"
CASES = sorted(file.parent for file in HERE.glob("*/case.yaml"))
MADE_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

every_case = pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)


@every_case
def test_the_refusal_is_this(
    folder: Path, tmp_path: Path, matches_golden: Callable[[str, Path], None]
) -> None:
    case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    said = "\n".join(refusals(case, tmp_path))
    assert said
    matches_golden(said + "\n", folder / "refusal.txt")


@every_case
def test_every_refusal_says_what_to_do(folder: Path) -> None:
    said = (folder / "refusal.txt").read_text(encoding="utf-8")
    assert any(word in said for word in ("plan again", "apply it where", "--allow-deletes", "it was made"))


def refusals(case: dict[str, Any], folder: Path) -> Iterator[str]:
    source = PLANS / case["plan"]
    try:
        plan = saved(case, source)
    except PlanRefused as error:
        yield str(error)
        return
    limits = Limits(**read_options(source).get("limits", {}))
    plan = accept_deletes(plan, limits, case.get("allow_deletes"))
    if plan.blocks:
        yield render_diagnostics(plan.blocks).rstrip("\n")
        return
    yield from stale(case, plan, source, folder)


def saved(case: dict[str, Any], source: Path) -> Plan:
    """Return the plan as the run that is to apply it reads it."""
    document = plan_data(open_case(source).plan(), "0")
    for path, value in case.get("edit", {}).items():
        put(document, path, value)
    if case.get("sealed"):
        document["digest"] = digest({key: document[key] for key in document if key != "digest"})
    plan = parse_plan(document)
    check_saved_plan(
        plan,
        scope=replace(SCOPE, **case.get("scope", {})),
        now=MADE_AT + timedelta(hours=case.get("hours_later", 1)),
        max_age=timedelta(hours=case.get("max_age", 24)),
    )
    return plan


def stale(case: dict[str, Any], plan: Plan, source: Path, folder: Path) -> Iterator[str]:
    """Yield what is said of each operation; only those whose connection has changed are refused."""
    documents = json.loads((source / "live.json").read_text(encoding="utf-8"))
    for path, value in case.get("live", {}).items():
        put(documents, path, value)
    (folder / "live.json").write_text(json.dumps(documents), encoding="utf-8")
    reader = recorded(folder / "live.json")
    secrets = open_case(source).choices.secrets
    for change in plan.changes:
        state = reader.live[change.organization_id]
        assert not isinstance(state, ProviderError)
        verdict = judge(change, state, secrets)
        if isinstance(verdict, Stale):
            yield f"{change.address}: changed since the plan: {verdict.reason}"
            yield "  plan again and look at what is different"
        else:
            yield f"{change.address}: goes on"


def put(document: Any, path: str, value: Any) -> None:
    """Set a value by its path; a list that is given is put in the place of the old one."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        document = document[step]
    if value == "(removed)":
        del document[last]
    elif value == "(copied)":
        document.append(copy.deepcopy(document[0]) | {"connection_id": "oidc-connection-test-copy"})
    else:
        document[last] = value
