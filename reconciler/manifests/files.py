"""Which files hold the manifests."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, Severity
from reconciler.manifests.project import PROJECT_FILE
from reconciler.manifests.reading import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from reconciler.manifests.project import Project

ENDINGS: Final = (".yaml", ".yml")

_BRACES: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class FoundManifests:
    """The files, sorted and each one once; findings for paths that lead nowhere."""

    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def find_manifests(paths: Sequence[str | Path], project: Project) -> FoundManifests:
    """Return the files that the given paths mean, or without any, those of the project's globs.

    A folder means every YAML file below it, but for hidden ones and the project file. Paths are
    taken from the working directory, globs from the project's folder.
    """
    if not paths:
        files = _distinct(_globbed(project))
        return FoundManifests(files, () if files else (_nothing(_globs_searched(project)),))
    missing: list[Diagnostic] = []
    candidates: list[Path] = []
    for path in paths:
        given = project.directory / path
        if given.is_dir():
            candidates += _below(given, project)
        elif given.exists():
            candidates.append(given)
        else:
            missing.append(_missing(given, project))
    files = _distinct(candidates)
    if not files and not missing:
        missing.append(_nothing(", ".join(str(path) for path in paths)))
    return FoundManifests(files, tuple(missing))


def _globbed(project: Project) -> Iterator[Path]:
    for glob in project.organizations:
        for pattern in expand_braces(glob):
            for file in project.root.glob(pattern):
                if _is_candidate(file, project.root, project):
                    yield file


def _below(folder: Path, project: Project) -> list[Path]:
    return [
        file
        for ending in ENDINGS
        for file in folder.rglob(f"*{ending}")
        if _is_candidate(file, folder, project)
    ]


def _is_candidate(file: Path, folder: Path, project: Project) -> bool:
    """Leave out what was not meant; a broken link stays in, to be reported when it is read."""
    hidden = any(part.startswith(".") and part != ".." for part in file.relative_to(folder).parts)
    is_project = file == project.file or file.name == PROJECT_FILE
    return not hidden and not is_project and not file.is_dir()


def expand_braces(glob: str) -> tuple[str, ...]:
    """Return the globs that one with ``{a,b}`` stands for."""
    found = _BRACES.search(glob)
    if found is None:
        return (glob,)
    return tuple(
        expanded
        for choice in found[1].split(",")
        for expanded in expand_braces(glob[: found.start()] + choice + glob[found.end() :])
    )


def _distinct(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files sorted, each once however many paths lead to it."""
    seen: set[tuple[int, int] | Path] = set()
    distinct: list[Path] = []
    for file in sorted(set(files)):
        identity = _identity(file)
        if identity not in seen:
            seen.add(identity)
            distinct.append(file)
    return tuple(distinct)


def _identity(file: Path) -> tuple[int, int] | Path:
    try:
        status = os.stat(file)  # noqa: PTH116 - twice as fast, for thousands of files
    except OSError:
        return file
    return (status.st_dev, status.st_ino)


def _missing(path: Path, project: Project) -> Diagnostic:
    shown = display_path(path, project.directory)
    what = "a link that leads nowhere" if path.is_symlink() else "no such file or folder"
    return Diagnostic(Severity.ERROR, "no-such-path", f"{shown}: {what}", hint="correct the path")


def _nothing(searched: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found in {searched}",
        hint="write an organization manifest there, or correct `organizations` in the project file",
    )


def _globs_searched(project: Project) -> str:
    return ", ".join(display_path(project.root / glob, project.directory) for glob in project.organizations)
