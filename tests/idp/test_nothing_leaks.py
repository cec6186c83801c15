"""Every URL of every manifest leads to a canary, which sees no secret, token, credential or cookie of ours.

Whoever writes a manifest chooses its issuer and URLs. Where they are live as well, the service itself sends
the client secret to the live token_url at each login; the probe does the same, and sends nothing else.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

import pytest

from tests.idp.live import URLS, connect
from tests.idp.provider import METADATA, RSA_KEY, leads_back, redirect, scripted_provider
from tests.idp.token_answers import INVALID_CLIENT, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.idp.provider import Request, ScriptedProvider
    from tests.support.workplace import Workplace

COMMANDS: Final = {
    "plan": ("plan",),
    "drift": ("drift",),
    "verify": ("verify",),
    "probe": ("verify", "--probe-credentials"),
}
UNCHANGED: Final = ("applied", "plan")
"""A plan asks about what changes, and otherwise about connections that are enforced."""

RUNS: Final = [*product(("not applied", "applied"), COMMANDS)]
NUMBERS: Final = [10, pytest.param(100, marks=pytest.mark.proofs)]
TENANTS: Final = ("", "/", "/tenant", "/oauth2/default")
TOKENS: Final = {"GITHUB_TOKEN": "c4nary~token-of-ci", "VAULT_TOKEN": "c4nary~token-of-vault"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A generated connection: ``urls`` are declared, all of them at the canary."""

    slug: str
    secret: str
    issuer: str
    urls: dict[str, str]
    fields: dict[str, Any]


def customers(canary: str, number: int) -> list[Customer]:
    choose = Random(17)
    return [
        Customer(
            slug=f"customer{index}",
            secret=f"c4nary~{index}~{choose.getrandbits(64):x}",
            issuer=canary + choose.choice(TENANTS),
            urls={
                name: f"{canary}/{path}{choose.choice(['', '?x=1', '/y'])}"
                for name, path in URLS.items()
                if choose.random() < 0.5
            },
            fields={
                "client_id": f"declared-client-{index}",
                "identity_provider": choose.choice(["okta", "duo", "microsoft-entra", "keycloak", "generic"]),
                "discovery": choose.choice(["report", "enforce"]),
                "custom_scopes": choose.choice([["openid"], ["openid", "email", "groups"]]),
            },
        )
        for index in range(number)
    ]


def answer_as_a_provider(canary: ScriptedProvider) -> None:
    """Publish metadata below each issuer, set cookies, and redirect where that is followed."""
    for tenant in TENANTS:
        issuer = canary.issuer + tenant
        document = {"issuer": issuer, "scopes_supported": ["openid"]}
        document |= {
            name: f"{canary.issuer}{path}"
            for name, path in (
                ("authorization_endpoint", "/authorize"), ("token_endpoint", "/token"),
                ("userinfo_endpoint", "/userinfo"), ("jwks_uri", "/keys"),
            )
        }  # fmt: skip
        canary.answer(f"{tenant.rstrip('/')}{METADATA}", document, set_cookie="session=abc; Path=/")
    for end in ("", "/y"):
        canary.answer(f"/keys{end}", {"keys": [RSA_KEY]}, set_cookie="keys=abc; Path=/")
        canary.scripts[f"/authorize{end}"] = leads_back(error="login_required")
        canary.scripts[f"/token{end}"] = INVALID_CLIENT
    canary.scripts["/keys/y"] = redirect("/keys")


@pytest.fixture
def canary() -> Iterator[ScriptedProvider]:
    with scripted_provider() as canary:
        answer_as_a_provider(canary)
        yield canary


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("run", RUNS, ids=" ".join)
def test_a_canary_sees_nothing_of_ours(
    place: Workplace, provider: ScriptedProvider, canary: ScriptedProvider, run: tuple[str, str], number: int
) -> None:
    state, command = run
    generated = customers(canary.issuer, number)
    provider.scripts["/token"] = INVALID_CLIENT
    for name, token in TOKENS.items():
        place.setenv(name, token)
    for customer in generated:
        live_at(place, customer, provider.issuer if state == "not applied" else customer.issuer)
    output = place.run(*COMMANDS[command], "--format", "json").output
    assert "Traceback" not in output
    check_wire(canary, generated, sends_live_secrets=run == ("applied", "probe"))
    asked = canary if state == "applied" or command == "plan" else provider
    assert asked.requests or run == UNCHANGED
    assert any(request.method == "POST" for request in asked.requests) is (command == "probe")


def live_at(place: Workplace, customer: Customer, issuer: str) -> None:
    """Declare a connection; it is live at an issuer: as it is declared, or as it was at another provider."""
    place.emulator.add_organization(customer.slug)
    place.setenv(f"{customer.slug.upper()}_CLIENT_SECRET", customer.secret)
    urls = {name: f"{issuer.rstrip('/')}/{path}" for name, path in URLS.items()}
    declared = {**customer.urls, **customer.fields}
    if issuer == customer.issuer:
        live = {**urls, **customer.urls, "client_secret": customer.secret}
        connect(place, customer.slug, issuer, live=live, **declared)
    else:
        live = {**urls, "client_id": "live-client", "client_secret": customer.secret}
        connect(place, customer.slug, issuer, live=live)
    place.declare(customer.slug, issuer=customer.issuer, **declared)


def check_wire(canary: ScriptedProvider, generated: Sequence[Customer], *, sends_live_secrets: bool) -> None:
    ours = [os.environ["STYTCH_SECRET"], *TOKENS.values(), *(customer.secret for customer in generated)]
    encoded = [base64.b64encode(text.encode()).decode() for text in ours]
    secrets = {customer.fields["client_id"]: customer.secret for customer in generated}
    for request in canary.requests:
        if sends_live_secrets and request.method == "POST":
            _, client_id, secret = credentials(request)
            assert "/token" in request.path
            assert secret == secrets[client_id] or secret not in ours  # the control is random
            continue
        assert request.method == "GET"
        text = unquote_plus(request.head)
        assert "c4nary" not in text
        assert not [secret for secret in (*ours, *encoded) if secret in request.head or secret in text]
        assert not {"authorization", "proxy-authorization", "cookie"} & header_names(request)


def header_names(request: Request) -> set[str]:
    return {line.partition(":")[0].lower() for line in request.head.split("\r\n")[1:] if line}
