"""The table of codes: what provokes each, and the codes that a run of the command has emitted."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.core.errors import InvalidConfiguration
from tests.cli.estates import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.codes import Code
    from tests.support.workplace import CompletedRun, Workplace

Provoke: TypeAlias = "Callable[[Workplace], CompletedRun | InvalidConfiguration]"

PROVOKING: dict[Code, Provoke] = {}
MANIFESTS = Path(__file__).parents[1] / "manifests"
PLANS = {folder.name: folder for folder in CASES}


def provokes(*codes: Code) -> Callable[[Provoke], Provoke]:
    """Enter a function that makes the command emit these codes."""

    def enter(provoke: Provoke) -> Provoke:
        for code in codes:
            assert code not in PROVOKING, f"{code} is provoked twice"
            PROVOKING[code] = provoke
        return provoke

    return enter


def provoked_by_manifests(folder: str, code: Code) -> None:
    """Enter a folder of ``tests/manifests`` whose validation emits this code."""

    def validate(place: Workplace) -> CompletedRun:
        shutil.rmtree(place.root / "organizations")
        (place.root / "reconciler.yaml").unlink()
        shutil.copytree(MANIFESTS / folder, place.root, dirs_exist_ok=True)
        return place.run("validate", "--format", "json")

    provokes(code)(validate)


def provoked_by_plan(folder: str, code: Code) -> None:
    """Enter a folder of ``tests/plans`` whose plan, made on the emulator, emits this code."""

    def plan(place: Workplace) -> CompletedRun:
        case = Case(PLANS[folder])
        shutil.rmtree(place.root / "organizations")
        for organization in ("acme", "globex"):
            place.emulator.edit_organization(organization, organization_slug=f"not-{organization}")
        case.settle(place)
        return place.run("plan", "--format", "json", *case.plan_words)

    provokes(code)(plan)


def emitted(result: CompletedRun | InvalidConfiguration) -> set[str]:
    """Return the codes that a run has emitted, in its document, its text or its comment."""
    if isinstance(result, InvalidConfiguration):
        return {diagnostic.code for diagnostic in result.diagnostics}
    if result.out.startswith("{"):
        return set(_codes(json.loads(result.out)))
    in_text = re.findall(r"^.*(?:Error|Warning): .*\[([a-z0-9-]+)\]$", result.output, re.MULTILINE)
    return {*in_text, *re.findall(r"^- \S+ \*\*error\*\* `([a-z0-9-]+)`", result.output, re.MULTILINE)}


def _codes(value: Any) -> Iterator[str]:
    """The codes of all diagnostics of a document, at any depth."""
    if isinstance(value, dict):
        if {"code", "severity", "summary"} <= value.keys():
            yield value["code"]
        for item in value.values():
            yield from _codes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _codes(item)
