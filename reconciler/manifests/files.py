"""Which files hold the manifests."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests.project import PROJECT_FILE
from reconciler.manifests.reading import display_path
from reconciler.manifests.walking import ANY_DEPTH, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.manifests.project import Project

ENDINGS: Final = (".yaml", ".yml")

_MOST_GLOBS: Final = 256

_HIDDEN: Final = re.compile(rf"(?:^|{re.escape(os.sep)})\.(?!\.?(?:{re.escape(os.sep)}|$))")
"""A step that begins with a dot, and is no step on the spot or upwards."""

_BRACES: Final = re.compile(r"\{([^{}]*)\}")


class FoundManifests(NamedTuple):
    """The files, sorted and each one once; findings for paths that lead nowhere."""

    names: list[str]
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
    candidates: list[str] = []
    for path in paths:
        given = project.directory / path
        if os.path.isdir(given):  # noqa: PTH112 - pathlib's raises for a name that is too long
            try:
                candidates += _below(str(given), project)
            except OSError as error:
                missing.append(_unreadable(error, project))
        elif os.path.exists(given):  # noqa: PTH110 - likewise
            candidates.append(str(given))
        else:
            missing.append(_missing(given, project))
    names = distinct(candidates)
    if not names and not missing:
        missing.append(_nothing(", ".join(str(path) for path in paths)))
    return FoundManifests(names, tuple(missing))


def _by_globs(project: Project) -> FoundManifests:
    candidates: list[str] = []
    for glob in project.organizations:
        try:
            candidates += _matching(glob, project)
        except ValueError:
            return FoundManifests([], (unusable(glob, project),))
        except OSError as error:
            return FoundManifests([], (_unreadable(error, project),))
    names = distinct(candidates)
    return FoundManifests(names, () if names else (_nothing(_globs_searched(project)),))


def _matching(glob: str, project: Project) -> Iterator[str]:
    """Yield the files of one glob.

    Raises:
        ValueError: it is none, or one from the root of the file system.
    """
    root = str(project.root)
    patterns = [steps_of(pattern) for pattern in expand_braces(glob)]
    return (file for steps in patterns for file in walk(root, steps) if is_candidate(file, root, project))


def steps_of(glob: str) -> tuple[str, ...]:
    """Return the steps of a glob from a folder on.

    Raises:
        ValueError: it is none, or one from the root of the file system.
    """
    steps = Path(glob).parts
    if not steps or Path(glob).is_absolute():
        raise ValueError("it has to be relative")
    if any(ANY_DEPTH in step and step != ANY_DEPTH for step in steps):
        raise ValueError("** stands for whole folders")
    before = ("", *steps)
    return tuple(step for one, step in zip(before, steps, strict=False) if {one, step} != {ANY_DEPTH})


def _below(folder: str, project: Project) -> Iterator[str]:
    return (
        file
        for ending in ENDINGS
        for file in walk(folder, (ANY_DEPTH, f"*{ending}"))
        if is_candidate(file, folder, project)
    )


def distinct(files: Iterable[str]) -> list[str]:
    """Return the files sorted, each once however many paths lead to it; folders are none."""
    seen: set[int | str] = set()
    kept: list[str] = []
    for file in sorted(files):
        identity = _identity(file)
        if identity is not None and identity not in seen:
            seen.add(identity)
            kept.append(file)
    return kept


def is_candidate(file: str, folder: str, project: Project) -> bool:
    """Leave out what was not meant: the project file, and what is hidden below the folder."""
    is_project = file == str(project.file) or file.endswith(f"{os.sep}{PROJECT_FILE}") or file == PROJECT_FILE
    below = file if folder == os.curdir else file.removeprefix(folder)
    return not is_project and not _HIDDEN.search(below)


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


def _identity(file: str) -> int | str | None:
    """Return what all paths of a file have in common; None for a folder.

    A broken link stays in, to be reported when it is read.
    """
    try:
        status = os.stat(file)  # noqa: PTH116 - twice as fast, for thousands of files
    except OSError:
        return file
    return None if stat.S_ISDIR(status.st_mode) else status.st_dev << 64 | status.st_ino


def _missing(path: Path, project: Project) -> Diagnostic:
    shown = display_path(path, project.directory)
    is_link = os.path.islink(path)  # noqa: PTH114 - pathlib's raises for a name that is too long
    what = "a link that leads nowhere" if is_link else "no such file or folder"
    return Diagnostic(Severity.ERROR, "no-such-path", f"{shown}: {what}", hint="correct the path")


def _unreadable(error: OSError, project: Project) -> Diagnostic:
    shown = display_path(str(error.filename), project.directory)
    return Diagnostic(
        Severity.ERROR,
        "unreadable-folder",
        f"{shown} cannot be looked through: {(error.strerror or 'the system gives no reason').lower()}",
        hint="nothing is planned by half of the manifests; let it be read, or name the others",
    )


def unusable(glob: str, project: Project) -> Diagnostic:
    """Return what is to be said of a glob that is none."""
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
