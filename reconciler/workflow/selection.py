"""Selects the manifests of a run: all, those in given paths, or those that differ from a Git revision.

A connection that the selected manifests do not declare may be declared in another one, so `prune`
checks all manifests of the project before it deletes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests import PROJECT_FILE, load_manifests
from reconciler.manifests.changed_files import ChangedFile, load_changed
from reconciler.manifests.confinement import linked_manifests
from reconciler.manifests.file_selection import distinct, manifest_sources
from reconciler.manifests.source_file import display_path
from reconciler.secrets import wanted_by
from reconciler.secrets.schemes import name_and_key
from reconciler.storage.revision import find_changed_bytes, find_revision
from reconciler.workflow.base import organizations_with_changed_approvals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.state import DesiredOrganization, Organization
    from reconciler.manifests import Loaded, ManifestFile, Project
    from reconciler.manifests.file_selection import ManifestSource
    from reconciler.storage.revision import ChangedBytes, ChangedPath, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedManifests:
    """The manifests of a run. ``is_whole``: the project has no others; ``remark`` explains the selection.

    ``revision`` is what they were compared with, if anything.
    """

    loaded: Loaded
    is_whole: bool
    remark: str = ""
    revision: Revision | None = None


def select_manifests(
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
    changed_since: str | None = None,
) -> SelectedManifests:
    """Read the manifests in the given paths, or without any, all of the project.

    With ``changed_since``, only those are read that differ from this Git revision. A warning names the
    manifests whose bytes Git's attributes change.

    Raises:
        UsageError: Git cannot tell what has changed.
    """
    selected = _select(paths, project, variables, changed_since)
    files = {file.path: file.display_path for file in selected.loaded.files}
    warnings = tuple(
        _attribute_warning(files[changed.file], changed)
        for changed in find_changed_bytes(project.root, files)
    )
    if not warnings:
        return selected
    loaded = replace(selected.loaded, diagnostics=(*selected.loaded.diagnostics, *warnings))
    return replace(selected, loaded=loaded)


def _attribute_warning(path: str, changed: ChangedBytes) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "manifest-attributes",
        f"Git changes the bytes of {path} when it checks it out ({changed.attribute}={changed.value})",
        detail="what a reviewer sees may not be what is read here",
        hint="remove the attribute from .gitattributes",
        location=SourceLocation(path),
    )


def _select(
    paths: Sequence[str | Path], project: Project, variables: Mapping[str, str], changed_since: str | None
) -> SelectedManifests:
    if changed_since is None:
        return SelectedManifests(loaded=load_manifests(paths, project, variables), is_whole=not paths)
    revision = find_revision(project.root, changed_since)
    since = f"{changed_since} (at {revision.commit[:12]})"
    if revision.changed_paths(map(revision.relative, _project_files(project))):
        return SelectedManifests(
            loaded=load_manifests(paths, project, variables),
            is_whole=not paths,
            revision=revision,
            remark=f"The project file differs from {since}: nothing is left out.",
        )
    sources = manifest_sources(paths, project)
    changed = _changed_files(sources, project, revision)
    linked = linked_manifests([str(file.path) for file in changed], project, paths)
    loaded = load_changed([file for file in changed if str(file.path) not in linked], project, variables)
    missing = _missing_paths(sources, changed, project)
    loaded = replace(loaded, diagnostics=(*missing, *linked.values(), *loaded.diagnostics))
    differing = organizations_with_changed_approvals(project, revision)
    differing |= organizations_with_changed_secrets(paths, project, variables, revision)
    loaded = _with_organizations(loaded, differing, paths, project, variables)
    number = len(loaded.state.organizations) + len(loaded.refused)
    return SelectedManifests(
        loaded=loaded,
        is_whole=False,
        revision=revision,
        remark=f"Only what differs from {since} is read. Files: {len(changed)}; organizations: {number}.",
    )


def _with_organizations(
    loaded: Loaded,
    organizations: frozenset[str],
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
) -> Loaded:
    """Return the manifests with those of further organizations, wherever they are declared."""
    known = {organization.reference for organization in loaded.state.organizations}
    missing = organizations - known
    if not missing:
        return loaded
    everything = load_manifests(paths, project, variables)
    added = [file for file in (_only(file, missing) for file in everything.files) if file.organizations]
    findings = [diagnostic for file in added for diagnostic in file.diagnostics]
    return replace(loaded, files=(*loaded.files, *added), diagnostics=(*loaded.diagnostics, *findings))


def _only(file: ManifestFile, organizations: frozenset[str]) -> ManifestFile:
    kept = tuple(
        organization for organization in file.organizations if organization.reference in organizations
    )
    return replace(file, organizations=kept)


def _project_files(project: Project) -> tuple[Path, ...]:
    """Return every path that the project file has or could have had; a link and its target."""
    file = project.file or project.root / PROJECT_FILE
    return (Path(os.path.realpath(file.parent)) / file.name, Path(os.path.realpath(file)))


def _changed_files(
    sources: Sequence[ManifestSource], project: Project, revision: Revision
) -> tuple[ChangedFile, ...]:
    places = dict.fromkeys(revision.relative(source.real) for source in sources)
    changed: dict[Path, ChangedPath] = {}
    for changed_path in revision.changed_paths(places):
        display = _display(revision.top / changed_path.path, sources, project)
        if display is not None:
            changed[display] = changed_path
    before = revision.contents(tuple(changed.values()))
    return tuple(
        ChangedFile(path, before.get(changed[path].path)) for path in map(Path, distinct(map(str, changed)))
    )


def _display(file: Path, sources: Sequence[ManifestSource], project: Project) -> Path | None:
    """Return a manifest's path as the user would type it, or None if it is in none of the sources."""
    candidates = (source.find(file, project) for source in sources)
    return next((path for path in candidates if path is not None), None)


def _missing_paths(
    sources: Sequence[ManifestSource], changed: Sequence[ChangedFile], project: Project
) -> tuple[Diagnostic, ...]:
    """Report given paths that do not exist, neither now nor at the revision."""
    missing = dict.fromkeys(source.given for source in sources if source.given and not _exists(source.given))
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


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


@dataclass(frozen=True, slots=True)
class OtherManifests:
    """Where each organization of a project is declared, by the names in the manifests.

    ``unreadable`` says which manifest cannot be read; it is empty if all can.
    """

    locations: Mapping[str, Sequence[SourceLocation]]
    unreadable: str = ""

    @classmethod
    def of(cls, manifests: Loaded) -> OtherManifests:
        """Index all manifests of a project, those with errors as far as they could be read."""
        locations = defaultdict(list)
        for organization in (*manifests.state.organizations, *manifests.refused):
            for name in organization.names:
                locations[name].append(organization.location)
        unreadable = [file.display_path for file in manifests.unreadable_files]
        return cls(locations, f"{unreadable[0]} cannot be read" if unreadable else "")

    def declared_elsewhere_error(
        self, desired: DesiredOrganization, organization: Organization
    ) -> str | None:
        """Return why undeclared connections must not be deleted, or None if no other manifest matters."""
        for name in sorted(organization.names | {desired.reference}):
            for location in self.locations.get(name, ()):
                if location != desired.location:
                    return (
                        f"{location} declares it too; put all connections of an organization into one "
                        "document"
                    )
        return None


def all_manifests(
    selected: SelectedManifests, project: Project, variables: Mapping[str, str]
) -> OtherManifests:
    """Return all manifests of a project; they are read only if the run has selected some of them."""
    loaded = selected.loaded if selected.is_whole else load_manifests((), project, variables)
    return OtherManifests.of(loaded)


def organizations_with_changed_secrets(
    paths: Sequence[str | Path], project: Project, variables: Mapping[str, str], revision: Revision
) -> frozenset[str]:
    """Return the organizations, by reference, that use a file which differs, or whose history Git lacks."""
    organizations = load_manifests(paths, project, variables).state.organizations
    files = {
        organization.reference: tuple(_secret_files(organization, project)) for organization in organizations
    }
    every_file = {file for used in files.values() for file in used}
    inside = {
        file.relative_to(revision.top).as_posix() for file in every_file if file.is_relative_to(revision.top)
    }
    changed = (
        {revision.top / path.path for path in revision.changed_paths(sorted(inside))} if inside else set()
    )
    return frozenset(
        reference
        for reference, used in files.items()
        if any(file in changed or not file.is_relative_to(revision.top) for file in used)
    )


def _secret_files(organization: DesiredOrganization, project: Project) -> Iterator[Path]:
    for wanted in wanted_by(organization.connections):
        for locator in wanted.reference.locators:
            if locator.scheme in {"file", "age"}:
                file = project.root / name_and_key(locator)[0]
                yield Path(os.path.realpath(file))
                yield Path(os.path.realpath(file.parent)) / file.name  # a link that leads elsewhere now
