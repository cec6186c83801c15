"""Maintains one comment per environment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.marker import has_marker, with_marker

if TYPE_CHECKING:
    from reconciler.publishers.forge import Comment, Forge

_MAX_ATTEMPTS: Final = 3


def publish_comment(forge: Forge, line: str, body: str) -> tuple[str, str]:
    """Create or edit the comment with the marker; return what was done, and its address.

    Only comments of this token's own account count. Where two runs at once have left two, the older stays.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    for attempt in range(1, _MAX_ATTEMPTS + 1):
        try:
            return _publish(forge, line, with_marker(line, body))
        except UnknownPublication:
            if attempt == _MAX_ATTEMPTS:
                raise
    raise AssertionError("the loop above returns or raises")


def _publish(forge: Forge, line: str, text: str) -> tuple[str, str]:
    ours = _own(forge, line)
    if not ours:
        return "created", forge.create_comment(text).url
    first, *duplicates = ours
    for duplicate in duplicates:
        forge.delete_comment(duplicate)
    if first.body == text:
        return "unchanged", first.url
    forge.edit_comment(first, text)
    return "updated", first.url


def _own(forge: Forge, line: str) -> list[Comment]:
    author = forge.author()
    return [
        comment for comment in forge.comments() if comment.author == author and has_marker(comment.body, line)
    ]
