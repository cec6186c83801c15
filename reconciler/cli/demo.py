"""``reconciler demo``: run the real commands on the emulator, from the first plan to a reverted edit."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString
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


@click.command("demo")
@click.option(
    "--keep", type=NonEmptyString(), metavar="DIR", help="Keep the example project in this new folder."
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def command(keep: str | None, color: str) -> int:
    """Try plan, apply and drift repair on the emulator.

    Starts the emulator on loopback, copies the example project, and runs the real commands on it:
    validate, plan, apply, and plan again; then it edits a connection outside of Git, plans, and
    applies. Needs the extra: pip install 'oidc-reconciler[emulator]'
    """
    with _project(keep) as project, _emulator(project) as running:
        _run(_Demo(project=project, environment=_environment(running), color=color), running)
    return ExitCode.SUCCESS


def _run(demo: _Demo, running: RunningEmulator) -> None:
    demo.heading("Three organizations with four connections, declared in YAML")
    demo.run("validate")
    demo.run("plan")
    demo.heading("Apply the manifests, as CI does after a merge to main")
    demo.run("apply --auto-approve")
    demo.heading("Apply is idempotent: nothing is left to do")
    demo.run("plan --detailed-exitcode")
    demo.heading("Someone edits a connection in the dashboard")
    _edit_connection(running)
    demo.run("plan --detailed-exitcode", expected=ExitCode.CHANGES)
    demo.heading("Apply reverts the edit and changes nothing else")
    demo.run("apply --auto-approve")
    demo.run("plan --detailed-exitcode")


def _edit_connection(running: RunningEmulator) -> None:
    emulator = running.emulator
    connection = next(
        connection
        for connection in emulator.oidc_connections("globex")
        if connection["display_name"] == "Globex Entra ID"
    )
    url = "https://login.microsoftonline.com/8f4e2a6c-3b1d-4c5e-9f70-1a2b3c4d5e6f/oauth2/token"
    emulator.edit_connection(connection["connection_id"], token_url=url)
    click.secho(f"(globex: token_url is set to {url})", dim=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demo:
    """Runs commands in the example project and shows them."""

    project: Path
    environment: dict[str, str]
    color: str

    def heading(self, text: str) -> None:
        click.echo()
        click.secho(f"── {text} ──", bold=True)

    def run(self, arguments: str, expected: ExitCode = ExitCode.SUCCESS) -> None:
        """Run one command in a process of its own; stop if it does not exit as expected."""
        click.echo()
        click.secho(f"$ reconciler {arguments}", bold=True)
        sys.stdout.flush()
        process = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [sys.executable, "-m", "reconciler", *arguments.split(), "--color", self._color()],
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
        shutil.copytree(_example(), target)
        yield target


def _copy_example(target: Path) -> None:
    try:
        shutil.copytree(_example(), target)
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
        with running_emulator(EmulatorSettings(seed=project / "emulator.yaml")) as running:
            _point_at(running, project / "reconciler.yaml")
            yield running
    except MissingExtraError as error:
        raise click.ClickException(str(error)) from error


def _point_at(running: RunningEmulator, project_file: Path) -> None:
    """Use the emulator's identity provider for the connection whose URLs are discovered."""
    text = project_file.read_text(encoding="utf-8")
    address = f"{running.base_url}/idp/initech"
    project_file.write_text(text.replace("https://sso.initech.example", address), encoding="utf-8")


def _environment(running: RunningEmulator) -> dict[str, str]:
    credentials = running.emulator.settings.project
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("STYTCH_")},
        **{name: secrets.token_urlsafe(24) for name in _SECRETS},
        "STYTCH_BASE_URL": running.base_url,
        "STYTCH_PROJECT_ID": credentials.project_id,
        "STYTCH_SECRET": credentials.secret,
    }
