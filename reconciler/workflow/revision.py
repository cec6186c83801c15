"""The manifests that differ from a Git revision, or all of them where the project file differs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity, UsageError
from reconciler.manifests import PROJECT_FILE, ManifestFile, stream_manifests
from reconciler.manifests.changed import ChangedFile, read_changed
from reconciler.manifests.files import distinct
from reconciler.manifests.reading import display_path
from reconciler.manifests.sources import manifest_sources
from reconciler.storage.git import find_revision
from reconciler.workflow.selected import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.manifests import Project
    from reconciler.manifests.sources import ManifestSource
    from reconciler.storage.git import Differing, Revision


def select_changed(
    paths: Sequence[str | Path], project: Project, variables: Mapping[str, str], changed_since: str
) -> Selection:
    """Return what differs; files that are gone are looked up in Git.

    Raises:
        UsageError: Git cannot tell what has changed.
    """
    revision = find_revision(project.directory, changed_since)
    since = f"{changed_since} (at {revision.commit[:12]})"
    if _differs(_project_files(project), revision):
        files = stream_manifests(paths, project, variables)
        return Selection(files, not paths, f"The project file differs from {since}: nothing is left out.")
    sources = manifest_sources(paths, project)
    changed = _changed_files(sources, project, revision)
    files = _with_findings(_missing(sources, changed, project), read_changed(changed, project, variables))
    remark = f"Only manifests that differ from {since} are read: {len(changed)} of them."
    return Selection(files, is_whole=False, remark=remark)


def _with_findings(findings: tuple[Diagnostic, ...], files: Iterator[ManifestFile]) -> Iterator[ManifestFile]:
    yield ManifestFile(None, "", (), findings)
    yield from files


def _project_files(project: Project) -> tuple[Path, ...]:
    """Return every path that the project file has or could have had; a link and what it leads to."""
    file = project.file or project.root / PROJECT_FILE
    return (Path(os.path.realpath(file.parent)) / file.name, Path(os.path.realpath(file)))


def _differs(files: tuple[Path, ...], revision: Revision) -> bool:
    return bool(revision.differing(_place(file, revision) for file in files))


def _place(path: Path, revision: Revision) -> str:
    """Return a path as Git names it.

    Raises:
        UsageError: it is outside of the work tree.
    """
    try:
        place = path.relative_to(revision.top).as_posix()
    except ValueError as error:
        raise UsageError(
            f"--changed-since cannot tell whether {path} has changed: it is outside of the Git repository "
            f"in {revision.top}; leave the option out"
        ) from error
    return "" if place == "." else place


def _changed_files(
    sources: Sequence[ManifestSource], project: Project, revision: Revision
) -> tuple[ChangedFile, ...]:
    places = dict.fromkeys(_place(one.real, revision) for one in sources)
    meant: dict[Path, Differing] = {}
    for one in revision.differing(places):
        shown = _shown(revision.top / one.path, sources, project)
        if shown is not None:
            meant[shown] = one
    before = revision.contents(tuple(meant.values()))
    return tuple(
        ChangedFile(shown, before.get(meant[shown].path)) for shown in map(Path, distinct(map(str, meant)))
    )


def _shown(file: Path, sources: Sequence[ManifestSource], project: Project) -> Path | None:
    found = (source.find(file, project) for source in sources)
    return next((shown for shown in found if shown is not None), None)


def _missing(
    sources: Sequence[ManifestSource], changed: Sequence[ChangedFile], project: Project
) -> tuple[Diagnostic, ...]:
    """Report paths of the call that lead nowhere, now or at the revision."""
    missing = dict.fromkeys(one.given for one in sources if one.given and not _is_there(one.given))
    return tuple(
        Diagnostic(
            Severity.ERROR,
            "no-such-path",
            f"{display_path(path, project.directory)}: no such file or folder, and there was none",
            hint="correct the path",
        )
        for path in missing
        if not any(file.path == path or file.path.is_relative_to(path) for file in changed)
    )


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
