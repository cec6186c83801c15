"""``verify --login``: lets a person log in with a browser, after asking."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import webbrowser
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reconciler.cli import wiring
from reconciler.cli.failure import Declined
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import ADDRESS
from reconciler.core.errors import UsageError
from reconciler.providers.stytch.backend import Backend
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget, public_token_of
from reconciler.providers.stytch.logins import start_url
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.wording import describe_target
from reconciler.workflow.login import LoginRequest, log_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext
    from reconciler.core.plan import Scope
    from reconciler.core.verification import Verification
    from reconciler.providers.stytch.credentials import Target
    from reconciler.workflow.verify import VerifyRequest

Decorated = TypeVar("Decorated", bound="Callable[..., object]")

DEFAULT_PORT: Final = 8976
DEFAULT_SECONDS: Final = 300
_VERIFIER_BYTES: Final = 48
_QUESTION: Final = """
Do you want to log in through {address}
  in {target}?
  This writes: it creates a session, which is revoked at once, and it may
  create a member.
  {redirect_url} must be registered in the project as a redirect
  URL, for login and sign-up.
  Only 'yes' will be accepted.

  Enter a value: """
_OPEN: Final = """
Log in with a browser on this machine. If it does not open, open this address:

  {url}

It leads to {start_url}

Waiting for the login; Ctrl-C stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOptions:
    """Through which connection to log in, and how to wait for the browser."""

    address: str
    port: int
    seconds: float
    opens_browser: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> LoginOptions | None:
        """Return the parsed values of `login_options`, or None without ``--login``."""
        if options["login"] is None:
            return None
        return cls(
            address=options["login"],
            port=options["login_port"],
            seconds=options["login_timeout"],
            opens_browser=not options["no_browser"],
        )


def login_options(command: Decorated) -> Decorated:
    """Add the options of a login to a command."""
    options = (
        click.option("--login", metavar="ADDRESS", type=ADDRESS,
                     help="Log in through this connection with a browser, and show which claims arrive; on a "
                          "terminal only. This writes: it creates a session, and may create a member."),
        click.option("--login-port", metavar="PORT", type=click.IntRange(1, 65_535), default=DEFAULT_PORT,
                     show_default=True,
                     help="The port on 127.0.0.1 at which --login waits for the browser. Register "
                          "http://127.0.0.1:PORT/callback as a redirect URL of the project, for login and "
                          "sign-up; it is not known whether live projects accept such an address."),
        click.option("--login-timeout", metavar="SECONDS", type=click.IntRange(1, 3600),
                     default=DEFAULT_SECONDS, show_default=True, help="How long --login waits."),
        click.option("--no-browser", is_flag=True,
                     help="--login shows the address without opening a browser."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def check_login(context: CommandContext, *, has_others: bool) -> None:
    """Make sure that a person is here, and asks for nothing else.

    Raises:
        UsageError: standard input or output is no terminal, or this is a job of a CI system.
    """
    if has_others:
        raise click.UsageError(
            "--login cannot be combined with --target, --probe-credentials or --probe-declared"
        )
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        raise click.UsageError("--login is for a person, not for CI: the variable CI is set")
    if not context.console.is_interactive or not sys.stdout.isatty():
        raise click.UsageError("--login is for a person, and asks first: use it on a terminal")


def run_login(
    options: LoginOptions, request: VerifyRequest, target: Target, context: CommandContext
) -> Verification:
    """Log a person in, and return what arrived.

    Raises:
        UsageError: the target is a member's session, or there is no public token.
    """
    if not isinstance(target, ProjectTarget):
        raise UsageError(
            "--login needs the credentials of the project: set STYTCH_PROJECT_ID and STYTCH_SECRET instead of"
            " STYTCH_SESSION_TOKEN"
        )
    token = public_token_of(target, os.environ)
    login = LoginRequest(
        project=request.project,
        loaded=request.loaded,
        approvals=request.approvals,
        address=options.address,
        start_url=partial(start_url, target.address, token),
        make_token=partial(secrets.token_urlsafe, _VERIFIER_BYTES),
        port=options.port,
        seconds=options.seconds,
    )
    return asyncio.run(_log_in(login, target, context, opens_browser=options.opens_browser))


async def _log_in(
    request: LoginRequest, target: ProjectTarget, context: CommandContext, *, opens_browser: bool
) -> Verification:
    log = log_api_calls(context.console)
    scope = wiring.scope_of(target)
    dialog = _Dialog(console=context.console, scope=scope, opens_browser=opens_browser)
    async with connect(target, request.project.limits, clock=context.clock, api_log=log) as provider:
        assert isinstance(provider, Backend)
        return await log_in(request, provider, dialog, scope=scope, created_at=wiring.now().isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialog:
    console: Console
    scope: Scope
    opens_browser: bool

    def confirm(self, address: str, redirect_url: str) -> None:
        question = _QUESTION.format(
            address=escape_terminal(address),
            target=describe_target(self.scope, escape_terminal),
            redirect_url=redirect_url,
        )
        if self.console.ask(question) != "yes":
            raise Declined("Cancelled.")

    def open(self, url: str, start_url: str) -> None:
        self.console.error(_OPEN.format(url=url, start_url=escape_terminal(start_url)))
        if self.opens_browser and _has_screen():
            Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # some wait for the browser

    def notice(self, text: str) -> None:
        self.console.error(text)


def _has_screen() -> bool:
    """Return whether a browser opens beside the terminal; one in the terminal would take it over."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("BROWSER") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
