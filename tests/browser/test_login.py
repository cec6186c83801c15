"""A person logs in with a browser, through a connection that the commands have just applied."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from selenium.webdriver.common.by import By

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN, EmulatorSettings, running_emulator
from tests.support.fixtures import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare"]

SIGN_IN = {"username": "alice", "password": "wonderland"}
MANIFEST = """
organization: acme
connections:
  sso:
    display_name: Acme
    issuer: {issuer}
    client_id: client-1
    client_secret: ${{env:IDP_CLIENT_SECRET}}
"""


@pytest.fixture
def running(bare: Workplace) -> Iterator[RunningEmulator]:
    """An emulator that the project of `bare` is applied to."""
    with running_emulator(EmulatorSettings(local_redirects=True)) as running:
        running.emulator.add_organization("acme")
        users = {"alice": {"password": SIGN_IN["password"]}}
        running.emulator.add_identity_provider("acme", clients={"client-1": "right"}, users=users)
        bare.use(running)
        bare.write("organizations/acme.yaml", MANIFEST.format(issuer=f"{running.base_url}/idp/acme"))
        yield running


def log_in(chromium: Chrome, running: RunningEmulator) -> None:
    """Start a login, and sign in at the provider as a person does."""
    (connection,) = running.emulator.oidc_connections("acme")
    query = {
        "connection_id": connection["connection_id"],
        "public_token": DEFAULT_PUBLIC_TOKEN,
        "login_redirect_url": f"{running.base_url}/application",
    }
    chromium.get(f"{running.base_url}/v1/public/sso/start?{urlencode(query)}")
    assert chromium.find_element(By.TAG_NAME, "h1").text == "Sign in to acme"
    for name, text in SIGN_IN.items():
        chromium.find_element(By.NAME, name).send_keys(text)
    chromium.find_element(By.TAG_NAME, "button").click()


@pytest.mark.parametrize("sent", ["right", "wrong"])
def test_a_login_through_an_applied_connection(
    chromium: Chrome, bare: Workplace, running: RunningEmulator, sent: str
) -> None:
    bare.setenv("IDP_CLIENT_SECRET", sent)
    run = bare.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    log_in(chromium, running)
    address = urlsplit(chromium.current_url)
    if sent == "wrong":
        assert address.path.startswith("/v1/b2b/sso/callback/")
        assert "the token_url answered 401: invalid_client." in chromium.find_element(By.TAG_NAME, "p").text
        return
    assert address.path == "/application"
    project = running.emulator.settings.project
    response = httpx.post(
        f"{running.base_url}/v1/b2b/sso/authenticate",
        auth=(project.project_id, project.secret),
        json={"sso_token": parse_qs(address.query)["token"][0]},
    )
    assert response.json()["member"]["email_address"] == "alice@example.com"
