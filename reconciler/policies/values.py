"""What a change leads to, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Delete, Update
from reconciler.core.connection import INFERRED_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

URL_FIELDS: Final = ("issuer", *INFERRED_FIELDS)


def written_urls(change: Change) -> Iterator[tuple[str, str]]:
    """Yield name and value of every URL that the change writes."""
    if isinstance(change, Delete):
        return
    for name in URL_FIELDS:
        value = getattr(change.declared, name)
        if value and (isinstance(change, Create) or name in change.changed):
            yield name, value


def url_after(change: Create | Update, name: str) -> str:
    """Return the URL after the change, or nothing if the server is to infer it."""
    declared = getattr(change.declared, name)
    if declared is not None:
        return str(declared)
    if isinstance(change, Create) or "issuer" in change.changed:
        return ""
    return getattr(change.before, name) or ""
