"""The command itself: what all verbs share, and how every way out ends."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from contextlib import contextmanager
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
from reconciler.cli.streams import check_result_stream, give_up, unfailing_remarks
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
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
    with unfailing_remarks():
        try:
            check_result_stream()
            with _sigterm_as_interrupt(), _lost_output_told_apart():
                return _run(call)
        except BrokenPipeError:
            give_up(sys.stdout)
        except OutputLost as error:
            give_up(sys.stdout)
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
        if _tells_of_lost_output(error):
            raise
        report_bug(error, call)
    else:
        return code if isinstance(code, int) else ExitCode.SUCCESS
    return ExitCode.ERROR


@contextmanager
def _lost_output_told_apart() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _tells_of_lost_output(error):
            raise OutputLost(error.strerror) from error
        raise


def _tells_of_lost_output(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _FULL and error.filename is None


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
