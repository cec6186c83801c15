"""The command itself: what all verbs share, and how every way out ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli.commands import LazyGroup
from reconciler.cli.exit_code import ExitCode
from reconciler.cli.failure import report_failure, report_usage_error
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Change to this directory first.",
)
@click.option("--config", metavar="FILE", help="The project file; default: reconciler.yaml, if there is one.")
@click.version_option(__version__, message="reconciler %(version)s")
@click.pass_context
def group(context: click.Context, directory: str | None, config: str | None) -> None:
    """OIDC connections as code.

    YAML files declare the OIDC connections of each organization; plan shows what differs from what
    is live, apply makes it so.
    """
    if directory is not None:
        _change_directory(directory)
    context.obj = config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = group.main(args=words, prog_name="reconciler", standalone_mode=False)
    except click.ClickException as error:
        report_usage_error(error, words)
        return ExitCode.ERROR
    except ReconcilerError as error:
        report_failure(error, words)
        return ExitCode.ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _close_output()
        return ExitCode.ERROR
    return code if isinstance(code, int) else ExitCode.SUCCESS


def _change_directory(directory: str) -> None:
    import os

    os.chdir(directory)


def _close_output() -> None:
    """Keep the interpreter from complaining about a reader that went away."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
