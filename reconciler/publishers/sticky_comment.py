"""One comment per environment on a pull request, written once and edited ever after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.marker import bears, marked

if TYPE_CHECKING:
    from reconciler.publishers.base import Comment, Forge

_MOST_ATTEMPTS: Final = 3


def publish_comment(forge: Forge, line: str, body: str) -> tuple[str, str]:
    """Make the one comment that bears the marker say ``body``; return what was done and its address.

    Only comments of this token's own account count, whatever others may have written. Where two
    runs at once have left two, the older stays.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            return _publish(forge, line, marked(line, body))
        except UnknownPublication:
            if attempt == _MOST_ATTEMPTS:
                raise
    raise AssertionError("the loop above returns or raises")


def _publish(forge: Forge, line: str, text: str) -> tuple[str, str]:
    ours = _own(forge, line)
    if not ours:
        return "created", forge.create_comment(text).url
    first, *others = ours
    for other in others:
        forge.delete_comment(other)
    if first.body == text:
        return "unchanged", first.url
    forge.edit_comment(first, text)
    return "updated", first.url


def _own(forge: Forge, line: str) -> list[Comment]:
    author = forge.author()
    return [one for one in forge.comments() if one.author == author and bears(one.body, line)]
