"""Finds the manifests of a run, by the paths on the command line or the project's globs.

A folder that cannot be read is an error that stands for the manifests in it, as one that cannot be read does.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity, SourceLocation
from reconciler.manifests.confinement import linked_manifest, linked_manifests
from reconciler.manifests.globs import (
    ANY_DEPTH,
    WILDCARD,
    LeavesFolder,
    expand_braces,
    matches,
    split_glob,
    walk,
)
from reconciler.manifests.project import PROJECT_FILE
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.project import Project

    Candidate = Callable[[str, str, Project], bool]
    """Tells whether a file, found below a folder, may be selected."""

ENDINGS: Final = (".yaml", ".yml")

_HIDDEN: Final = re.compile(rf"(?:^|{re.escape(os.sep)})\.(?!\.?(?:{re.escape(os.sep)}|$))")
"""A part of a path that begins with a dot, but is neither ``.`` nor ``..``."""


@dataclass(frozen=True, slots=True)
class FoundManifests:
    """The files, sorted and without duplicates; diagnostics for paths that do not exist.

    ``unread`` are files that are not read, because only a link leads to them, and folders that cannot be.
    """

    names: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    unread: Mapping[str, Diagnostic] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files as paths."""
        return tuple(map(Path, self.names))


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSource:
    """A folder and a glob for the manifests that are, or were, below it.

    ``folder`` is as the user would type it, ``real`` without symbolic links. Hidden names are
    skipped below ``hidden_below``. ``given`` is the path of the command line, if it was one.
    ``has_approvals``: the files are approvals instead of manifests.
    """

    folder: Path
    real: Path
    steps: tuple[str, ...]
    hidden_below: Path | None
    given: Path | None = None
    has_approvals: bool = False

    def find(self, file: Path, project: Project) -> Path | None:
        """Return a real path as the user would type it, or None if it is not a manifest of this source."""
        if not file.is_relative_to(self.real):
            return None
        below = file.relative_to(self.real)
        path = self.folder / below
        if not matches(below.parts, self.steps):
            return None
        is_candidate = _is_visible if self.has_approvals else _is_candidate
        if self.hidden_below and not is_candidate(str(path), str(self.hidden_below), project):
            return None
        return path


def find_manifests(paths: Sequence[str | Path], project: Project) -> FoundManifests:
    """Return the files at the given paths, or without any, those of the project's globs.

    A folder means every YAML file below it, except hidden ones and the project file. Paths are
    relative to the working directory, globs to the project's folder.
    """
    if not paths:
        return _by_globs(project)
    diagnostics: list[Diagnostic] = []
    candidates: list[str] = []
    unread: dict[str, Diagnostic] = {}
    for path in paths:
        given = project.directory / path
        if os.path.isdir(given):  # noqa: PTH112 - pathlib's raises for a name that is too long
            candidates += _below(str(given), project, unread)
        elif os.path.exists(given):  # noqa: PTH110 - likewise
            candidates.append(str(given))
        else:
            diagnostics.append(_missing(given, project))
    unread |= linked_manifests(candidates, project, paths)
    names = distinct(name for name in candidates if name not in unread)
    diagnostics += unread.values()
    if not names and not diagnostics:
        diagnostics.append(_nothing_found(", ".join(str(path) for path in paths)))
    return FoundManifests(names, tuple(diagnostics), unread)


def find_approval_files(project: Project) -> FoundManifests:
    """Return the files of the project's globs for approvals; there may be none."""
    return _search(project.approvals, project, _is_visible)


def approval_sources(project: Project) -> tuple[ManifestSource, ...]:
    """Return where the project's globs look for approvals.

    Raises:
        InvalidConfiguration: a glob of the project is invalid.
    """
    sources = (source for glob in project.approvals for source in _sources_of(glob, project))
    return tuple(replace(source, has_approvals=True) for source in sources)


def manifest_sources(paths: Sequence[str | Path], project: Project) -> tuple[ManifestSource, ...]:
    """Return where the given paths, or without any the project's globs, look for manifests.

    Raises:
        InvalidConfiguration: a glob of the project is invalid.
    """
    if not paths:
        return tuple(source for glob in project.organizations for source in _sources_of(glob, project))
    return tuple(source for path in paths for source in _sources_of_path(project.directory / path))


def distinct(files: Iterable[str]) -> tuple[str, ...]:
    """Return the files sorted, each one once however many paths lead to it, and no folders."""
    seen: set[int | str] = set()
    kept: list[str] = []
    for file in sorted(files):
        identity = _identity(file)
        if identity is not None and identity not in seen:
            seen.add(identity)
            kept.append(file)
    return tuple(kept)


def _by_globs(project: Project) -> FoundManifests:
    selected = _search(project.organizations, project, _is_candidate)
    if selected.names or selected.diagnostics:
        return selected
    return FoundManifests((), (_nothing_found(_searched_globs(project)),))


def _search(globs: Iterable[str], project: Project, is_candidate: Candidate) -> FoundManifests:
    """Return the files that the project's globs select, without those that only a link leads to."""
    candidates: list[str] = []
    unread: dict[str, Diagnostic] = {}
    for glob in globs:
        try:
            candidates += _files_of(glob, project, is_candidate, unread)
        except ValueError:
            return FoundManifests((), (_invalid_glob(glob, project),))
    unread |= linked_manifests(candidates, project)
    names = distinct(name for name in candidates if name not in unread)
    return FoundManifests(names, tuple(unread.values()), unread)


def _files_of(
    glob: str, project: Project, is_candidate: Candidate, unread: dict[str, Diagnostic]
) -> Iterator[str]:
    """Yield the files of a glob that are candidates; note in ``unread`` which folders are not read.

    Raises:
        ValueError: the glob is invalid.
    """
    root = str(project.root)
    real = os.path.realpath(root)
    globs = [split_glob(expanded) for expanded in expand_braces(glob)]
    note = partial(_note_folder, project, unread)
    return (
        file
        for steps in globs
        for file in walk(root, steps, real, on_error=note)
        if is_candidate(file, root, project)
    )


def _below(folder: str, project: Project, unread: dict[str, Diagnostic]) -> Iterator[str]:
    note = partial(_note_folder, project, unread)
    return (
        file
        for ending in ENDINGS
        for file in walk(folder, (ANY_DEPTH, f"*{ending}"), on_error=note)
        if _is_candidate(file, folder, project)
    )


def _note_folder(project: Project, unread: dict[str, Diagnostic], error: OSError) -> None:
    """Note that a folder is not read, and why."""
    folder = str(error.filename)
    is_link = isinstance(error, LeavesFolder)
    unread[folder] = linked_manifest(folder, project) if is_link else _unreadable(error, project)


def _sources_of(glob: str, project: Project) -> list[ManifestSource]:
    try:
        return [_source_of(expanded, project) for expanded in expand_braces(glob)]
    except ValueError as error:
        raise InvalidConfiguration((_invalid_glob(glob, project),)) from error


def _source_of(glob: str, project: Project) -> ManifestSource:
    steps = split_glob(glob)
    fixed = next((index for index, step in enumerate(steps[:-1]) if WILDCARD.search(step)), len(steps) - 1)
    folder = project.root.joinpath(*steps[:fixed])
    return ManifestSource(folder=folder, real=_real(folder), steps=steps[fixed:], hidden_below=project.root)


def _sources_of_path(given: Path) -> Iterator[ManifestSource]:
    """Yield what a given path may mean; one that no longer exists may have been a file or a folder."""
    is_folder = given.is_dir()
    if is_folder or not given.exists():
        for ending in ENDINGS:
            steps = (ANY_DEPTH, f"*{ending}")
            yield ManifestSource(
                folder=given, real=_real(given), steps=steps, hidden_below=given, given=given
            )
    if not is_folder:
        folder, name = given.parent, WILDCARD.sub(lambda match: f"[{match[0]}]", given.name)
        yield ManifestSource(folder=folder, real=_real(folder), steps=(name,), hidden_below=None, given=given)


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _is_candidate(file: str, folder: str, project: Project) -> bool:
    """Whether a file may be a manifest: neither a project file, nor hidden, nor a file of approvals."""
    return _is_visible(file, folder, project) and not _has_approvals(file, project)


def _is_visible(file: str, folder: str, project: Project) -> bool:
    """Whether a file is neither a project file nor hidden below the folder."""
    is_project = file == str(project.file) or file.endswith(f"{os.sep}{PROJECT_FILE}") or file == PROJECT_FILE
    below = file if folder == os.curdir else file.removeprefix(folder)
    return not is_project and not _HIDDEN.search(below)


def _has_approvals(file: str, project: Project) -> bool:
    """Whether the project's globs for approvals select a file."""
    below = file.removeprefix(f"{project.root}{os.sep}")
    return below != file and any(
        matches(Path(below).parts, steps) for steps in _approval_globs(project.approvals)
    )


@lru_cache(maxsize=4)
def _approval_globs(globs: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the steps of all globs; an invalid one, which is reported elsewhere, selects nothing."""
    try:
        return tuple(split_glob(expanded) for glob in globs for expanded in expand_braces(glob))
    except ValueError:
        return ()


def _identity(file: str) -> int | str | None:
    """Return what all paths of a file have in common; None for a folder.

    A broken link is kept, to be reported when it is read.
    """
    try:
        status = os.stat(file)  # noqa: PTH116 - twice as fast, for thousands of files
    except OSError:
        return file
    return None if stat.S_ISDIR(status.st_mode) else status.st_dev << 64 | status.st_ino


def _missing(path: Path, project: Project) -> Diagnostic:
    is_link = os.path.islink(path)  # noqa: PTH114 - pathlib's raises for a name that is too long
    problem = "broken link" if is_link else "no such file or folder"
    return Diagnostic(
        Severity.ERROR,
        "no-such-path",
        f"{display_path(path, project.directory)}: {problem}",
        hint="correct the path",
    )


def _unreadable(error: OSError, project: Project) -> Diagnostic:
    folder = display_path(str(error.filename), project.directory)
    return Diagnostic(
        Severity.ERROR,
        "unreadable-folder",
        f"cannot list {folder}: {(error.strerror or 'unknown error').lower()}",
        hint="fix its permissions; until then, nothing is deleted",
    )


def _invalid_glob(glob: str, project: Project) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "invalid-glob",
        f"the glob {glob!r} is invalid",
        hint="write a relative path with slashes, such as organizations/**/*.yaml",
        location=SourceLocation(display_path(project.file, project.directory)) if project.file else None,
    )


def _nothing_found(searched: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found in {searched}",
        hint="write an organization manifest there, begin with `reconciler init`, "
        "or correct `organizations` in the project file",
    )


def _searched_globs(project: Project) -> str:
    return ", ".join(display_path(project.root / glob, project.directory) for glob in project.organizations)
