"""What other documents declare of an organization, where a run reads only some of them.

Whatever is not declared in the documents that were read may be declared in others: `prune` must
know before it deletes. All manifests of the project are read for it, once, and only if asked.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from reconciler.manifests import stream_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredOrganization, Organization
    from reconciler.manifests import Project

_NOTHING_THERE: Final = "no-manifests"


class OtherDocuments:
    """Where the organizations of a project are declared."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._project = project
        self._variables = variables
        self._places: dict[str, list[SourceLocation]] | None = None
        self._unreadable = ""
        self._lock = Lock()

    def objection(self, desired: DesiredOrganization, organization: Organization) -> str | None:
        """Return why nothing undeclared may be deleted, or None if no other document says anything."""
        with self._lock:
            if self._places is None:
                self._places = self._read()
        for name in sorted(organization.names | {desired.reference}):
            for place in self._places.get(name, ()):
                if place != desired.location:
                    return (
                        f"{place} declares it too; put all connections of an organization into one document"
                    )
        return self._unreadable or None

    def _read(self) -> dict[str, list[SourceLocation]]:
        places: dict[str, list[SourceLocation]] = {}
        for file in stream_manifests((), self._project, self._variables):
            wrong = next(
                (one for one in file.diagnostics if one.is_error and one.code != _NOTHING_THERE), None
            )
            if wrong is not None:
                self._unreadable = (
                    f"whether other manifests declare it cannot be told: {wrong.summary}"
                    f"{f' ({wrong.location})' if wrong.location else ''}; correct that first"
                )
            for one in file.organizations:
                for name in one.names:
                    places.setdefault(name, []).append(one.location)
        return places
