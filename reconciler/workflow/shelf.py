"""A folder that new manifests are put into; what is there already stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import UsageError
from reconciler.manifests.names import file_stem, unmistakable_stem
from reconciler.storage.files import create_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.state import Organization
    from reconciler.manifests.importing import Variable, WrittenManifest


class Shelf:
    """Knows the names that are taken, on file systems that ignore case as well.

    ``created`` are the new files, ``variables`` what their secrets are called.
    """

    def __init__(self, folder: Path) -> None:
        self.created: list[Path] = []
        self.variables: list[Variable] = []
        self._folder = folder
        self._taken = {one.name.casefold() for one in folder.iterdir()} if folder.is_dir() else set()

    def put(self, organization: Organization, manifest: WrittenManifest) -> Path:
        """Write a manifest into a file of its own, and return it.

        Raises:
            UsageError: the folder cannot be written to, or every fitting name is taken.
        """
        names = organization.slug, organization.organization_id
        for stem in (file_stem(*names), unmistakable_stem(*names)):
            path = self._folder / f"{stem}.yaml"
            if path.name not in self._taken and create_atomically(path, manifest.text):
                self._taken.add(path.name)
                self.created.append(path)
                self.variables += manifest.variables
                return path
        raise UsageError(
            f"{self._folder / unmistakable_stem(*names)}.yaml is there already, but it declares nothing of "
            f"organization {organization.organization_id}: move it away"
        )
