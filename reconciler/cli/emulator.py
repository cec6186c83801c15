"""``reconciler emulator``: run a local server that behaves like the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import FILE
from reconciler.emulator import (
    SWITCHES,
    CertificateError,
    EmulatorSettings,
    MissingExtraError,
    SeedError,
    StateError,
    UnknownFaultError,
    UnknownRateLimitError,
    UnknownSwitchError,
    parse_fault,
    parse_rate_limit,
    parse_switch,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import RunningEmulator

_LATENCY = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
_Parsed = TypeVar("_Parsed")


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks a free port."
)
@click.option(
    "--seed", type=FILE, metavar="FILE", help="Organizations, connections and members to start with."
)
@click.option(
    "--state", type=FILE, metavar="FILE", help="An SQLite file that survives restarts; default: in memory."
)
@click.option(
    "--switch",
    "switches",
    metavar="NAME=VALUE",
    multiple=True,
    help="Choose how the API behaves where its documentation leaves it open; see --list-switches.",
)
@click.option("--list-switches", is_flag=True, help="List all switches with their values, and exit.")
@click.option(
    "--fault",
    "faults",
    metavar="OPERATION:EFFECT[:OPTIONS]",
    multiple=True,
    help="Inject a fault: list-connections:429:first=2, writes:reset:after,chance=0.1, …",
)
@click.option("--latency", metavar="SECONDS", help="Delay every response: 0.2, or 0.1-0.5.")
@click.option(
    "--rate-limit",
    "rate_limits",
    metavar="REQUESTS/UNIT[:OPERATIONS]",
    multiple=True,
    help="Fixed windows: 100/s, 5/10s:list-*, 100/m:search-organizations.",
)
@click.option(
    "--local-redirects",
    is_flag=True,
    help="Give new connections a redirect_url at the emulator itself, so that a login comes back to it.",
)
@click.option(
    "--ca-file",
    type=FILE,
    metavar="FILE",
    help="Trust these certificate authorities (PEM) in requests to identity providers.",
)
@click.option("--random-seed", type=int, metavar="N", help="Make ids and random faults repeatable.")
@click.option("--control", is_flag=True, help="Serve /_control: request log, faults, edits.")
def command(**options: Any) -> int:  # noqa: ANN401 - options
    """Run a local server that behaves like the API, for experiments and tests.

    Needs the extra: pip install 'oidc-reconciler[emulator]'
    """
    if options["list_switches"]:
        click.echo(_list_switches())
        return ExitCode.SUCCESS
    try:
        serve(_settings(options), options["host"], options["port"], _announce)
    except KeyboardInterrupt:  # the usual way to stop it
        return ExitCode.SUCCESS
    except (CertificateError, MissingExtraError, SeedError, StateError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {options['host']}:{options['port']}: {error.strerror or error}"
        ) from error
    return ExitCode.SUCCESS


def _settings(options: dict[str, Any]) -> EmulatorSettings:
    faults = (*options["faults"], *_latency_fault(options["latency"]))
    state, seed, ca_file = options["state"], options["seed"], options["ca_file"]
    for fault in faults:
        _parse(parse_fault, fault)
    return EmulatorSettings(
        state=Path(state) if state else None,
        seed=Path(seed) if seed else None,
        random_seed=options["random_seed"],
        switches=dict(_parse(parse_switch, text) for text in options["switches"]),
        faults=faults,
        rate_limits=tuple(_parse(parse_rate_limit, text) for text in options["rate_limits"]),
        control=options["control"],
        local_redirects=options["local_redirects"],
        ca_file=Path(ca_file) if ca_file else None,
    )


def _parse(parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except UnknownSwitchError as error:
        raise click.UsageError(f"{error}; --list-switches lists them all") from error
    except (UnknownFaultError, UnknownRateLimitError) as error:
        raise click.UsageError(str(error)) from error


def _latency_fault(latency: str | None) -> tuple[str, ...]:
    """Return the fault that ``--latency`` is short for."""
    if latency is None:
        return ()
    match = _LATENCY.fullmatch(latency)
    if match is None or float(match[2] or match[1]) < float(match[1]):
        raise click.UsageError(f"latency '{latency}' must have the form SECONDS or LOW-HIGH, such as 0.1-0.5")
    upper = f",up-to={match[2]}" if match[2] else ""
    return (f"*:latency:seconds={match[1]}{upper}",)


def _announce(running: RunningEmulator) -> None:
    project = running.emulator.settings.project
    click.echo(f"The emulator listens on {running.base_url}; press Ctrl-C to stop. To use it:\n", err=True)
    if running.emulator.settings.control:
        click.echo(f"The control endpoint is {running.base_url}/_control.\n", err=True)
    click.echo(f"export STYTCH_BASE_URL={running.base_url}")
    click.echo(f"export STYTCH_PROJECT_ID={project.project_id}")
    click.echo(f"export STYTCH_SECRET={project.secret}")
    click.echo(
        f"\nOr, with a member session: STYTCH_PUBLIC_TOKEN={project.public_token}"
        " and STYTCH_SESSION_TOKEN, a session from the --seed file.",
        err=True,
    )


def _list_switches() -> str:
    return "\n".join(
        f"{switch.name} ({switch.number}): {switch.summary}\n"
        f"    {switch.default} (default), {', '.join(switch.alternatives)}"
        for switch in SWITCHES
    )
