"""The options that several commands share."""

from __future__ import annotations

import os
import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.core.run_selection import Shard

    Completer = Callable[[click.Context, str], list[CompletionItem]]
    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


_HARMLESS: Final = re.compile(r"\w[\w.@%+/-]*")
"""Texts that mean themselves in every shell. No other is offered: shells insert it without quotes."""


class NonEmptyString(click.types.StringParamType):
    """A click type that rejects empty strings.

    A script passes one when a variable of its own is unset; read as "option not given", it would widen
    a run to everything. ``complete`` returns what a shell offers for the text that is typed so far.
    """

    def __init__(self, complete: Completer | None = None) -> None:
        self._complete = complete

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value, or fail if it is empty."""
        if not value:
            self.fail("empty value: omit the option or give a name", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what a shell offers."""
        return (
            self._complete(ctx, incomplete)
            if self._complete
            else super().shell_complete(ctx, param, incomplete)
        )


def _complete_files(_context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Leave names of files to the shell, which quotes them."""
    return [CompletionItem(incomplete, type="file")]


def _complete_addresses(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the addresses in the manifests that begin with a text; none if the project cannot be read."""
    return offer(_addresses(context), incomplete)


def _complete_organizations(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the organizations in the manifests that begin with a text; after a slash, their addresses."""
    if "/" in incomplete:
        return _complete_addresses(context, incomplete)
    return offer((address.partition("/")[0] for address in _addresses(context)), incomplete)


def offer(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return the names that begin with a text, in their order."""
    begin = {name for name in names if name.startswith(incomplete)}
    return [CompletionItem(name) for name in sorted(begin) if _HARMLESS.fullmatch(name)]


def _addresses(context: click.Context) -> Iterator[str]:
    from reconciler.core.errors import ReconcilerError
    from reconciler.manifests import load_project
    from reconciler.manifests.load import declared_addresses

    options = context.find_root().params
    try:
        project = load_project(options.get("config"), Path(options.get("directory") or "").absolute())
        yield from map(str, declared_addresses(project))
    except (ReconcilerError, OSError):  # a message would be printed into the line that is being typed
        return


FILE: Final = NonEmptyString(_complete_files)
ADDRESS: Final = NonEmptyString(_complete_addresses)
ORGANIZATION: Final = NonEmptyString(_complete_organizations)


def reporting_options(*formats: str) -> Decorator:
    """Add the options that every verb with a result has: its formats, output files and streams."""

    def read_outputs(
        _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
    ) -> tuple[tuple[str, str | None], ...]:
        return tuple(_read_output(value, formats) for value in values)

    return combine(
        click.option("--format", "format_", type=click.Choice(formats), default="text", show_default=True,
                     help="The format of the result on standard output."),
        click.option("--output", "outputs", metavar="[FORMAT=]FILE", multiple=True, callback=read_outputs,
                     help="Also write the result to a file; may be repeated."),
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto",
                     show_default=True, help="Color the output; auto respects NO_COLOR and FORCE_COLOR."),
        click.option("--log-format", type=click.Choice(("text", "json")), default="text",
                     show_default=True, help="The format of log lines on standard error."),
        click.option("-v", "--verbose", count=True, help="Log every API call."),
        click.option("-q", "--quiet", is_flag=True, help="Print no progress and no notes."),
    )  # fmt: skip


def selection_options(*, rotates: bool = True) -> Decorator:
    """Add the options that select connections, and the values of variables."""
    rotate = click.option("--rotate", metavar="ADDRESS", multiple=True, type=ADDRESS,
                          help="Send the secret of these connections even if it cannot be compared.",
    )  # fmt: skip
    return combine(
        click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
                     help="Only these connections; globs such as 'acme/*'; may be repeated."),
        changed_since_option(),
        click.option("--shard", metavar="I/N", callback=_read_shard,
                     help="Only shard I of N of all organizations, at 1/N of the request rate; auto/N takes "
                          "the index from JOB_COMPLETION_INDEX, which counts from 0."),
        *([rotate] if rotates else []),
        variable_option(),
    )  # fmt: skip


def acceptance_options() -> Decorator:
    """Add the options that accept what blocks a plan."""
    return combine(
        click.option("--allow-deletes", type=click.IntRange(min=1), metavar="N",
                     help="Accept a plan with exactly N deletes."),
        click.option("--accept-risk", metavar="RULE:ADDRESS", multiple=True,
                     help="Accept a blocking risk; may be repeated."),
    )  # fmt: skip


def changed_since_option() -> Decorator:
    """Add ``--changed-since``."""
    return click.option(
        "--changed-since", metavar="REV", type=NonEmptyString(),
        help="Only organizations whose manifests differ from this Git revision (its merge base with HEAD).",
    )  # fmt: skip


def variable_option() -> Decorator:
    """Add ``--var``."""
    return click.option(
        "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=_read_variables,
        help="The value of ${var:NAME}; overrides the project file; may be repeated.",
    )  # fmt: skip


def combine(*decorators: Decorator) -> Decorator:
    """Return one decorator for several, so that ``--help`` lists their options in this order."""
    return lambda command: reduce(lambda inner, decorate: decorate(inner), reversed(decorators), command)


def _read_output(value: str, formats: tuple[str, ...]) -> tuple[str, str | None]:
    """Read ``[FORMAT=]FILE``; None for the format means that of ``--format``."""
    if not value:
        raise click.BadParameter("empty value: omit the option or name a file")
    prefix, sign, path = value.partition("=")
    if not sign or "/" in prefix or "." in prefix:
        return value, None
    if prefix not in formats:
        raise click.BadParameter(f"unknown format {prefix!r}; known: {', '.join(formats)}")
    if not path:
        raise click.BadParameter(f"{value!r} names no file")
    return path, prefix


def _read_shard(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Shard | None:
    if value is None:
        return None
    from reconciler.core.run_selection import Shard  # imports hashlib, which would slow down --help

    match = re.fullmatch(r"(auto|[0-9]{1,6})/([0-9]{1,6})", value, re.ASCII)
    if match is None:
        raise click.BadParameter(f"{value!r} must have the form I/N, such as 2/4, or auto/N")
    index = int(match[1]) if match[1] != "auto" else _job_completion_index() + 1
    try:
        return Shard(index, int(match[2]))
    except ValueError as error:
        raise click.BadParameter(f"{error}; I goes from 1 to N") from error


def _job_completion_index() -> int:
    """Return the index that Kubernetes gives to each pod of an indexed Job."""
    text = os.environ.get("JOB_COMPLETION_INDEX", "")
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise click.BadParameter(
            "auto requires the environment variable JOB_COMPLETION_INDEX: the index of this shard, from 0"
        )
    return int(text)


def _read_variables(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    variables = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{value!r} must have the form NAME=VALUE")
        variables[name] = text
    return variables
