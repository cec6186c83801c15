"""Fingerprints the files that a plan is made from: a saved plan applies only beside the same ones."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from reconciler.core.errors import PlanRefused
from reconciler.core.plan import PlanInputs
from reconciler.manifests.file_selection import find_approval_files, find_manifests
from reconciler.manifests.source_file import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.core.plan import Plan
    from reconciler.manifests import Project

_AGAIN = "plan again, or allow other inputs with --any-inputs"


def gather_inputs(project: Project, paths: Sequence[str | Path]) -> PlanInputs:
    """Return what identifies the inputs of a plan: all of the project, and the given paths.

    ``paths`` are relative to the working directory, those in the result to the project file.
    """
    relative = sorted({_relative(project.directory / path, project) for path in paths})
    return PlanInputs(digest=_digest(project, relative), paths=tuple(relative))


def check_inputs(plan: Plan, project: Project) -> None:
    """Check that the files that are checked out are those that a saved plan was made from.

    Raises:
        PlanRefused: they differ, there are none, or the plan does not name any.
    """
    if plan.inputs is None:
        raise PlanRefused(f"the plan does not say which manifests it was made from: {_AGAIN}")
    names = [str(project.root / path) for path in plan.inputs.paths]
    if not _manifests(project, names):
        raise PlanRefused(
            f"the manifests that the plan was made from are not here: check out {_commit(plan)}"
        )
    if plan.inputs.digest != _digest(project, plan.inputs.paths):
        raise PlanRefused(
            "the manifests, project file or approvals differ from those that the plan was made from: "
            f"check out {_commit(plan)}, {_AGAIN}"
        )


def _commit(plan: Plan) -> str:
    return f"commit {plan.commit}" if plan.commit else "the same files"


def _digest(project: Project, paths: Sequence[str]) -> str:
    """Return the SHA-256 over the paths and the bytes of all files, each preceded by its length."""
    total = hashlib.sha256()
    for kind, file in _files(project, [str(project.root / path) for path in paths]):
        name = "" if kind == "project" else _relative(file, project)
        for part in (kind.encode(), os.fsencode(name), _content(file, project)):
            total.update(len(part).to_bytes(8, "big"))
            total.update(part)
    return f"sha256:{total.hexdigest()}"


def _files(project: Project, paths: Sequence[str]) -> Iterator[tuple[str, str | Path]]:
    """Yield every file with its kind: a file that is an approval is no manifest."""
    if project.file is not None:
        yield "project", project.file
    for name in _manifests(project, paths):
        yield "manifest", name
    for name in find_approval_files(project).names:
        yield "approval", name


def _manifests(project: Project, paths: Sequence[str]) -> list[str]:
    names = {*find_manifests((), project).names}
    if paths:
        names.update(find_manifests(paths, project).names)
    return sorted(names, key=lambda name: _relative(name, project))


def _content(file: str | Path, project: Project) -> bytes:
    try:
        return read_bytes(file, project.read_limits.max_bytes)
    except OSError:
        return b""  # it cannot be read, which is reported where it is loaded


def _relative(path: str | Path, project: Project) -> str:
    return os.path.relpath(path, project.root).replace(os.sep, "/")
