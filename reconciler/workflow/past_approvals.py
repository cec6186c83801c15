"""Reads the approvals that a Git revision held, and finds the organizations whose approvals differ."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SourceLocation
from reconciler.manifests import load_manifests
from reconciler.manifests.approvals import load_approvals, read_approvals
from reconciler.manifests.file_selection import approval_sources, find_approval_files
from reconciler.manifests.source_file import read_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.core.approval import Approval
    from reconciler.manifests import Loaded, ManifestFile, Project
    from reconciler.storage.revision import Revision

_NOWHERE: Final = SourceLocation("")


def past_approvals(project: Project, revision: Revision) -> tuple[Approval, ...]:
    """Return the valid approvals of a revision. ``project`` says which files hold approvals."""
    sources = approval_sources(project)
    places = {source.real.relative_to(revision.top).as_posix() for source in sources}
    changed = revision.changed_paths("" if place == "." else place for place in places)
    contents = {
        path: content
        for path, content in revision.contents(changed).items()
        if any(source.find(revision.top / path, project) for source in sources)
    }
    contents |= _unchanged(project, revision, {change.path for change in changed})
    return tuple(
        approval
        for path, content in contents.items()
        for approval in read_approvals(content, path, project.read_limits)
    )


def _unchanged(project: Project, revision: Revision, changed: Collection[str]) -> dict[str, bytes]:
    """Return the contents of the present files of approvals that the revision held as they are."""
    paths = {
        Path(os.path.realpath(name)).relative_to(revision.top).as_posix(): name
        for name in find_approval_files(project).names
    }
    return {
        path: read_bytes(name, project.read_limits.max_bytes)
        for path, name in paths.items()
        if path not in changed
    }


def differing_organizations(project: Project, revision: Revision) -> frozenset[str]:
    """Return the organizations, by reference, whose approvals differ from those of a revision."""
    before = {unplaced(approval) for approval in past_approvals(project, revision)}
    now = {unplaced(approval) for approval in load_approvals(project).approvals}
    return frozenset(approval.address.partition("/")[0] for approval in before ^ now if approval.address)


def unplaced(approval: Approval) -> Approval:
    """Return an approval without its place, to compare it with others."""
    return replace(approval, location=_NOWHERE)


def with_organizations(
    loaded: Loaded,
    organizations: Collection[str],
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
) -> Loaded:
    """Return the manifests with those of further organizations, wherever they are declared."""
    known = {organization.reference for organization in loaded.state.organizations}
    missing = frozenset(organizations) - known
    if not missing:
        return loaded
    everything = load_manifests(paths, project, variables)
    added = [file for file in (_only(file, missing) for file in everything.files) if file.organizations]
    findings = [diagnostic for file in added for diagnostic in file.diagnostics]
    return replace(loaded, files=(*loaded.files, *added), diagnostics=(*loaded.diagnostics, *findings))


def _only(file: ManifestFile, organizations: Collection[str]) -> ManifestFile:
    kept = tuple(
        organization for organization in file.organizations if organization.reference in organizations
    )
    return replace(file, organizations=kept)
