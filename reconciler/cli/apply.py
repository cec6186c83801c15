"""``reconciler apply``: make what is live what the manifests declare."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.failure import Declined
from reconciler.cli.options import NonEmptyString, reporting_options, selection_options

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext

_QUESTION = """
Do you want to perform these actions?
  reconciler will perform the actions described above.
  Only 'yes' will be accepted to approve.

  Enter a value: """

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _read_age(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", value, re.ASCII)
    if found is None:
        raise click.BadParameter(f"{value!r} must be a number with s, m, h or d, such as 24h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command("apply")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PLAN_FILE | PATH...]")
@click.option("--auto-approve", is_flag=True, help="Do not ask before writing.")
@click.option(
    "--allow-deletes", type=click.IntRange(min=1), metavar="N", help="Accept a plan of exactly N deletes."
)
@click.option(
    "--accept-risk", metavar="RULE:ADDRESS", multiple=True, help="Accept a risk that blocks; may be repeated."
)
@click.option(
    "--max-age",
    default="24h",
    show_default=True,
    metavar="AGE",
    callback=_read_age,
    help="How old a saved plan may be: a number with s, m, h or d.",
)
@selection_options()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Make what is live what the manifests declare.

    With PATHs (or none) it plans, asks, and applies. With one PLAN_FILE, as `plan --out` wrote it,
    it applies exactly that plan; it was reviewed already, so nothing is asked.
    """
    context.configure(options)
    saved = _plan_file(paths)
    if saved and any(options[name] for name in ("targets", "changed_since", "shard", "rotate", "variables")):
        raise click.UsageError(
            "a saved plan is applied as it is: --target, --changed-since, --shard, --rotate and "
            "--var do not fit"
        )
    from reconciler.cli import applying
    from reconciler.cli.output import check_outputs

    check_outputs(context)
    planned = (
        applying.load_saved(context, saved, options) if saved else applying.plan_now(context, paths, options)
    )
    if planned.plan.can_apply and not saved and not options["auto_approve"]:
        _approve(context.console)
    return applying.carry_out(planned, context)


def _plan_file(paths: tuple[str, ...]) -> Path | None:
    """Return the saved plan if that is what is meant: one file that does not end like a manifest."""
    if len(paths) != 1:
        return None
    path = Path(paths[0])
    return None if path.suffix in {".yaml", ".yml"} or path.is_dir() else path


def _approve(console: Console) -> None:
    if not console.is_interactive:
        raise click.UsageError(
            "nobody can be asked here: approve with --auto-approve, or apply a plan saved with `plan --out`"
        )
    if console.ask(_QUESTION) != "yes":
        raise Declined
