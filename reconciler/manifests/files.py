"""Which files hold the manifests."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests.project import PROJECT_FILE
from reconciler.manifests.reading import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.manifests.project import Project

ENDINGS: Final = (".yaml", ".yml")

_MOST_GLOBS: Final = 256

_BRACES: Final = re.compile(r"\{([^{}]*)\}")


class FoundManifests(NamedTuple):
    """The files, sorted and each one once; findings for paths that lead nowhere.

    ``names`` are kept while the files are read: as texts they take a quarter of the memory.
    """

    names: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files as paths."""
        return tuple(map(Path, self.names))


def find_manifests(paths: Sequence[str | Path], project: Project) -> FoundManifests:
    """Return the files that the given paths mean, or without any, those of the project's globs.

    A folder means every YAML file below it, but for hidden ones and the project file. Paths are
    taken from the working directory, globs from the project's folder.
    """
    if not paths:
        return _by_globs(project)
    missing: list[Diagnostic] = []
    candidates: list[Path] = []
    for path in paths:
        given = project.directory / path
        if os.path.isdir(given):  # noqa: PTH112 - pathlib's raises for a name that is too long
            candidates += _below(given, project)
        elif os.path.exists(given):  # noqa: PTH110 - likewise
            candidates.append(given)
        else:
            missing.append(_missing(given, project))
    names = _names(candidates)
    if not names and not missing:
        missing.append(_nothing(", ".join(str(path) for path in paths)))
    return FoundManifests(names, tuple(missing))


def _by_globs(project: Project) -> FoundManifests:
    candidates: list[Path] = []
    for glob in project.organizations:
        try:
            candidates += _matching(glob, project)
        except (ValueError, NotImplementedError):
            return FoundManifests((), (_unusable(glob, project),))
    names = _names(candidates)
    return FoundManifests(names, () if names else (_nothing(_globs_searched(project)),))


def _names(candidates: Iterable[Path]) -> tuple[str, ...]:
    return tuple(map(str, distinct(candidates)))


def _matching(glob: str, project: Project) -> list[Path]:
    """Return the files of one glob.

    Raises:
        ValueError, NotImplementedError: it is none, or one from the root of the file system.
    """
    patterns = expand_braces(glob)
    if any("**" in part and part != "**" for pattern in patterns for part in pattern.split("/")):
        raise ValueError("** stands for whole folders")  # from Python 3.13 on it is silently taken for *
    return [
        file
        for pattern in patterns
        for file in project.root.glob(pattern)
        if is_candidate(file, project.root, project)
    ]


def _below(folder: Path, project: Project) -> list[Path]:
    return [
        file
        for ending in ENDINGS
        for file in folder.rglob(f"*{ending}")
        if is_candidate(file, folder, project)
    ]


def distinct(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files sorted, each once however many paths lead to it."""
    seen: set[tuple[int, int] | Path] = set()
    kept: list[Path] = []
    for file in sorted(set(files), key=str):
        identity = _identity(file)
        if identity not in seen:
            seen.add(identity)
            kept.append(file)
    return tuple(kept)


def is_candidate(file: Path, folder: Path, project: Project) -> bool:
    """Leave out what was not meant; a broken link stays in, to be reported when it is read."""
    hidden = f"{os.sep}." in f"{os.sep}{file}" and any(
        part.startswith(".") and part != ".." for part in file.relative_to(folder).parts
    )
    is_project = file == project.file or file.name == PROJECT_FILE
    return not hidden and not is_project and not os.path.isdir(file)  # noqa: PTH112 - as above


def expand_braces(glob: str) -> tuple[str, ...]:
    """Return the globs that one with ``{a,b}`` stands for.

    Raises:
        ValueError: these are more than anybody would write.
    """
    globs = [glob]
    while (found := _BRACES.search(globs[0])) is not None:
        choices = found[1].split(",")
        if len(globs) * len(choices) > _MOST_GLOBS:
            raise ValueError("too many choices")
        globs = [_choose(each, choice) for each in globs for choice in choices]
    return tuple(globs)


def _choose(glob: str, choice: str) -> str:
    """Return the glob with its first ``{a,b}`` decided."""
    before, _braces, after = _BRACES.split(glob, maxsplit=1)
    return before + choice + after


def _identity(file: Path) -> tuple[int, int] | Path:
    try:
        status = os.stat(file)  # noqa: PTH116 - twice as fast, for thousands of files
    except OSError:
        return file
    return (status.st_dev, status.st_ino)


def _missing(path: Path, project: Project) -> Diagnostic:
    shown = display_path(path, project.directory)
    is_link = os.path.islink(path)  # noqa: PTH114 - pathlib's raises for a name that is too long
    what = "a link that leads nowhere" if is_link else "no such file or folder"
    return Diagnostic(Severity.ERROR, "no-such-path", f"{shown}: {what}", hint="correct the path")


def _unusable(glob: str, project: Project) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "invalid-glob",
        f"the glob {glob!r} cannot be used",
        hint="write a relative path with slashes, such as organizations/**/*.yaml",
        location=SourceLocation(display_path(project.file, project.directory)) if project.file else None,
    )


def _nothing(searched: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found in {searched}",
        hint="write an organization manifest there, or correct `organizations` in the project file",
    )


def _globs_searched(project: Project) -> str:
    return ", ".join(display_path(project.root / glob, project.directory) for glob in project.organizations)
