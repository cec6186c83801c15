"""GitHub's workflow commands: a finding or a change as an annotation on a line of a file.

The escapes are those of the runner's command parser (actions/toolkit, ``command.ts``): in a
message percent signs and line ends, in a property colons and commas as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.reports.prose import clipped
from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic, SourceLocation

LONGEST_MESSAGE: Final = 4000
"""Characters of an annotation's message; the runner cuts longer ones silently."""

_LONGEST_TITLE: Final = 250


def annotation(level: str, title: str, message: str, location: SourceLocation | None = None) -> str:
    """Return one command: ``level`` is error, warning or notice; the message may have several lines."""
    properties = dict(_place(location)) if location else {}
    properties["title"] = clipped(visible(title), _LONGEST_TITLE)
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    lines = clipped(message, LONGEST_MESSAGE).split("\n")
    return f"::{level} {written}::{_data(chr(10).join(visible(line) for line in lines))}"


def finding_annotation(found: Diagnostic) -> str:
    """Return a finding as an annotation."""
    parts = (found.summary, found.detail, found.hint and f"hint: {found.hint}")
    level = "error" if found.is_error else "warning"
    return annotation(level, found.code, "\n".join(part for part in parts if part), found.location)


def ordinary_line(text: str) -> str:
    """Return a line of our own for the log, of which the runner can take no part for a command."""
    return re.sub(r"::|##\[", lambda match: " ".join(match[0]), visible(text))


def _place(location: SourceLocation) -> dict[str, str]:
    return {"file": location.path, "line": str(location.line), "col": str(location.column)}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
