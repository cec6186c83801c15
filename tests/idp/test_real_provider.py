"""`verify --probe-credentials` on OpenID providers that others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.idp.live import connect
from tests.oidc_provider import oidc_provider, python_provider

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
    assert probe_codes(document) == expected
    assert outcomes_of(document) == outcomes
    assert secret not in str(document)


@pytest.fixture(scope="module", params=["authlib", "pyop"])
def strict(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a provider that accepts a secret by the registered method only."""
    with python_provider(request.param, REDIRECT_URL) as provider:
        yield provider


@pytest.mark.parametrize(
    ("client", "is_right", "expected", "errors"),
    [
        ("client_secret_basic", True, [], ["invalid_grant", "invalid_client"]),
        ("client_secret_post", True, [], ["invalid_client", "invalid_grant", "invalid_client"]),
        ("client_secret_basic", False, ["secret-wrong"], ["invalid_client", "invalid_client"]),
        ("nobody", False, ["secret-wrong"], ["invalid_client", "invalid_client"]),
    ],
    ids=["basic", "post", "wrong", "client unknown"],
)
def test_providers_that_insist_on_the_method(
    place: Workplace, strict: Any, *, client: str, is_right: bool, expected: list[str], errors: list[str]
) -> None:
    client_id, secret = strict["clients"].get(client, ["nobody", ""])
    secret = secret if is_right else "another-secret"
    live = {"client_id": client_id, "client_secret": secret, "token_url": strict["token_url"]}
    connect(place, "acme", strict["issuer"], live=live)
    document = place.run("verify", "--probe-credentials", "--format", "json").document
    assert probe_codes(document) == expected
    assert [outcome.split()[2].rstrip(":") for outcome in outcomes_of(document)] == errors
    assert secret not in str(document)


def probe_codes(document: Any) -> list[str]:
    codes = [item["code"] for item in document["findings"]]
    return [code for code in codes if code.startswith(("secret-", "probe-"))]


def outcomes_of(document: Any) -> list[str]:
    (connection,) = document["connections"]
    asked = [item["outcome"] for item in connection["asked"] if item["purpose"] == "probe"]
    return [outcome.partition("client_secret_")[2] for outcome in asked]
