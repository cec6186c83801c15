"""The type of words that name something: a file, a folder, a revision."""

from __future__ import annotations

import click


def named(value: str) -> str:
    """Return the word as it is, unless it is empty.

    A script passes an empty word when a variable of its own is not set; taken for "none was given"
    it would widen a run to everything.

    Raises:
        click.BadParameter: it is empty.
    """
    if not value:
        raise click.BadParameter("it is empty, and names nothing: leave it out, or name what is meant")
    return value
