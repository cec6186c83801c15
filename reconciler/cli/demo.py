"""``reconciler demo``: run the real commands on the emulator, from the first plan to a login."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import httpx

from reconciler.cli.context import ExitCode
from reconciler.cli.init import schema_files
from reconciler.cli.options import FILE
from reconciler.core.errors import shell_word
from reconciler.emulator import EmulatorSettings, MissingExtraError, running_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator

_SECRETS: Final = (
    "ACME_OKTA_CLIENT_SECRET",
    "ACME_CONTRACTORS_CLIENT_SECRET",
    "GLOBEX_ENTRA_CLIENT_SECRET",
    "INITECH_CLIENT_SECRET",
)


_IDP: Final = re.compile(r"(initech_idp: ).*")
_SCHEMAS: Final = "$schema=../../"
"""How the files of the example lead to the schemas of this repository; in a copy, they are next to it."""

_DEFAULT_ADDRESS: Final = "http://127.0.0.1:8080"


@click.command("demo")
@click.option("--keep", type=FILE, metavar="DIR", help="Keep the example project in this new folder.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def command(keep: str | None, color: str) -> int:
    """Try plan, apply and drift on the emulator, with an example project.

    Starts the emulator on loopback, copies the example project, and runs the real commands on it: pin,
    plan, apply; then it edits a connection outside of Git, lets drift report and apply revert the edit, and
    logs a user in through a connection.

    Needs the extra: pip install 'oidc-reconciler[emulator]'
    """
    with _project(keep) as project:
        with _emulator(project) as running:
            _run(_Demo(project=project, environment=_environment(running), color=color), running)
        if keep is not None:
            _set_idp(project, _DEFAULT_ADDRESS)
            (project / "plan.json").unlink()
        click.echo(_next_steps(keep), nl=False)
    return ExitCode.SUCCESS


def _run(demo: _Demo, running: RunningEmulator) -> None:
    demo.heading("Three customers with four connections are declared in YAML; pin them to their ids")
    demo.run("pin")
    demo.heading("Plan what is missing: nothing is written")
    demo.run("plan --out plan.json")
    demo.heading("Apply exactly that plan, as CI does after a merge to main")
    demo.run("apply plan.json")
    demo.remark(
        "The warning is staged: globex's identity provider publishes no metadata here. Its manifest declares"
        " all URLs, so people can log in all the same."
    )
    demo.heading("Nothing is left to do")
    demo.run("plan")
    demo.heading("Someone edits a connection in the dashboard")
    url = _edit_connection(running)
    demo.remark(f"globex: token_url is set to {url}")
    demo.run("drift", expected=ExitCode.CHANGES)
    demo.heading("Apply reverts the edit, and changes nothing else")
    demo.run("apply --auto-approve --target 'globex/*'")
    demo.run("drift")
    demo.heading("Log in through initech's connection, as a browser does")
    demo.remark(_log_in(running, demo.environment["INITECH_CLIENT_SECRET"]))


def _log_in(running: RunningEmulator, client_secret: str) -> str:
    """Start a login, sign in at the emulator's identity provider, and exchange what comes back."""
    keys, (connection,) = running.emulator.settings.project, running.emulator.oidc_connections("initech")
    running.emulator.add_identity_provider(
        "initech",
        clients={connection["client_id"]: client_secret},
        redirect_uris=[connection["redirect_url"]],
    )
    start = {
        "connection_id": connection["connection_id"],
        "public_token": keys.public_token,
        "login_redirect_url": f"{running.base_url}/application",
    }
    with httpx.Client(base_url=running.base_url, trust_env=False) as browser:
        page = _next_address(browser.get("/v1/public/sso/start", params=start))
        callback = _next_address(browser.post(page, data={"username": "alice", "password": "any"}))
        token = _next_address(browser.get(callback)).params["token"]
        application = (keys.project_id, keys.secret)
        answer = browser.post("/v1/b2b/sso/authenticate", auth=application, json={"sso_token": token}).json()
    member, organization = answer["member"], answer["organization"]
    return (
        f"alice signed in at {page.copy_with(query=None)} and came back with an SSO token:"
        f" {member['email_address']} has a session in {organization['organization_slug']}."
    )


def _next_address(response: httpx.Response) -> httpx.URL:
    """Where a step of the login leads."""
    location = response.headers.get("location")
    if location is None:
        raise click.ClickException(f"the login ended at {response.url.path}: {response.text}")
    return httpx.URL(location)


def _next_steps(keep: str | None) -> str:
    own = "   reconciler init sso                      # a project of your own\n"
    if keep is None:
        return (
            "\nNext:\n\n   reconciler demo --keep DIR               # keep the example project to play with\n"
            + own
        )
    variables = " ".join(f"{name}=any" for name in _SECRETS)
    return f"""
Next, to play with the example project: start the emulator again, and export the credentials that it prints.

   cd {shell_word(keep)}
   reconciler emulator --seed emulator.yaml # in a second terminal
   export {variables}
   reconciler plan
{own}"""


def _edit_connection(running: RunningEmulator) -> str:
    emulator = running.emulator
    connection = next(
        connection
        for connection in emulator.oidc_connections("globex")
        if connection["display_name"] == "Globex Entra ID"
    )
    url = "https://login.microsoftonline.com/8f4e2a6c-3b1d-4c5e-9f70-1a2b3c4d5e6f/oauth2/token"
    emulator.edit_connection(connection["connection_id"], token_url=url)
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demo:
    """Runs commands in the example project and shows them."""

    project: Path
    environment: dict[str, str]
    color: str

    def heading(self, text: str) -> None:
        click.echo()
        click.secho(f"── {text} ──", bold=True)

    def remark(self, text: str) -> None:
        click.echo()
        click.secho(text, dim=True)

    def run(self, arguments: str, expected: ExitCode = ExitCode.SUCCESS) -> None:
        """Run one command in a process of its own; stop if it does not exit as expected."""
        click.echo()
        click.secho(f"$ reconciler {arguments}", bold=True)
        sys.stdout.flush()
        process = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [sys.executable, "-m", "reconciler", *shlex.split(arguments), "--color", self._color()],
            cwd=self.project,
            env=self.environment,
            check=False,
        )
        if process.returncode != expected:
            raise click.ClickException(
                f"`reconciler {arguments}` exited with {process.returncode}, not {expected}"
            )

    def _color(self) -> str:
        if self.color != "auto":
            return self.color
        return "always" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else "never"


@contextmanager
def _project(keep: str | None) -> Iterator[Path]:
    if keep is not None:
        _copy_example(Path(keep))
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        target = Path(folder) / "quickstart"
        _copy_example(target)
        yield target


def _copy_example(target: Path) -> None:
    """Copy the example, with its schemas: the first line of each file names one."""
    try:
        shutil.copytree(_example(), target)
        (target / "schemas").mkdir()
        for name, text in schema_files().items():
            (target / name).write_text(text, encoding="utf-8")
        for path in target.rglob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(_SCHEMAS, "$schema="), encoding="utf-8")
    except FileExistsError as error:
        raise click.ClickException(f"{target} exists already; nothing is overwritten") from error
    except OSError as error:
        raise click.ClickException(f"cannot create {target}: {error.strerror or 'not writable'}") from error


def _example() -> Path:
    """Return the example project: inside the installed package, or next to it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "quickstart"
    return installed if installed.is_dir() else package.parent / "examples" / "quickstart"


@contextmanager
def _emulator(project: Path) -> Iterator[RunningEmulator]:
    try:
        settings = EmulatorSettings(seed=project / "emulator.yaml", local_redirects=True)
        with running_emulator(settings) as running:
            _set_idp(project, running.base_url)
            yield running
    except MissingExtraError as error:
        raise click.ClickException(str(error)) from error


def _set_idp(project: Path, emulator: str) -> None:
    """Use the emulator's identity provider for the connection whose URLs are discovered."""
    file = project / "reconciler.yaml"
    text = _IDP.sub(rf"\g<1>{emulator}/idp/initech", file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")


def _environment(running: RunningEmulator) -> dict[str, str]:
    credentials = running.emulator.settings.project
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("STYTCH_")},
        **{name: secrets.token_urlsafe(24) for name in _SECRETS},
        "STYTCH_BASE_URL": running.base_url,
        "STYTCH_PROJECT_ID": credentials.project_id,
        "STYTCH_SECRET": credentials.secret,
    }
