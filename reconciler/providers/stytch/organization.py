"""The API's organization, read into ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.errors import MalformedAnswer
from reconciler.core.state import Organization
from reconciler.providers.stytch.fields import mapping, required_text, text, texts

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_organization(document: Mapping[str, Any], where: str) -> Organization:
    """Return the organization under the key ``organization`` of an answer.

    Raises:
        MalformedAnswer: there is none, or a field has a wrong type.
    """
    inner = mapping(document, "organization", where)
    if not inner:
        raise MalformedAnswer(f"{where}: the answer lacks 'organization'")
    return parse_organization(inner, where)


def parse_organization(document: Mapping[str, Any], where: str) -> Organization:
    """Return an organization object as ours.

    Raises:
        MalformedAnswer: it has no id, or a field has a wrong type.
    """
    return Organization(
        organization_id=required_text(document, "organization_id", where),
        slug=text(document, "organization_slug", where),
        external_id=text(document, "organization_external_id", where),
        name=text(document, "organization_name", where),
        default_connection_id=text(document, "sso_default_connection_id", where),
        sso_only=_is_sso_only(document, where),
        jit_connection_ids=texts(document, "sso_jit_provisioning_allowed_connections", where),
    )


def _is_sso_only(document: Mapping[str, Any], where: str) -> bool:
    restricted = text(document, "auth_methods", where) == "RESTRICTED"
    return restricted and set(texts(document, "allowed_auth_methods", where)) == {"sso"}
