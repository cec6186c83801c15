"""``.env.example``: which variables have to hold a secret. Never a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.manifests.importing import Variable

FILE: Final = ".env.example"

_HEADER: Final = """\
# The client secrets that the manifests refer to. Copy this file, keep the copy out of Git, and give
# each variable the secret of its connection.
"""
_NAME: Final = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=", re.MULTILINE)


def listed(text: str) -> frozenset[str]:
    """Return the names of the variables that a file of this kind lists."""
    return frozenset(_NAME.findall(text))


def with_variables(text: str, variables: Iterable[Variable]) -> str:
    """Return the text with a line more for each variable; what is there stays as it is."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = "".join(f"# {one.address}{newline}{one.name}={newline}" for one in variables)
    begun = text if not text or text.endswith("\n") else text + newline
    return (begun or _HEADER) + lines if lines else text
