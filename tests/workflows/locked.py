"""Derives the action's lock from the development lock: the dependencies of the package, with their hashes."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = "oidc-reconciler"
BUILD_BACKEND = ("hatchling", "hatch-fancy-pypi-readme")
_PIN = re.compile(r"^([\w.-]+)==.*\n(?:    .*\n)*", re.MULTILINE)


def action_lock() -> str:
    """Return the lock: what the package needs, and what builds it from its sources."""
    pins = development_pins()
    names = {*BUILD_BACKEND}.union(*(_closure(name, pins) for name in (PACKAGE, *BUILD_BACKEND)))
    return "".join(pins[name] for name in sorted(names))


def extra_lock(extra: str) -> str:
    """Return the lock of an extra: what it needs besides the package. A library may be in several."""
    pins = development_pins()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [Requirement(line) for line in project["optional-dependencies"][extra]]
    names: set[str] = {canonicalize_name(need.name) for need in needed}
    names = names.union(*(_closure(name, pins) for name in names)) - _closure(PACKAGE, pins)
    return "".join(pins[name] for name in sorted(names))


def development_pins() -> dict[str, str]:
    """Return the lines of requirements-dev.lock by package."""
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return {canonicalize_name(match[1]): match[0] for match in _PIN.finditer(text)}


def _closure(name: str, pins: dict[str, str]) -> set[str]:
    """Return the pinned packages that a package needs on any Python version, without extras of its own."""
    names: set[str] = set()
    waiting = [Requirement(name)]
    while waiting:
        for needed in _needs(waiting.pop()):
            name = canonicalize_name(needed.name)
            if name in pins and name not in names:
                names.add(name)
                waiting.append(needed)
    return names


def _needs(requirement: Requirement) -> list[Requirement]:
    """Return what a package and the requested extras of it need; other extras are left out."""
    needs = [Requirement(line) for line in _lines_of_needs(requirement.name)]
    extras = requirement.extras or {""}
    return [need for need in needs if need.marker is None or _holds_for(need, extras)]


def _lines_of_needs(name: str) -> list[str]:
    """Return what a package needs; of this one as it is in the sources, not as it was once installed."""
    if name != PACKAGE:
        return distribution(name).requires or []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def _holds_for(need: Requirement, extras: set[str]) -> bool:
    """Tell whether a requirement holds for one of the extras, on the oldest or the newest Python version."""
    assert need.marker is not None
    return any(
        need.marker.evaluate(
            {"extra": extra, "python_version": version, "python_full_version": f"{version}.0"}
        )
        for extra in extras
        for version in ("3.11", "3.14")
    )
