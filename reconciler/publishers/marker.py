"""The hidden first line that identifies our comment or issue."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from reconciler.core.plan import Scope

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._]|-(?!-)){0,23}")


def check_name(name: str) -> str:
    """Return the name that tells the environments that publish in one place apart.

    Raises:
        UsageError: it could end the hidden line, or is too long for a label.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"the name {name!r} is unfit: at most 24 lower-case letters, digits, dots, underscores and "
            "single hyphens, a letter or digit first"
        )
    return name


def default_identity(scope: Scope) -> str:
    """Return the identity of a project that was given no name."""
    digest = hashlib.sha256(f"{scope.base_url}\0{scope.principal}".encode("utf-8", "surrogatepass"))
    return f"{scope.environment.value}-{digest.hexdigest()[:12]}"


def marker(kind: str, identity: str) -> str:
    """Return the line: an HTML comment, which no forge shows."""
    return f"<!-- reconciler:{kind}:{identity} -->"


def with_marker(line: str, body: str) -> str:
    """Return a body that begins with the marker."""
    return f"{line}\n{body}"


def has_marker(body: str, line: str) -> bool:
    """Tell whether a body begins with the marker; further down it may be a quotation."""
    return body.partition("\n")[0].rstrip() == line
