"""Stytch's Python SDK, with its synchronous and its asynchronous methods."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import stytch
from stytch.b2b.models.organizations import SearchQuery, SearchQueryOperator
from stytch.b2b.models.sso import DeleteConnectionRequestOptions, GetConnectionsRequestOptions
from stytch.b2b.models.sso_oidc import CreateConnectionRequestOptions, UpdateConnectionRequestOptions
from stytch.core.response_base import StytchError
from stytch.shared.method_options import Authorization

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET
from tests.clients.calling import ApiError, Client, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator


@contextmanager
def python_client(
    running: RunningEmulator, session: Session | None, *, asynchronous: bool = False
) -> Iterator[Client]:
    """Yield the SDK; its ``environment`` takes a base URL, ``custom_base_url`` requires https."""
    sdk = stytch.B2BClient(
        project_id=DEFAULT_PROJECT_ID, secret=DEFAULT_SECRET, environment=f"{running.base_url}/"
    )
    with asyncio.Runner() as runner:
        yield _PythonClient(sdk, session, runner, "_async" if asynchronous else "")
        runner.run(sdk.close())


class _PythonClient:
    def __init__(
        self, sdk: stytch.B2BClient, session: Session | None, runner: asyncio.Runner, suffix: str
    ) -> None:
        self._sdk = sdk
        self._session = session
        self._runner = runner
        self._suffix = suffix

    def create(self, organization: str, **fields: Any) -> Any:
        options = self._as_member(CreateConnectionRequestOptions)
        return self._call(
            self._sdk.sso.oidc, "create_connection", organization_id=organization, **options, **fields
        )["connection"]

    def update(self, organization: str, connection_id: str, **fields: Any) -> Any:
        options = self._as_member(UpdateConnectionRequestOptions)
        names = {"organization_id": organization, "connection_id": connection_id}
        return self._call(self._sdk.sso.oidc, "update_connection", **names, **options, **fields)["connection"]

    def list(self, organization: str) -> Any:
        options = self._as_member(GetConnectionsRequestOptions)
        return self._call(self._sdk.sso, "get_connections", organization_id=organization, **options)

    def delete(self, organization: str, connection_id: str) -> str:
        options = self._as_member(DeleteConnectionRequestOptions)
        names = {"organization_id": organization, "connection_id": connection_id}
        return str(self._call(self._sdk.sso, "delete_connection", **names, **options)["connection_id"])

    def organization(self, organization: str) -> Any:
        return self._call(self._sdk.organizations, "get", organization_id=organization)["organization"]

    def find(self, slug: str) -> str:
        operand = {"filter_name": "organization_slugs", "filter_value": [slug]}
        query = SearchQuery(operator=SearchQueryOperator.AND, operands=[operand])
        organizations = self._call(self._sdk.organizations, "search", query=query)["organizations"]
        return str(organizations[0]["organization_id"])

    def _as_member(self, options: Any) -> dict[str, Any]:
        if self._session is None:
            return {}
        authorization = Authorization(session_token=self._session["session_token"])
        return {"method_options": options(authorization=authorization)}

    def _call(self, owner: Any, method: str, **arguments: Any) -> Any:
        try:
            response = getattr(owner, method + self._suffix)(**arguments)
            if inspect.isawaitable(response):
                response = self._runner.run(_await(response))
        except StytchError as error:
            details = error.details
            raise ApiError(details.status_code, details.error_type or "", details.request_id or "") from error
        return response.model_dump()


async def _await(response: Any) -> Any:
    return await response
