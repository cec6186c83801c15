"""One issue per environment for as long as there is drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.marker import bears, marked

if TYPE_CHECKING:
    from reconciler.publishers.base import Forge, Issue

_MOST_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNotice:
    """What the issue is to say.

    ``is_over``: there certainly is no drift. ``news`` is worth a comment of its own, if not empty.
    """

    title: str
    body: str
    news: str = ""
    has_drift: bool = True
    is_over: bool = False


def publish_drift(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    """Open, update or close the issue that bears the marker; return what was done and its address.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            return _publish(forge, line, notice)
        except UnknownPublication:
            if attempt == _MOST_ATTEMPTS:
                raise
    raise AssertionError("the loop above returns or raises")


def _publish(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    text = marked(line, notice.body)
    found = _own(forge, line)
    if found is None:
        if not notice.has_drift:
            return "not needed", ""
        return "opened", forge.create_issue(notice.title, text).url
    if found.body != text or found.title != notice.title:
        forge.edit_issue(found, notice.title, text)
    if notice.is_over:
        forge.close_issue(found)
        return "closed", found.url
    if notice.news:
        forge.comment_on_issue(found, notice.news)
    return "updated", found.url


def _own(forge: Forge, line: str) -> Issue | None:
    author = forge.author()
    ours = (one for one in forge.open_issues() if one.author == author and bears(one.body, line))
    return next(ours, None)
