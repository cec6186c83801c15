"""Whether a path is a manifest that a run means, told by its name alone: the file may be long gone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests.files import ENDINGS, expand_braces, is_candidate, steps_of, unusable
from reconciler.manifests.walking import ANY_DEPTH, MAGIC, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.project import Project


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """Some place where manifests are, or were: a folder, and a glob for what is below it.

    ``folder`` is as the user would type it, ``real`` without symbolic links; ``hidden_below`` is
    where hidden names begin to be passed over. ``given`` is the path of the call, if it was one.
    """

    folder: Path
    real: Path
    steps: tuple[str, ...]
    hidden_below: Path | None
    given: Path | None = None

    def find(self, file: Path, project: Project) -> Path | None:
        """Return how the user would type a real path, or None if it is none of this source's."""
        if not file.is_relative_to(self.real):
            return None
        rest = file.relative_to(self.real)
        shown = self.folder / rest
        if not _match(rest.parts, self.steps):
            return None
        if self.hidden_below and not is_candidate(str(shown), str(self.hidden_below), project):
            return None
        return shown


def manifest_sources(paths: Sequence[str | Path], project: Project) -> tuple[ManifestSource, ...]:
    """Return where the given paths, or without any the project's globs, look for manifests.

    Raises:
        InvalidConfiguration: a glob of the project is none.
    """
    if not paths:
        return tuple(source for glob in project.organizations for source in _of_globs(glob, project))
    return tuple(source for path in paths for source in _of_path(project.directory / path))


def _of_globs(glob: str, project: Project) -> list[ManifestSource]:
    try:
        return [_of_glob(pattern, project) for pattern in expand_braces(glob)]
    except ValueError as error:
        raise InvalidConfiguration((unusable(glob, project),)) from error


def _of_glob(glob: str, project: Project) -> ManifestSource:
    steps = steps_of(glob)
    fixed = next((at for at, step in enumerate(steps[:-1]) if MAGIC.search(step)), len(steps) - 1)
    folder = project.root.joinpath(*steps[:fixed])
    return ManifestSource(folder, _real(folder), steps[fixed:], hidden_below=project.root)


def _of_path(given: Path) -> Iterator[ManifestSource]:
    """Yield what a path of the call may mean; one that is gone could have been a file or a folder."""
    is_folder = given.is_dir()
    if is_folder or not given.exists():
        for ending in ENDINGS:
            steps = (ANY_DEPTH, f"*{ending}")
            yield ManifestSource(given, _real(given), steps, hidden_below=given, given=given)
    if not is_folder:
        folder, name = given.parent, MAGIC.sub(lambda found: f"[{found[0]}]", given.name)
        yield ManifestSource(folder, _real(folder), (name,), hidden_below=None, given=given)


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _match(parts: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Tell whether a path matches a glob, step by step; ``**`` stands for any number of folders."""
    if not steps:
        return not parts
    if steps[0] == ANY_DEPTH:
        return any(_match(parts[skipped:], steps[1:]) for skipped in range(len(parts)))
    return bool(parts) and bool(compiled(steps[0]).match(parts[0])) and _match(parts[1:], steps[1:])
