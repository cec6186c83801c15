"""`verify --probe-credentials` on OpenID providers that others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.idp.live import connect
from tests.idp.truth_table.probes import AT_OIDC_PROVIDER, AT_PYTHON, CLIENTS, REDIRECT_URL
from tests.oidc_provider import oidc_provider, python_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.truth_table.probes import Probe
    from tests.support.workplace import Workplace


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider([*CLIENTS.values()]) as issuer:
        yield issuer


@pytest.mark.parametrize("row", AT_OIDC_PROVIDER, ids=lambda row: row.what)
def test_the_table_of_a_real_provider(place: Workplace, issuer: str, row: Probe) -> None:
    secret = row.secret or CLIENTS[row.client]["client_secret"]
    # without a login page, the preflight cannot find out that a client is unknown, and the probe is sent
    urls = {"authorization_url": f"{issuer}/nothing-here", "token_url": f"{issuer}/token"}
    live = {"client_id": row.client, "client_secret": secret, "jwks_url": f"{issuer}/jwks", **urls}
    connect(place, "acme", issuer, live=live)
    check(place, row, secret)


@pytest.fixture(scope="module", params=["authlib", "pyop"])
def strict(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a provider that accepts a secret by the registered method only."""
    with python_provider(request.param, REDIRECT_URL) as provider:
        yield {"name": request.param, **provider}


@pytest.mark.parametrize("what", dict.fromkeys(row.what for row in AT_PYTHON))
def test_providers_that_insist_on_the_method(place: Workplace, strict: Any, what: str) -> None:
    row = next(row for row in AT_PYTHON if (row.provider, row.what) == (strict["name"], what))
    client_id, secret = strict["clients"].get(row.client, ["nobody", ""])
    secret = row.secret or secret
    live = {"client_id": client_id, "client_secret": secret, "token_url": strict["token_url"]}
    connect(place, "acme", strict["issuer"], live=live)
    check(place, row, secret)


def check(place: Workplace, row: Probe, secret: str) -> None:
    document = place.run("verify", "--probe-credentials", "--format", "json").document
    codes = [item["code"] for item in document["findings"]]
    assert tuple(code for code in codes if code.startswith(("secret-", "probe-"))) == row.codes
    (connection,) = document["connections"]
    asked = [item["outcome"] for item in connection["asked"] if item["purpose"] == "probe"]
    assert tuple(outcome.partition("client_secret_")[2] for outcome in asked) == row.answers
    assert secret not in str(document)
