"""An emulator to call, and the clients that this machine can run."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests import chromium
from tests.clients import browser, node
from tests.clients.python import python_client

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
    """Two organizations, of which acme has a connection of each other kind."""
    with running_emulator(EmulatorSettings()) as server:
        server.emulator.add_organization("acme", organization_external_id="customer-1")
        server.emulator.add_connection("acme", "saml", display_name="Legacy")
        server.emulator.add_connection("acme", "external", display_name="Shared")
        server.emulator.add_organization("globex")
        server.emulator.can_discovery(ISSUER, METADATA)
        yield server


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests: starting it is what takes time."""
    if not chromium.is_there():
        left_out(chromium.HOW_TO_GET_IT)
    profile: Path = tmp_path_factory.mktemp("profile")
    with chromium.chromium(profile) as found:
        yield found


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    if not browser.is_there():
        left_out(browser.HOW_TO_GET_IT)
    with browser.page_server() as address:
        yield address


@pytest.fixture(params=["python", "python-async", "node", "browser"])
def open_client(
    request: pytest.FixtureRequest, running: RunningEmulator
) -> Iterator[Callable[[Session | None], Client]]:
    """Opens one of the clients: with a member's session, or with the project's keys alone if it can."""
    with ExitStack() as stack:

        def open_(session: Session | None) -> Client:
            match request.param:
                case "node" if not node.is_there():
                    left_out(node.HOW_TO_GET_IT)
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


def left_out(how_to_get_it: str) -> NoReturn:
    """Leave a test out, visibly; where nothing may be left out, as in the gate, fail."""
    if os.environ.get("LEAVE_NOTHING_OUT"):
        pytest.fail(how_to_get_it)
    pytest.skip(how_to_get_it)
