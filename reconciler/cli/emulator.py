"""``reconciler emulator``: a local server that behaves like the API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from reconciler.emulator import EmulatorSettings, RunningEmulator


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option("--seed", metavar="FILE", help="Organizations, connections and members to begin with.")
@click.option("--state", metavar="FILE", help="An SQLite file that survives restarts; default: in memory.")
@click.option(
    "--behaviour",
    "behaviours",
    metavar="NAME=VALUE",
    multiple=True,
    help="How the API behaves where its documents are silent; see --list-behaviours.",
)
@click.option("--list-behaviours", is_flag=True, help="List all behaviours with their values, and stop.")
@click.option("--random-seed", type=int, metavar="N", help="Make ids and chances repeatable.")
@click.option("--control", is_flag=True, help="Serve /_control: request log, faults, edits from outside.")
def command(**options: Any) -> int:  # noqa: ANN401 - options
    """Run a local server that behaves like the API, for trying things out and for tests.

    It needs the extra: pip install 'reconciler[emulator]'
    """
    if options["list_behaviours"]:
        click.echo(_behaviours())
        return ExitCode.SUCCESS
    from reconciler.emulator import MissingExtraError, SeedError, serve

    try:
        serve(_settings(options), options["host"], options["port"], _announce)
    except KeyboardInterrupt:  # this is how it is meant to end
        return ExitCode.SUCCESS
    except (MissingExtraError, SeedError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen at {options['host']}:{options['port']}: {error.strerror or error}"
        ) from error
    return ExitCode.SUCCESS


def _settings(options: dict[str, Any]) -> EmulatorSettings:
    from reconciler.emulator import EmulatorSettings, UnknownBehaviourError, parse_behaviour

    try:
        behaviours = dict(parse_behaviour(one) for one in options["behaviours"])
    except UnknownBehaviourError as error:
        raise click.UsageError(str(error)) from error
    return EmulatorSettings(
        state=_path(options["state"]),
        seed=_path(options["seed"]),
        random_seed=options["random_seed"],
        behaviours=behaviours,
        control=options["control"],
    )


def _announce(running: RunningEmulator) -> None:
    project = running.emulator.settings.project
    click.echo(f"The emulator listens at {running.base_url} until Ctrl-C. To use it:\n", err=True)
    click.echo(f"export STYTCH_BASE_URL={running.base_url}")
    click.echo(f"export STYTCH_PROJECT_ID={project.project_id}")
    click.echo(f"export STYTCH_SECRET={project.secret}")


def _behaviours() -> str:
    from reconciler.emulator import BEHAVIOURS

    lines = []
    for one in BEHAVIOURS:
        lines += [f"{one.name} ({one.number}): {one.summary}"]
        lines += [f"    {one.default} (default), {', '.join(one.alternatives)}"]
    return "\n".join(lines)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
