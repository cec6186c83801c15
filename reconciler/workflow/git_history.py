"""Finds removed connection blocks in the Git history that had `prevent_destroy: true`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.state import Protection
from reconciler.manifests.past_versions import PROTECTING_KEY, PastManifests
from reconciler.storage.history import open_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredOrganization, Organization
    from reconciler.manifests import Project
    from reconciler.manifests.past_versions import PastBlock
    from reconciler.storage.history import History, Version


@dataclass(slots=True)
class GitHistory:
    """The history of the repository that the project file is in; it is read when it is first needed."""

    project: Project
    variables: Mapping[str, str]
    _history: History | None = None

    def protections(
        self, desired: DesiredOrganization, organization: Organization, to_delete: Sequence[OidcConnection]
    ) -> tuple[Protection, ...]:
        """Return which of the undeclared connections must not be deleted.

        The newest version that declared a connection decides.

        Raises:
            NoHistory: there is no history, or it cannot be read.
        """
        if self._history is None:
            self._history = open_history(self.project.root, PROTECTING_KEY)
        manifests = PastManifests(
            {**self.project.variables, **self.variables}, self.project.read_limits, self.project.environment
        )
        connections = {connection.connection_id or "": connection for connection in to_delete}
        search = _Search(manifests, desired.reference, organization, connections)
        for version in self._history.versions():
            if search.is_complete(version.commit):
                break
            search.look_into(version)
        return search.protections(is_shallow=self._history.is_shallow)


@dataclass(slots=True)
class _Search:
    """Goes back in time until the last declaration of every connection, by connection_id, is found."""

    manifests: PastManifests
    reference: str
    organization: Organization
    to_delete: Mapping[str, OidcConnection]
    declarations: dict[str, tuple[str, PastBlock]] = field(default_factory=dict)

    def is_complete(self, commit: str) -> bool:
        """Tell whether neither ``commit`` nor an older one can change the result."""
        return not self._undecided(commit)

    def look_into(self, version: Version) -> None:
        """Record which connections a version declares; within one commit, a protected block counts."""
        manifest = self.manifests.read(version.content, version.path)
        for connection_id in self._undecided(version.commit):
            block = manifest.find(self.organization, self.reference, self.to_delete[connection_id])
            if block is not None and not self._is_protected(connection_id):
                self.declarations[connection_id] = (version.commit, block)

    def protections(self, *, is_shallow: bool) -> tuple[Protection, ...]:
        """Return the protected connections and, of a shallow clone, those without any declaration."""
        protected = [
            Protection(connection_id, f"{block.location} in commit {commit[:12]}", block.is_certain)
            for connection_id, (commit, block) in self.declarations.items()
            if block.is_protected
        ]
        unknown = [name for name in self.to_delete if name not in self.declarations] if is_shallow else []
        return (*protected, *(Protection(connection_id) for connection_id in unknown))

    def _undecided(self, commit: str) -> list[str]:
        """Return the connections without a declaration, or with one in the same commit."""
        return [
            connection_id
            for connection_id in self.to_delete
            if self.declarations.get(connection_id, (commit,))[0] == commit
        ]

    def _is_protected(self, connection_id: str) -> bool:
        declaration = self.declarations.get(connection_id)
        return declaration is not None and declaration[1].is_protected
