"""Finds the organizations whose `file:` secrets differ from a Git revision."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.manifests import load_manifests
from reconciler.secrets import wanted_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Project
    from reconciler.storage.revision import Revision


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
            if locator.scheme == "file":
                file = project.root / locator.path
                yield Path(os.path.realpath(file))
                yield Path(os.path.realpath(file.parent)) / file.name  # a link that leads elsewhere now
