"""Refuses manifests that are links to something that is no manifest of the project itself.

A pull request can add links. So a manifest is a real file, or a link to one, that the project's globs or
the given paths select; nothing else is opened, and no line of it is shown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests.globs import expand_braces, matches, split_glob
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.manifests.project import Project


def linked_manifests(
    names: Iterable[str], project: Project, paths: Sequence[str | Path] = ()
) -> Mapping[str, Diagnostic]:
    """Return an error for each of these files, by name, that a link leads to and nothing selects.

    ``paths`` are those of the command line, relative to the working directory.
    """
    folders = _Folders(project, paths)
    files = {name: folders.follow(name) for name in names}
    selected = {file.real for file in files.values() if file.is_straight}
    root, globs = Path(os.path.realpath(project.root)), _globs(project)
    return {
        name: linked_manifest(name, project)
        for name, file in files.items()
        if file.real not in selected and _exists(file.real) and not _is_selected(Path(file.real), root, globs)
    }


def linked_manifest(name: str, project: Project) -> Diagnostic:
    """Return the error about a file or folder that a link leads to."""
    path = display_path(name, project.directory)
    return Diagnostic(
        Severity.ERROR,
        "linked-manifest",
        f"{path} is not read: it is a link, or below one, to a file that this project does not select",
        hint="replace the link by the file itself",
        location=SourceLocation(path),
    )


@dataclass(frozen=True, slots=True)
class _Followed:
    """Where a path really leads; it is straight if no link is on its way."""

    real: str
    is_straight: bool


class _Folders:
    """Follows the links of paths, each folder once.

    Links above the project are the user's own, and so are those above a path that is given outside of it.
    """

    def __init__(self, project: Project, paths: Sequence[str | Path]) -> None:
        bases = {project.root, project.directory}
        for path in paths:
            given = project.directory / path
            if not any(given.is_relative_to(base) for base in bases):
                bases.add(given.parent)
        self._bases = {str(base): os.path.realpath(base) for base in bases}
        self._folders: dict[str, _Followed] = {}

    def follow(self, name: str) -> _Followed:
        """Return where a file really is."""
        path, file = os.path.split(name)
        folder = self._folders.get(path) or self._folders.setdefault(path, self._follow_folder(path))
        if Path(name).is_symlink():
            return _Followed(os.path.realpath(name), is_straight=False)
        return _Followed(f"{folder.real.rstrip(os.sep)}{os.sep}{file}", folder.is_straight)

    def _follow_folder(self, folder: str) -> _Followed:
        real = os.path.realpath(folder)
        straight = (
            os.path.normpath(f"{base_real}{os.sep}{os.path.relpath(folder or os.curdir, base)}")
            for base, base_real in self._bases.items()
        )
        return _Followed(real, real in straight)


def _globs(project: Project) -> list[tuple[str, ...]]:
    try:
        return [split_glob(glob) for pattern in project.organizations for glob in expand_braces(pattern)]
    except ValueError:
        return []  # reported where the globs are used


def _exists(file: str) -> bool:
    """Tell whether a link leads to something; one that does not is reported when it is read."""
    try:
        Path(file).stat()
    except OSError:
        return False
    return True


def _is_selected(real: Path, root: Path, globs: Sequence[tuple[str, ...]]) -> bool:
    if not real.is_relative_to(root):
        return False
    parts = real.relative_to(root).parts
    return not any(part.startswith(".") for part in parts) and any(matches(parts, glob) for glob in globs)
