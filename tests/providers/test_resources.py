"""JSON to connection and back."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.connection import FIELDS, OidcConnection
from reconciler.core.errors import MalformedAnswer
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.core.state import OtherConnection
from reconciler.http.json_fields import JsonObject
from reconciler.providers.stytch.resources import parse_connection, read_list, read_scopes, write_body
from tests.providers.support import ACME, CLIENT_SECRET, CONNECTION_ID, connection

OWNER = ACME.organization_id
FULL = {
    "display_name": "Acme Okta",
    "identity_provider": "okta",
    "issuer": "https://acme.okta.com/",
    "client_id": "0oa1",
    "authorization_url": "https://acme.okta.com/authorize",
    "token_url": "https://acme.okta.com/token",
    "userinfo_url": "https://acme.okta.com/userinfo",
    "jwks_url": "https://acme.okta.com/keys",
}
UNSET_TEXTS = (*list(FULL)[2:], "client_secret", "custom_scopes")


def read(**fields: Any) -> OidcConnection:
    return parse_connection(JsonObject(connection(**fields), "GET connections"), OWNER)


def test_every_field_of_a_full_connection_is_read() -> None:
    live = read(
        **FULL, client_secret=CLIENT_SECRET, custom_scopes="openid email", attribute_mapping={"a": "b"}
    )
    assert {name: getattr(live, name) for name in FULL} == FULL
    assert live.client_secret == Secret(CLIENT_SECRET)
    assert live.custom_scopes == ("email", "openid")
    assert live.attribute_mapping == {"a": "b"}
    assert live.connection_id == CONNECTION_ID
    assert live.status == "pending"
    assert live.redirect_url == connection()["redirect_url"]


@pytest.mark.parametrize(
    "unset",
    [
        {},
        dict.fromkeys((*UNSET_TEXTS, "attribute_mapping")),
        dict.fromkeys(UNSET_TEXTS, "") | {"attribute_mapping": {}},
    ],
    ids=["absent", "null", "empty"],
)
def test_absent_null_and_empty_are_one_and_never_none(unset: dict[str, Any]) -> None:
    live = read(**unset)
    assert all(getattr(live, name) is not None for name in FIELDS)
    assert live.issuer == live.client_id == live.token_url == ""
    assert live.client_secret == Secret("")
    assert live.custom_scopes == ()
    assert live.attribute_mapping == {}
    assert live.is_unconfigured


def test_what_is_not_known_is_kept_or_ignored() -> None:
    live = read(identity_provider="brand-new-idp", invented_field={"x": 1}, status="paused")
    assert live.identity_provider == "brand-new-idp"
    assert live.status == "paused"


@pytest.mark.parametrize(
    ("sent", "scopes"),
    [
        ("openid  email\topenid", ("email", "openid")),
        ("openid%20email", ("email", "openid")),
        ("a+b c", ("a+b", "c")),
        ("  ", ()),
        ("api%3A%2F%2Fx/read", ("api://x/read",)),
    ],
)
def test_scopes_are_a_decoded_set(sent: str, scopes: tuple[str, ...]) -> None:
    assert read_scopes(sent) == scopes


def test_mapping_values_that_are_no_texts_are_kept_so_that_a_difference_shows() -> None:
    mapping: Any = read(attribute_mapping={"a": {"b": 1}}).attribute_mapping
    assert mapping == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", 7),
        ("client_secret", ["canary-in-a-list"]),
        ("custom_scopes", ["canary-in-a-list"]),
        ("attribute_mapping", "canary-as-text"),
        ("display_name", True),
        ("connection_id", None),
        ("connection_id", ""),
        ("status", {}),
    ],
)
def test_a_wrong_type_is_named_and_its_value_is_not(name: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match=name) as caught:
        parse_connection(JsonObject({**connection(), name: value}, "GET connections"), OWNER)
    assert "canary" not in str(caught.value)
    assert "GET connections" in str(caught.value)


@pytest.mark.parametrize("owner", ["organization-test-other", None, "", 5])
def test_an_object_of_another_organization_or_of_none_is_refused(owner: object) -> None:
    with pytest.raises(MalformedAnswer, match="organization"):
        read(organization_id=owner)


def test_a_body_has_the_fields_that_have_a_value_and_no_others() -> None:
    values = OidcConnection(
        issuer="https://x", connection_id="oidc-1", status="active", redirect_url="https://r"
    )
    assert write_body(values) == {"issuer": "https://x"}


def test_a_body_writes_scopes_with_plain_spaces_and_the_secret_in_clear() -> None:
    values = OidcConnection(
        client_secret=Secret(CLIENT_SECRET), custom_scopes=("email", "openid"), attribute_mapping={"a": "b"}
    )
    assert write_body(values) == {
        "client_secret": CLIENT_SECRET,
        "custom_scopes": "email openid",
        "attribute_mapping": {"a": "b"},
    }


def test_a_reference_that_was_not_resolved_cannot_be_sent() -> None:
    reference = SecretReference("${env:X}", (Locator("env", "X"),))
    with pytest.raises(TypeError, match="resolved"):
        write_body(OidcConnection(client_secret=reference))


def test_what_is_written_is_read_back_the_same() -> None:
    values = OidcConnection(
        **FULL, client_secret=Secret("s"), custom_scopes=("email", "openid"), attribute_mapping={"k": "v"}
    )
    live = read(**write_body(values))
    assert live.only(values.declared_fields) == values


def test_foreign_connections_are_listed_without_their_keys() -> None:
    document = {
        "oidc_connections": [connection()],
        "saml_connections": [
            {
                "organization_id": OWNER,
                "connection_id": "saml-connection-test-1",
                "display_name": "SAML",
                "status": "active",
                "encryption_private_keys": [{"private_key": "canary"}],
            }
        ],
        "external_connections": [
            {
                "organization_id": OWNER,
                "connection_id": "external-connection-test-1",
                "status": "active",
                "external_connection_id": "saml-connection-test-7",
            }
        ],
        "future_connections": [{"organization_id": OWNER, "connection_id": "future-1"}],
    }
    live = read_list(document, ACME, "GET connections")
    assert [connection.connection_id for connection in live.connections] == [CONNECTION_ID]
    assert live.other_connections == (
        OtherConnection(
            kind="saml", connection_id="saml-connection-test-1", display_name="SAML", is_active=True
        ),
        OtherConnection(
            kind="external",
            connection_id="external-connection-test-1",
            is_active=True,
            external_connection_id="saml-connection-test-7",
        ),
        OtherConnection(kind="future", connection_id="future-1"),
    )
    assert "canary" not in repr(live)


@pytest.mark.parametrize("missing", [{}, {"oidc_connections": None, "saml_connections": None}])
def test_missing_and_null_lists_are_empty(missing: dict[str, Any]) -> None:
    live = read_list({"request_id": "r", **missing}, ACME, "GET connections")
    assert live.connections == ()
    assert live.other_connections == ()


@pytest.mark.parametrize("name", ["oidc_connections", "saml_connections", "future_connections"])
@pytest.mark.parametrize("value", [{}, "text", 5, [None], ["x"], [[]]])
def test_lists_of_a_wrong_shape_are_never_empty(name: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match=name):
        read_list({name: value}, ACME, "GET connections")


def test_a_list_with_a_foreign_organization_is_refused_as_a_whole() -> None:
    stranger = connection("oidc-connection-test-2", organization_id="organization-test-other")
    with pytest.raises(MalformedAnswer, match="organization-test-other"):
        read_list({"oidc_connections": [connection(), stranger]}, ACME, "GET connections")


def test_one_id_twice_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="twice"):
        read_list({"oidc_connections": [connection(), connection()]}, ACME, "GET connections")
