"""What a check returns, and how it quotes what an identity provider wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.core.codes import Code
    from reconciler.core.errors import Severity

_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IdpFinding:
    """What a check found: ``why`` it matters and what to do (``hint``).

    ``severity`` is that of the code unless it is given. ``key`` tells findings of one code apart, and stays
    the same for as long as the finding is the same.
    """

    code: Code
    summary: str
    why: str
    hint: str = ""
    severity: Severity | None = None
    key: str = ""


def quoted(text: str) -> str:
    """Return what somebody else wrote, shortened; reports escape it."""
    return f"`{text}`" if len(text) <= _MOST else f"`{text[:_MOST]}…`"
