"""``reconciler emulator``: a local server that behaves like the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import EmulatorSettings, RunningEmulator

_LATENCY = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
_Parsed = TypeVar("_Parsed")


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option(
    "--seed",
    type=NonEmptyString(),
    metavar="FILE",
    help="Organizations, connections and members to begin with.",
)
@click.option(
    "--state",
    type=NonEmptyString(),
    metavar="FILE",
    help="An SQLite file that survives restarts; default: in memory.",
)
@click.option(
    "--behaviour",
    "behaviours",
    metavar="NAME=VALUE",
    multiple=True,
    help="How the API behaves where its documents are silent; see --list-behaviours.",
)
@click.option("--list-behaviours", is_flag=True, help="List all behaviours with their values, and stop.")
@click.option(
    "--fault",
    "faults",
    metavar="OPERATION:EFFECT[:OPTIONS]",
    multiple=True,
    help="What goes wrong, and when: list-connections:429:first=2, writes:reset:after,chance=0.1, …",
)
@click.option("--latency", metavar="SECONDS", help="How long every answer takes: 0.2, or 0.1-0.5.")
@click.option(
    "--rate-limit",
    "rate_limits",
    metavar="REQUESTS/UNIT[:OPERATIONS]",
    multiple=True,
    help="Fixed windows: 100/s, 5/10s:list-*, 100/m:search-organizations.",
)
@click.option("--random-seed", type=int, metavar="N", help="Make ids and chances repeatable.")
@click.option("--control", is_flag=True, help="Serve /_control: request log, faults, edits from outside.")
def command(**options: Any) -> int:  # noqa: ANN401 - options
    """Run a local server that behaves like the API, for trying things out and for tests.

    It needs the extra: pip install 'oidc-reconciler[emulator]'
    """
    if options["list_behaviours"]:
        click.echo(_behaviours())
        return ExitCode.SUCCESS
    from reconciler.emulator import MissingExtraError, SeedError, StateError, serve

    try:
        serve(_settings(options), options["host"], options["port"], _announce)
    except KeyboardInterrupt:  # this is how it is meant to end
        return ExitCode.SUCCESS
    except (MissingExtraError, SeedError, StateError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen at {options['host']}:{options['port']}: {error.strerror or error}"
        ) from error
    return ExitCode.SUCCESS


def _settings(options: dict[str, Any]) -> EmulatorSettings:
    from reconciler.emulator import EmulatorSettings, parse_fault, parse_rate_limit, parse_switch

    switches = [_parsed(parse_switch, one) for one in options["behaviours"]]
    faults = (*options["faults"], *_slowness(options["latency"]))
    for fault in faults:
        _parsed(parse_fault, fault)
    return EmulatorSettings(
        state=_path(options["state"]),
        seed=_path(options["seed"]),
        random_seed=options["random_seed"],
        switches=dict(switches),
        faults=faults,
        rate_limits=tuple(_parsed(parse_rate_limit, one) for one in options["rate_limits"]),
        control=options["control"],
    )


def _parsed(parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    from reconciler.emulator import UnknownFaultError, UnknownRateLimitError, UnknownSwitchError

    try:
        return parse(text)
    except UnknownSwitchError as error:
        raise click.UsageError(f"{error}; --list-behaviours lists them all") from error
    except (UnknownFaultError, UnknownRateLimitError) as error:
        raise click.UsageError(str(error)) from error


def _slowness(latency: str | None) -> tuple[str, ...]:
    """Return the fault that a latency is short for."""
    if latency is None:
        return ()
    found = _LATENCY.fullmatch(latency)
    if found is None or float(found[2] or found[1]) < float(found[1]):
        raise click.UsageError(f"latency '{latency}' is not of the form SECONDS or LOW-HIGH, as in 0.1-0.5")
    upper = f",up-to={found[2]}" if found[2] else ""
    return (f"*:latency:seconds={found[1]}{upper}",)


def _announce(running: RunningEmulator) -> None:
    project = running.emulator.settings.project
    click.echo(f"The emulator listens at {running.base_url} until Ctrl-C. To use it:\n", err=True)
    if running.emulator.settings.control:
        click.echo(f"Its control endpoint is at {running.base_url}/_control.\n", err=True)
    click.echo(f"export STYTCH_BASE_URL={running.base_url}")
    click.echo(f"export STYTCH_PROJECT_ID={project.project_id}")
    click.echo(f"export STYTCH_SECRET={project.secret}")
    click.echo(
        f"\nOr, in session mode, STYTCH_PUBLIC_TOKEN={project.public_token}"
        " and STYTCH_SESSION_TOKEN, one of the sessions that --seed gives to members.",
        err=True,
    )


def _behaviours() -> str:
    from reconciler.emulator import SWITCHES

    lines = []
    for switch in SWITCHES:
        lines += [f"{switch.name} ({switch.number}): {switch.summary}"]
        lines += [f"    {switch.default} (default), {', '.join(switch.alternatives)}"]
    return "\n".join(lines)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
