"""The backend API, which reaches every organization of a project with project credentials."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import MalformedAnswer
from reconciler.http.json_fields import JsonObject
from reconciler.providers.stytch.call import ByteBudget, read, search, segment
from reconciler.providers.stytch.connections import Connections, Paths
from reconciler.providers.stytch.logins import authenticate, revoke
from reconciler.providers.stytch.resolution import resolve
from reconciler.providers.stytch.resources import (
    check_kind,
    parse_active_organization,
    parse_organization,
    read_organization,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from reconciler.core.errors import ProviderError
    from reconciler.core.state import ActiveOrganization, Organization
    from reconciler.providers.base import MemberLogin
    from reconciler.providers.stytch.client import Client

PAGE: Final = 1000
"""The maximum number of organizations in one search response (reference of Search Organizations)."""

MAX_PAGES: Final = 1000
"""Pages of one search: a million organizations."""

MAX_SEARCH_BYTES: Final = 256 * 1024 * 1024
"""All pages of one search together; a thousand organizations are about 640 KB."""

_SEARCH: Final = "/v1/b2b/organizations/search"

_PATHS: Final = Paths(
    connections="/v1/b2b/sso/{organization}",
    create="/v1/b2b/sso/oidc/{organization}",
    update="/v1/b2b/sso/oidc/{organization}/connections/{connection}",
    delete="/v1/b2b/sso/{organization}/connections/{connection}",
    organization="/v1/b2b/organizations/{organization}",
)


class Backend(Connections):
    """A `reconciler.providers.base.Provider` over the backend API."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, _PATHS)

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        """Resolve references in bulk, as `reconciler.providers.base.Reader` says."""
        return await resolve(references, self)

    async def refresh_organization(self, organization: Organization) -> Organization:
        """Read the organization again, as `reconciler.providers.base.Reader` says."""
        refreshed = await self.get_organization(organization.organization_id)
        if refreshed.organization_id != organization.organization_id:
            raise MalformedAnswer(
                f"asked for organization {organization.organization_id!r},"
                f" the response is about {refreshed.organization_id!r}"
            )
        return refreshed

    async def find_owner(self, connection_id: str) -> Organization | None:
        """Search by connection, as `reconciler.providers.base.Reader` says."""
        query = _filter("sso_connection_id", connection_id)
        async with aclosing(self.search_organizations(query)) as organizations:
            return await anext(organizations, None)

    async def list_organizations(self) -> AsyncGenerator[Organization, None]:
        """Yield every organization of the project, page by page."""
        async for organization in self.search_organizations({}):
            yield organization

    async def list_active_organizations(self) -> AsyncGenerator[ActiveOrganization, None]:
        """Yield the organizations with active SSO connections, a thousand a request."""
        query = _filter("has_active_sso_connection", value=True)
        async with aclosing(self._search(query)) as organizations:
            async for organization in organizations:
                yield parse_active_organization(organization)

    async def get_organization(self, reference: str) -> Organization:
        """Return one organization by its id, slug or external id."""
        request = read(f"/v1/b2b/organizations/{segment(reference)}", f"organization {reference!r}")
        return read_organization(await self._client.send(request), str(request))

    async def search_organizations(self, query: Mapping[str, Any]) -> AsyncGenerator[Organization, None]:
        """Yield the organizations that a query of the search finds; an empty one finds all.

        Raises:
            MalformedAnswer: the pages do not end, or are too many or too large.
        """
        async with aclosing(self._search(query)) as organizations:
            async for organization in organizations:
                yield parse_organization(organization)

    async def authenticate_login(self, token: str, verifier: str) -> MemberLogin:
        """Exchange the token of a login, as `reconciler.providers.base.LoginProvider` says."""
        return await authenticate(self._client, token, verifier)

    async def revoke_session(self, session_token: str) -> None:
        """End a session, as `reconciler.providers.base.LoginProvider` says."""
        await revoke(self._client, session_token)

    async def _search(self, query: Mapping[str, Any]) -> AsyncGenerator[JsonObject, None]:
        seen: set[str] = set()
        cursor, budget = "", ByteBudget.of(MAX_SEARCH_BYTES)
        for _ in range(MAX_PAGES):
            request = search(_SEARCH, "organizations by search", _search_body(query, cursor), budget)
            page = JsonObject(await self._client.send(request), str(request))
            check_kind(page, ("organizations",), optional=("results_metadata",))
            for organization in page.objects("organizations"):
                yield organization
            cursor = page.child("results_metadata").text("next_cursor")
            if not cursor:
                return
            if cursor in seen:
                raise MalformedAnswer(f"{request}: the pages do not end; the same cursor came twice")
            seen.add(cursor)
        raise MalformedAnswer(f"the pages of the search do not end; {MAX_PAGES} were read")


def _filter(name: str, value: object) -> dict[str, Any]:
    return {"operator": "AND", "operands": [{"filter_name": name, "filter_value": value}]}


def _search_body(query: Mapping[str, Any], cursor: str) -> dict[str, Any]:
    body: dict[str, Any] = {"limit": PAGE}
    if query:
        body["query"] = query
    if cursor:
        body["cursor"] = cursor
    return body
