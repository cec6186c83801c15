"""Whatever is sent, the response is the API's and not a crash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.emulator.calls import error
from tests.support.generated import examples

if TYPE_CHECKING:
    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

TEXT = st.text(max_size=8) | st.sampled_from(
    ["\ud800", "acme", "https://x", "https://[", "http://\x00", "AND"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "display_name",
        "identity_provider",
        "issuer",
        "client_id",
        "client_secret",
        "token_url",
        "jwks_url",
        "custom_scopes",
        "attribute_mapping",
        "organization_slug",
        "sso_jit_provisioning",
        "sso_jit_provisioning_allowed_connections",
        "sso_default_connection_id",
        "allowed_auth_methods",
        "limit",
        "cursor",
        "query",
    ]
)
FILTER = st.fixed_dictionaries(
    {
        "filter_name": st.sampled_from(
            ["organization_ids", "sso_connection_id", "organization_name_fuzzy", "member_emails"]
        ),
        "filter_value": JSON | st.lists(TEXT, max_size=2),
    }
)
QUERY = st.fixed_dictionaries(
    {"operator": JSON | st.just("AND"), "operands": st.lists(FILTER | JSON, max_size=2)}
)
BODY = st.dictionaries(KEYS, JSON | QUERY, max_size=3)

hostile = examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_an_answer(response: httpx.Response) -> bool:
    document = response.json()
    return response.status_code in {200, 400, 404} and document["status_code"] == response.status_code


@hostile
@given(body=BODY)
def test_bodies(api: Api, emulator: Emulator, body: dict[str, Any]) -> None:
    connection_id = emulator.add_connection("acme")["connection_id"]
    organization_id = emulator.organization("acme")["organization_id"]
    content = json.dumps(body)
    for method, path in (
        ("POST", f"/v1/b2b/sso/oidc/{organization_id}"),
        ("PUT", f"/v1/b2b/sso/oidc/{organization_id}/connections/{connection_id}"),
        ("POST", "/v1/b2b/organizations/search"),
        ("PUT", f"/v1/b2b/organizations/{organization_id}"),
    ):
        assert is_an_answer(api(method, path, content=content))
    emulator.edit_organization(organization_id, organization_slug="acme")


@hostile
@given(segment=st.text(min_size=1, max_size=8).map(lambda text: quote(text, safe="", errors="replace")))
def test_paths(api: Api, segment: str) -> None:
    for path in (f"/v1/b2b/sso/{segment}", f"/v1/b2b/organizations/{segment}"):
        assert is_an_answer(api("GET", path))
    assert is_an_answer(api("DELETE", f"/v1/b2b/sso/acme/connections/{segment}"))


@pytest.mark.parametrize("content", [b'{"display_name": NaN}', b"[" * 100_000, b"\x00", b'{"a"}'])
def test_bodies_that_are_not_json(api: Api, content: bytes) -> None:
    response = api("POST", "/v1/b2b/sso/oidc/acme", content=content)
    assert error(response) == (400, "bad_request")


@pytest.mark.parametrize("name", ["sso_connection_id", "organization_slug_fuzzy", "organization_ids"])
def test_text_that_is_not_unicode(api: Api, name: str) -> None:
    value = ["\ud800abc"] if name == "organization_ids" else "\ud800abc"
    operands = [{"filter_name": name, "filter_value": value}]
    content = json.dumps({"query": {"operator": "AND", "operands": operands}})
    assert is_an_answer(api("POST", "/v1/b2b/organizations/search", content=content))
