"""A person logs in with `verify --login` at a provider that others wrote; `verify` knows which logins fail.

A connection that is pending gets its redirect URL before its provider has the client, as in the field: so its
manifest is applied to the connection that exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.browser.logins import log_in
from tests.idp.logging_in import logging_in, prepare
from tests.idp.provider import write_authority
from tests.oidc_provider import oidc_providers
from tests.support.fixtures import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from selenium.webdriver import Chrome

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare"]

SIGN_IN = {"login": "alice", "password": "wonderland"}
SECRET = "the-secret-of-the-client"
EXPIRED = 1_600_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """A connection: what is wrong with it, what `verify` says before, and how the login ends.

    ``client`` is laid over what the provider knows, ``declared`` over the manifest, ``live`` over what the
    service has afterwards; ``ISSUER`` in a value stands for the provider's. ``ending`` is what the terminal
    says or, if the browser does not come back, the provider's page.
    """

    codes: tuple[str, ...] = ()
    client: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)
    ending: str
    exit_code: int = 1
    comes_back: bool = True


ROWS = {
    "right": Row(ending="alice@example.com logged in to acme", exit_code=0),
    "slash": Row(
        codes=("issuer-mismatch",), declared={"issuer": "ISSUER/"}, ending="`login_failed`: `iss is https://"
    ),
    "secret": Row(
        codes=("secret-wrong",),
        client={"client_secret": "another-secret-of-the-client"},
        ending="`login_failed`: `the token_url answered 401: invalid_client`",
    ),
    "expired": Row(
        codes=("secret-expired",),
        client={"client_secret_expires_at": EXPIRED},
        ending="`login_failed`: `the token_url answered 400: invalid_client`",
    ),
    "redirect": Row(
        codes=("redirect-not-registered",),
        client={"redirect_uris": ["https://app.example.com/callback"]},
        ending="invalid_redirect_uri",
        exit_code=130,
        comes_back=False,
    ),
    "userinfo": Row(
        codes=("endpoint-differs",),
        live={"userinfo_url": "ISSUER/nobody"},
        ending="`login_failed`: `the userinfo_url answered 404`",
    ),
    "keys": Row(
        codes=("keys-unreachable", "endpoint-differs"),
        live={"jwks_url": "ISSUER/no-keys"},
        ending="`login_failed`: `the jwks_url answered 404`",
    ),
}
SCOPE = {"custom_scopes": "openid email groups", "attribute_mapping": "{groups: groups}"}
FULL_TABLE = [
    pytest.param(name, marks=() if name in {"right", "secret"} else pytest.mark.proofs) for name in ROWS
]


@dataclass(frozen=True)
class Site:
    running: RunningEmulator
    issuer: str
    connections: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A provider with a client for each row, and a service in which its connections wait for their values."""
    folder = tmp_path_factory.mktemp("service")
    settings = EmulatorSettings(local_redirects=True, ca_file=folder / write_authority(folder))
    with running_emulator(settings) as running:
        running.emulator.add_organization("acme")
        running.emulator.set_switch("failed-login", "redirect")
        connections = {
            name: running.emulator.add_connection("acme", display_name=name) for name in (*ROWS, "scope")
        }
        clients = [client(name, connections[name]["redirect_url"]) for name in (*ROWS, "scope")]
        provider = {
            "clients": clients,
            "claims": {"email": "alice@example.com"},
            "configuration": {"claims": {"email": ["email"]}},
        }
        with oidc_providers([provider]) as issuers:
            yield Site(running, issuers[0], connections)


def client(name: str, redirect_url: str) -> dict[str, Any]:
    return {
        "client_id": f"client-{name}",
        "client_secret": SECRET,
        "redirect_uris": [redirect_url],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        **(ROWS[name].client if name in ROWS else {}),
    }


@pytest.fixture
def place(bare: Workplace, site: Site) -> Workplace:
    prepare(bare, site.running)
    bare.write("reconciler.yaml", f"idp: {{ca_file: {write_authority(bare.root)}}}\n")
    bare.setenv("IDP_CLIENT_SECRET", SECRET)
    return bare


def declare(place: Workplace, site: Site, name: str) -> None:
    """Declare the row's connection, apply it, and edit it in the service as the row says."""
    row = ROWS.get(name, Row(declared=SCOPE, ending=""))
    values = {"issuer": "ISSUER", "client_id": f"client-{name}", **row.declared}
    lines = [
        "organization: acme",
        "connections:",
        f"  {name}:",
        "    client_secret: ${env:IDP_CLIENT_SECRET}",
    ]
    lines += [f"    {key}: {value.replace('ISSUER', site.issuer)}" for key, value in values.items()]
    place.write("organizations/acme.yaml", "\n".join(lines) + "\n")
    run = place.run("apply", "--auto-approve", "--accept-risk", f"private-host:acme/{name}")
    assert run.code == 0, run.output
    edits = {key: value.replace("ISSUER", site.issuer) for key, value in row.live.items()}
    place.emulator.edit_connection(site.connections[name]["connection_id"], **edits)


@pytest.mark.parametrize("name", FULL_TABLE)
def test_a_login_and_what_verify_said_before(
    chromium: Chrome, place: Workplace, site: Site, name: str
) -> None:
    row = ROWS[name]
    declare(place, site, name)
    before = place.run("verify", "--probe-credentials", "--format", "json")
    findings = before.document["findings"]
    assert [item["code"] for item in findings if item["severity"] != "info"] == [*row.codes]
    assert before.code == int("error" in {item["severity"] for item in findings})
    with logging_in(place, address=f"acme/{name}") as login:
        page = log_in(chromium, login.first_url, SIGN_IN)
        if not row.comes_back:
            assert (urlsplit(chromium.current_url).netloc, row.ending in page) == (
                urlsplit(site.issuer).netloc,
                True,
            )
            login.session.type("\x03")
        else:
            assert chromium.current_url == login.page("done")
        code, text = login.end()
    assert code == row.exit_code
    assert not row.comes_back or row.ending in " ".join(text.split())
    assert SECRET not in login.session.screen


@pytest.mark.proofs
def test_a_scope_that_the_provider_does_not_know(chromium: Chrome, place: Workplace, site: Site) -> None:
    """`verify` has it as information; the login works, and the claim is missing."""
    declare(place, site, "scope")
    before = place.run("verify", "--probe-credentials", "--format", "json")
    notes = {item["code"] for item in before.document["findings"]}
    assert (before.code, notes) == (0, {"scope-not-advertised", "claim-not-advertised"})
    with logging_in(place, address="acme/scope") as login:
        log_in(chromium, login.first_url, SIGN_IN)
        code, text = login.end()
    assert code == 0
    assert "alice@example.com logged in to acme" in text
    assert "acme/scope: the claim `groups`, mapped to `groups`, did not arrive [claim-missing]" in text
