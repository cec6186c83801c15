"""The command itself: what all verbs share, and how every way out ends."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli.call import Call
from reconciler.cli.commands import LazyGroup
from reconciler.cli.exit_code import Declined, ExitCode, OutputLost
from reconciler.cli.failure import (
    report_bug,
    report_decline,
    report_failure,
    report_interruption,
    report_usage_error,
)
from reconciler.cli.named import named
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""How the system says that what was printed has no room; files are named when they fail."""


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
@click.option(
    "--config",
    type=named,
    metavar="FILE",
    help="The project file; default: reconciler.yaml, if there is one.",
)
@click.version_option(__version__, message="reconciler %(version)s")
@click.pass_obj
def group(call: Call, /, directory: str | None, config: str | None) -> None:
    """OIDC connections as code.

    YAML files declare the OIDC connections of each organization; plan shows what differs from what
    is live, apply makes it so.
    """
    if directory is not None:
        _change_directory(directory)
    call.config = config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    call = Call.of(sys.argv[1:] if arguments is None else list(arguments))
    _survive_any_encoding()
    try:
        with _sigterm_as_interrupt():
            return _run(call)
    except BrokenPipeError:
        _close_output()
    except OutputLost as error:
        _close_output()
        click.echo(f"cannot write standard output: {error}", err=True)
    return ExitCode.ERROR


def _run(call: Call) -> int:
    try:
        code = group.main(args=call.words, prog_name="reconciler", standalone_mode=False, obj=call)
    except click.ClickException as error:
        report_usage_error(error, call)
    except ReconcilerError as error:
        report_failure(error, call)
    except Declined:
        report_decline(call)
    except (click.Abort, KeyboardInterrupt):
        report_interruption(call)
        return ExitCode.INTERRUPTED
    except (BrokenPipeError, OutputLost):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            raise OutputLost(error.strerror) from error
        report_bug(error, call)
    else:
        return code if isinstance(code, int) else ExitCode.SUCCESS
    return ExitCode.ERROR


def _survive_any_encoding() -> None:
    """Escape what a terminal cannot show, as standard error does already, instead of failing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let a run that is told to end, as CI systems do, end like one that is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _change_directory(directory: str) -> None:
    import os

    os.chdir(directory)


def _close_output() -> None:
    """Keep the interpreter from complaining that what is still in its buffer cannot be written."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
