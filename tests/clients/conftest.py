"""A running emulator, and the clients installed on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests import chromium
from tests.clients import browser, node
from tests.clients.python import python_client
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from reconciler.emulator import RunningEmulator
    from tests.clients.calling import Client, Session

ISSUER = "https://idp.example.com"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "userinfo_endpoint": f"{ISSUER}/u",
    "jwks_uri": f"{ISSUER}/j",
}


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    """Two organizations; acme has a SAML and an External connection."""
    with running_emulator(EmulatorSettings()) as server:
        server.emulator.add_organization("acme", organization_external_id="customer-1")
        server.emulator.add_connection("acme", "saml", display_name="Legacy")
        server.emulator.add_connection("acme", "external", display_name="Shared")
        server.emulator.add_organization("globex")
        server.emulator.set_discovery(ISSUER, METADATA)
        yield server


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests, because it starts slowly."""
    if not chromium.is_installed():
        skip_or_fail(chromium.INSTALL_HINT)
    profile: Path = tmp_path_factory.mktemp("profile")
    with chromium.chromium(profile) as driver:
        yield driver


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    if not browser.is_installed():
        skip_or_fail(browser.INSTALL_HINT)
    with browser.page_server() as address:
        yield address


@pytest.fixture(params=["python", "python-async", "node", "browser"])
def open_client(
    request: pytest.FixtureRequest, running: RunningEmulator
) -> Iterator[Callable[[Session | None], Client]]:
    """Opens one of the clients with a member's session; with None, with project keys if it supports them."""
    with ExitStack() as stack:

        def open_(session: Session | None) -> Client:
            match request.param:
                case "node" if not node.is_installed():
                    skip_or_fail(node.INSTALL_HINT)
                case "node":
                    client = node.node_client(running, session)
                case "browser":
                    page, chrome = request.getfixturevalue("page"), request.getfixturevalue("chrome")
                    client = browser.browser_client(chrome, page, running, session)
                case kind:
                    client = python_client(running, session, asynchronous=kind == "python-async")
            return stack.enter_context(client)

        yield open_


@pytest.fixture
def client(open_client: Callable[[Session | None], Client]) -> Client:
    return open_client(None)
