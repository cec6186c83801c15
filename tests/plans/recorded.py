"""A case's live side: what the API would answer, read from a file through the real translation.

``live.json`` holds a list of organizations, each an object with ``organization`` (as the API describes
it), ``connections`` (the answer to listing its connections), or ``failure`` instead of the latter:
the message of the error that reading it ends in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.core.errors import OrganizationNotFound, ProviderError
from reconciler.http.json_fields import JsonObject
from reconciler.providers.stytch.resources import parse_organization, read_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.core.state import LiveOrganization, Organization


class Recorded:
    """A Reader of one file."""

    def __init__(
        self, live: Mapping[str, LiveOrganization | ProviderError], known: list[Organization]
    ) -> None:
        self.live = dict(live)
        self._known = known

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        return {reference: self._find(reference) for reference in references}

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        live = self.live[organization.organization_id]
        if isinstance(live, ProviderError):
            raise live
        return live

    async def refresh_organization(self, organization: Organization) -> Organization:
        return organization

    async def find_owner(self, connection_id: str) -> Organization | None:
        for state in self.live.values():
            if not isinstance(state, ProviderError) and state.connection(connection_id):
                return state.organization
        return None

    def _find(self, reference: str) -> Organization | ProviderError:
        for organization in self._known:
            if reference in organization.names:
                return organization
        return OrganizationNotFound(
            f"no organization has the id, slug or external id {reference!r}",
            status=404,
            error_type="organization_not_found",
            request_id="request-id-test-1",
        )


def recorded(file: Path) -> Recorded:
    documents = json.loads(file.read_text(encoding="utf-8"))
    known = [parse_organization(JsonObject(document["organization"], "live.json")) for document in documents]
    live = {
        organization.organization_id: _live(document, organization)
        for organization, document in zip(known, documents, strict=True)
    }
    return Recorded(live, known)


def _live(document: dict[str, Any], organization: Organization) -> LiveOrganization | ProviderError:
    if "failure" in document:
        return ProviderError(document["failure"], status=500, request_id="request-id-test-2")
    try:
        return read_list(document["connections"], organization, "live.json")
    except ProviderError as error:
        return error
