"""Runs `verify --login` on a terminal, and plays the browser of the person."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN, EmulatorSettings, running_emulator
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.support.terminal import Terminal
    from tests.support.workplace import Workplace

ADDRESS = "acme/sso"
SECRET = "s3cret/with+signs"
PASSWORD = "wonderland"
ALICE = {"password": PASSWORD, "name": "Alice Liddell", "groups": ["staff"]}
SIGN_IN = {"username": "alice", "password": PASSWORD}
WAITING = "Ctrl-C stops."
MANIFEST = """
organization: acme
connections:
  sso:
    issuer: {issuer}
    client_id: client-1
    client_secret: ${{env:IDP_CLIENT_SECRET}}
"""


@contextmanager
def login_place(place: Workplace, **organization: Any) -> Iterator[Workplace]:
    """Connect a project to an emulator in which acme has a connection at the built-in provider."""
    with running_emulator(EmulatorSettings(local_redirects=True, log_secrets=True)) as running:
        emulator, issuer = running.emulator, f"{running.base_url}/idp/acme"
        emulator.add_organization("acme", **organization)
        prepare(place, running)
        place.write("organizations/acme.yaml", MANIFEST.format(issuer=issuer))
        connection = emulator.add_connection(
            "acme",
            display_name="sso",
            issuer=issuer,
            client_id="client-1",
            client_secret=SECRET,
            **{f"{name}_url": f"{issuer}/{name}" for name in ("token", "userinfo", "jwks")},
            authorization_url=f"{issuer}/authorize",
        )
        registered = [connection["redirect_url"]]
        emulator.add_identity_provider(
            "acme", clients={"client-1": SECRET}, redirect_uris=registered, users={"alice": ALICE}
        )
        yield place


def prepare(place: Workplace, running: RunningEmulator) -> None:
    """Use the emulator, as a person does who may log in."""
    place.use(running)
    place.setenv("STYTCH_PUBLIC_TOKEN", DEFAULT_PUBLIC_TOKEN)
    place.setenv("CI", "")


@dataclass
class Login:
    """A run that waits for the browser; ``secrets`` are the values that nothing may show."""

    session: Terminal
    port: int
    client: httpx.Client
    secrets: list[str] = field(default_factory=list)

    @property
    def first_url(self) -> str:
        """Return the address to open, as the terminal shows it."""
        match = re.search(rf"http://127\.0\.0\.1:{self.port}/start/\S+", self.session.screen)
        assert match
        return match[0]

    def page(self, path: str) -> str:
        """Return the address of another page of the receiver."""
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def start_url(self) -> str:
        """Return where the login starts, as the terminal shows it."""
        match = re.search(r"It leads to (\S+)", self.session.screen)
        assert match
        return match[1]

    def to_receiver(self) -> str:
        """Log in as a person does; return the URL that brings the browser back to the command."""
        page = self.client.get(self.first_url)
        assert "Sign in to acme" in page.text, page.text
        response = self.client.post(str(page.url), data=SIGN_IN, follow_redirects=False)
        while urlsplit(response.headers["location"]).port != self.port:
            self.secrets += parse_qs(urlsplit(response.headers["location"]).query).get("code", [])
            response = self.client.get(response.headers["location"], follow_redirects=False)
        back = str(response.headers["location"])
        self.secrets += parse_qs(urlsplit(back).query).get("token", [])
        return back

    def log_in(self) -> httpx.Response:
        """Log in, and return the last page."""
        return self.client.get(self.to_receiver())

    def end(self) -> tuple[int, str]:
        """Return exit code and text; nothing of the secrets is in it."""
        code, _ = self.session.end()
        for secret in (SECRET, PASSWORD, *self.secrets):
            assert secret not in self.session.screen
        return code, self.session.text


@contextmanager
def logging_in(place: Workplace, *words: str, address: str = ADDRESS, answer: str = "yes") -> Iterator[Login]:
    """Run the command until it waits for the browser, if the question is answered with yes."""
    port = free_port()
    command = ("verify", "--login", address, "--no-browser", "--login-port", str(port), *words)
    with terminal(place, *command, columns=200, result_on_screen=True) as session, browser() as client:
        session.wait_for("Enter a value:")
        session.type(f"{answer}\n")
        if answer == "yes":
            session.wait_for(WAITING)
        yield Login(session, port, client)


def browser() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
