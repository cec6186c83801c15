"""The ``reconciler`` command: its global options, and the exit code of every way a run can end."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli.commands import COMPLETION_VARIABLE, LazyGroup
from reconciler.cli.console import StdoutClosed, check_stdout, discard, ending_signals, ignore_stderr_errors
from reconciler.cli.context import CommandContext, ExitCode
from reconciler.cli.options import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.http.clock import Clock


_STDOUT_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""Errors of writing to standard output; they carry no file name, unlike those of a file."""


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Change to this directory first.",
)
@click.option(
    "--config", type=FILE, metavar="FILE", help="The project file; default: reconciler.yaml, if there is one."
)
@click.version_option(__version__, message="reconciler %(version)s")
@click.pass_obj
def group(context: CommandContext, /, directory: str | None, config: str | None) -> None:
    """OIDC connections as code.

    YAML manifests declare the OIDC connections of each organization. `plan` shows how the live
    connections differ from them; `apply` creates, updates and deletes connections to match.
    """
    if directory is not None:
        os.chdir(directory)
    context.config = config


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Run one command and return its exit code. ``clock`` replaces the real one while the API is called."""
    gc.set_threshold(20_000)  # by default, the collector takes a fifth of the time to read 10,000 connections
    context = CommandContext.from_arguments(sys.argv[1:] if arguments is None else list(arguments), clock)
    with ignore_stderr_errors():
        try:
            check_stdout()
            with _signals_as_interrupt(), _detect_stdout_errors():
                return _run(context)
        except BrokenPipeError:
            discard(sys.stdout)
        except StdoutClosed as error:
            discard(sys.stdout)
            click.echo(f"cannot write standard output: {error}", err=True)
    return ExitCode.ERROR


def _run(context: CommandContext) -> int:
    if COMPLETION_VARIABLE in os.environ:
        from reconciler.cli.completion import register_shells

        register_shells()
    try:
        code = group.main(args=context.arguments, prog_name="reconciler", standalone_mode=False, obj=context)
    except (BrokenPipeError, StdoutClosed):
        raise
    except (Exception, KeyboardInterrupt) as error:
        if _is_stdout_error(error):
            raise
        from reconciler.cli.failure import report_failure  # only a failed run pays for its imports

        return report_failure(error, context)
    return code if isinstance(code, int) else ExitCode.SUCCESS


@contextmanager
def _detect_stdout_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _is_stdout_error(error):
            raise StdoutClosed(error.strerror) from error
        raise


def _is_stdout_error(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _STDOUT_ERRORS and error.filename is None


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM, which CI systems send to cancel a job, and SIGHUP, after which no terminal is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.default_int_handler) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
