"""``reconciler demo``: the whole story on the emulator, told by the real commands."""

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
    "--keep", type=NonEmptyString(), metavar="DIR", help="Copy the example project there and leave it."
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def command(keep: str | None, color: str) -> int:
    """See the whole story on the emulator, in one go.

    Starts the emulator on loopback, copies the example project, and runs the real commands on it:
    validate, plan, apply, and plan again; then a connection is edited behind Git's back, the next
    plan shows it, and apply heals it. Needs the extra: pip install 'oidc-reconciler[emulator]'
    """
    with _project(keep) as project, _emulator(project) as running:
        story = _Story(project, _environment(running), color)
        return _tell(story, running)


def _tell(story: _Story, running: RunningEmulator) -> ExitCode:
    story.heading("Three organizations, four connections, declared in YAML")
    story.run("validate")
    story.run("plan")
    story.heading("Apply it, as a merge to main would")
    story.run("apply --auto-approve")
    story.heading("Apply is idempotent: there is nothing left to do")
    story.run("plan --detailed-exitcode")
    story.heading("Now somebody edits a connection in the dashboard, behind Git's back")
    _edit(running)
    story.run("plan --detailed-exitcode", expected=ExitCode.CHANGES)
    story.heading("Apply heals it, and touches nothing else")
    story.run("apply --auto-approve")
    story.run("plan --detailed-exitcode")
    return ExitCode.SUCCESS


def _edit(running: RunningEmulator) -> None:
    emulator = running.emulator
    victim = next(
        one for one in emulator.oidc_connections("globex") if one["display_name"] == "Globex Entra ID"
    )
    url = "https://login.globex-sso.example/token"
    emulator.edit_connection(victim["connection_id"], token_url=url)
    click.secho(f"(globex: token_url is set to {url})", dim=True)


@dataclass(frozen=True, slots=True)
class _Story:
    project: Path
    environment: dict[str, str]
    color: str

    def heading(self, text: str) -> None:
        click.echo()
        click.secho(f"── {text} ──", bold=True)

    def run(self, words: str, expected: ExitCode = ExitCode.SUCCESS) -> None:
        """Run one command as a user would, and stop the story if it ends otherwise than told."""
        click.echo()
        click.secho(f"$ reconciler {words}", bold=True)
        sys.stdout.flush()
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            [sys.executable, "-m", "reconciler", *words.split(), "--color", self._color()],
            cwd=self.project,
            env=self.environment,
            check=False,
        )
        if done.returncode != expected:
            raise click.ClickException(f"`reconciler {words}` ended with {done.returncode}, not {expected}")

    def _color(self) -> str:
        if self.color != "auto":
            return self.color
        return "always" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else "never"


@contextmanager
def _project(keep: str | None) -> Iterator[Path]:
    if keep is not None:
        target = Path(keep)
        _copy_example(target)
        yield target
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
    """Return the example project: beside the package in a checkout, within it when installed."""
    package = Path(__file__).parent.parent
    installed = package / "quickstart"
    return installed if installed.is_dir() else package.parent / "examples" / "quickstart"


@contextmanager
def _emulator(project: Path) -> Iterator[RunningEmulator]:
    from reconciler.emulator import EmulatorSettings, MissingExtraError, running_emulator

    try:
        with running_emulator(EmulatorSettings(seed=project / "emulator.yaml")) as running:
            _point_at(running, project / "reconciler.yaml")
            yield running
    except MissingExtraError as error:
        raise click.ClickException(str(error)) from error


def _point_at(running: RunningEmulator, project_file: Path) -> None:
    """Let the example's own identity provider be the emulator's, wherever it listens now."""
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
