"""What must not be deleted because a block that Git remembers forbade it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Protocol

from reconciler.core.state import Protection
from reconciler.manifests.protection import PROTECTING_KEY, PastManifests
from reconciler.storage.history import open_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredOrganization, Organization
    from reconciler.manifests import Project
    from reconciler.manifests.protection import PastBlock
    from reconciler.storage.history import History, Version


class Past(Protocol):
    """Knows what was declared before."""

    def protections(
        self, desired: DesiredOrganization, organization: Organization, doomed: Sequence[OidcConnection]
    ) -> tuple[Protection, ...]:
        """Return which of the connections that nobody declares any more must not be deleted.

        Raises:
            NoHistory: there is no past to ask.
        """
        ...


class GitPast:
    """The history of the repository that the project file is in; read when it is first asked for."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._folder = project.root
        self._manifests = PastManifests({**project.variables, **variables}, project.read_limits)
        self._history: History | None = None
        self._lock = Lock()

    def protections(
        self, desired: DesiredOrganization, organization: Organization, doomed: Sequence[OidcConnection]
    ) -> tuple[Protection, ...]:
        """Let the newest version that declared a connection decide, as `Past` says."""
        history = self._open()
        search = _Search(self._manifests, desired.reference, organization, doomed)
        for version in history.versions():
            if not search.look_into(version):
                break
        return search.protections(is_cut_off=history.is_cut_off)

    def _open(self) -> History:
        with self._lock:
            if self._history is None:
                self._history = open_history(self._folder, PROTECTING_KEY)
            return self._history


class _Search:
    """Goes back in time until it is known of every connection how it was last declared."""

    def __init__(
        self,
        manifests: PastManifests,
        reference: str,
        organization: Organization,
        doomed: Sequence[OidcConnection],
    ) -> None:
        self._manifests = manifests
        self._reference = reference
        self._organization = organization
        self._doomed = {one.connection_id or "": one for one in doomed}
        self._found: dict[str, tuple[str, PastBlock]] = {}

    def look_into(self, version: Version) -> bool:
        """Take note of what a version says; tell whether older ones could still say anything."""
        undecided = [
            name for name in self._doomed if self._found.get(name, (version.commit,))[0] == version.commit
        ]
        for connection_id in undecided:
            block = self._manifests.find(
                version.content,
                version.path,
                self._organization,
                self._reference,
                self._doomed[connection_id],
            )
            if block is not None and not self._is_protected(connection_id):
                self._found[connection_id] = (version.commit, block)
        return bool(undecided)

    def protections(self, *, is_cut_off: bool) -> tuple[Protection, ...]:
        """Return what must not be deleted, and of what nobody can say."""
        protected = [
            Protection(connection_id, f"{block.location} in commit {commit[:12]}")
            for connection_id, (commit, block) in self._found.items()
            if block.is_protected
        ]
        unknown = [one for one in self._doomed if one not in self._found] if is_cut_off else []
        return (*protected, *(Protection(one) for one in unknown))

    def _is_protected(self, connection_id: str) -> bool:
        found = self._found.get(connection_id)
        return found is not None and found[1].is_protected
