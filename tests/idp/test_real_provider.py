"""`verify --probe-credentials` on a certified OpenID provider that others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.idp.live import connect
from tests.oidc_provider import oidc_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workplace import Workplace

REDIRECT_URL: Final = "https://login.example.com/callback"


def client(client_id: str, secret: str, method: str, **fields: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": [REDIRECT_URL],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": method,
        **fields,
    }


CLIENTS: Final = (
    client("basic", "a-secret: ~+/%=", "client_secret_basic"),
    client("post", "the-secret-of-post", "client_secret_post"),
    client("expired", "the-secret-of-old", "client_secret_basic", client_secret_expires_at=1_600_000_000),
    client(
        "no-code",
        "the-secret-of-no-code",
        "client_secret_basic",
        response_types=["id_token"],
        grant_types=["implicit"],
    ),
    {**client("public", "", "none"), "client_secret": None},
)

ROWS: Final = {
    "right": (
        "basic", "a-secret: ~+/%=", [], ["basic: 400 invalid_grant", "basic: 401 invalid_client: accepted"]
    ),
    "right, by post": (
        "post", "the-secret-of-post", [], ["basic: 400 invalid_grant", "basic: 401 invalid_client: accepted"]
    ),
    "wrong": (
        "basic", "another-secret", ["secret-wrong"],
        ["basic: 401 invalid_client", "post: 401 invalid_client: wrong"],
    ),
    "expired": ("expired", "the-secret-of-old", ["secret-expired"], ["basic: 400 invalid_client: expired"]),
    "client unknown": (
        "nobody", "another-secret", ["secret-wrong"],
        ["basic: 401 invalid_client", "post: 401 invalid_client: wrong"],
    ),
    "a public client": (
        "public", "another-secret", ["secret-wrong"],
        ["basic: 401 invalid_client", "post: 401 invalid_client: wrong"],
    ),
    "no code grant": (
        "no-code", "the-secret-of-no-code", ["probe-inconclusive"],
        ["basic: 400 invalid_request: inconclusive"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    clients = [{name: value for name, value in item.items() if value is not None} for item in CLIENTS]
    with oidc_provider(clients) as issuer:
        yield issuer


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_a_real_provider(place: Workplace, issuer: str, row: str) -> None:
    client_id, secret, expected, outcomes = ROWS[row]
    live = {"client_id": client_id, "client_secret": secret, "token_url": f"{issuer}/token"}
    connect(place, "acme", issuer, live={"jwks_url": f"{issuer}/jwks", **live})
    document = place.run("verify", "--probe-credentials", "--format", "json").document
    codes = [item["code"] for item in document["findings"]]
    assert [code for code in codes if code.startswith(("secret-", "probe-"))] == expected
    (connection,) = document["connections"]
    asked = [item["outcome"] for item in connection["asked"] if item["purpose"] == "probe"]
    assert [outcome.partition("client_secret_")[2] for outcome in asked] == outcomes
    assert secret not in str(document)
