"""Represents manifests with errors by their last readable versions in Git, so that they hide nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.manifests.document import parse_content
from reconciler.manifests.file_selection import manifest_sources
from reconciler.manifests.findings import Findings
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.partial import read_partially
from reconciler.storage.history import NoHistory, open_file_history, path_in_repository, tracked_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import ManifestFile, Project
    from reconciler.manifests.document import ParsedFile
    from reconciler.storage.history import History, Version


@dataclass(frozen=True, slots=True)
class PastManifest:
    """What the last readable version of a file declared."""

    file: ManifestFile
    organizations: tuple[DesiredOrganization, ...]


@dataclass(frozen=True, slots=True)
class UnknownManifest:
    """A file that cannot be read now, and of which Git holds no readable version. ``reason`` says why."""

    file: ManifestFile
    reason: str


@dataclass(frozen=True, slots=True)
class PastManifests:
    """The last readable versions of the files with errors, and the unreadable files that have none."""

    known: tuple[PastManifest, ...] = ()
    unknown: tuple[UnknownManifest, ...] = ()

    @property
    def organizations(self) -> tuple[DesiredOrganization, ...]:
        """Everything that the last readable versions declared."""
        return tuple(organization for past in self.known for organization in past.organizations)

    def of(self, file: ManifestFile) -> tuple[DesiredOrganization, ...]:
        """Return what the last readable version of a file declared."""
        return next((past.organizations for past in self.known if past.file is file), ())


def find_past_manifests(
    files: Sequence[ManifestFile], project: Project, variables: Mapping[str, str]
) -> PastManifests:
    """Look up the last readable versions of files with errors, up to the commit that is checked out."""
    search = _Search(project, OrganizationReader(project, variables), {**project.variables, **variables})
    known: list[PastManifest] = []
    unknown: list[UnknownManifest] = []
    for file in files:
        try:
            known.append(search.find(file))
        except NoHistory as error:
            if not file.is_readable:
                unknown.append(UnknownManifest(file, str(error)))
    return PastManifests(tuple(known), tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Search:
    """Reads past versions with the reader and the variables of today."""

    project: Project
    reader: OrganizationReader
    variables: Mapping[str, str]

    def find(self, file: ManifestFile) -> PastManifest:
        """Return the last readable versions of a file, or of all manifests in a folder.

        Raises:
            NoHistory: there is no readable version, or Git cannot tell.
        """
        path = Path(file.path)
        if not path.is_dir() or path.is_symlink():
            return PastManifest(file, self._last_versions(file, path))
        versions = (self._last_versions(file, manifest) for manifest in self._manifests_below(path))
        return PastManifest(file, tuple(chain.from_iterable(versions)))

    def _manifests_below(self, folder: Path) -> list[Path]:
        """Return the manifests that the commit has in a folder that cannot be read.

        Raises:
            NoHistory: there are none, or Git cannot tell.
        """
        tracked = tracked_files(folder)
        for sources in (manifest_sources((), self.project), manifest_sources((folder,), self.project)):
            if paths := [
                path for path in tracked if any(source.find(path, self.project) for source in sources)
            ]:
                return paths
        raise NoHistory("Git holds no manifest that was in it")

    def _last_versions(self, file: ManifestFile, path: Path) -> tuple[DesiredOrganization, ...]:
        """Return the last readable version of a file and, if that has errors, the last one without any.

        Raises:
            NoHistory: there is no readable version, or Git cannot tell.
        """
        inside = path_in_repository(self.project.root, path)
        history = open_file_history(self.project.root, [inside])
        organizations: list[DesiredOrganization] = []
        for version in history.versions():
            parsed = parse_content(version.content, file.display_path, self.project.read_limits)
            declared = self._organizations(parsed, version)
            if declared is None or (organizations and not self._is_valid(parsed)):
                continue
            organizations += declared
            if self._is_valid(parsed):
                break
        if not organizations:
            raise NoHistory(_no_version(history))
        return tuple(organizations)

    def _organizations(self, parsed: ParsedFile, version: Version) -> list[DesiredOrganization] | None:
        """Return what a version declares; None if that cannot be read."""
        if not parsed.is_readable:
            return None
        documents = [
            read_partially(document, parsed.source, self.variables, self.project.environment)
            for document in parsed.documents
        ]
        known = [replace(document, commit=version.commit) for document in documents if document is not None]
        return known if len(known) == len(documents) else None

    def _is_valid(self, parsed: ParsedFile) -> bool:
        findings = Findings(parsed.source, 1)
        return all(
            self.reader.read(document, parsed.source, findings.document(document))
            for document in parsed.documents
        )


def _no_version(history: History) -> str:
    if history.is_shallow:
        return "the clone is shallow: fetch the whole history (in actions/checkout: `fetch-depth: 0`)"
    return "Git holds no readable version of it"
