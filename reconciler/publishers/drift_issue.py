"""Keeps one issue per environment open while there is drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication
from reconciler.publishers.marker import has_marker, with_marker

if TYPE_CHECKING:
    from reconciler.publishers.forge import Forge, Issue

_MAX_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNotice:
    """What the issue says.

    ``is_over``: there certainly is no drift. ``news`` is worth a comment of its own, if not empty.
    """

    title: str
    body: str
    news: str = ""
    has_drift: bool = True
    is_over: bool = False


def publish_drift(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    """Open, update or close the issue with the marker; return what was done, and its address.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    for attempt in range(1, _MAX_ATTEMPTS + 1):
        try:
            return _publish(forge, line, notice)
        except UnknownPublication:
            if attempt == _MAX_ATTEMPTS:
                raise
    raise AssertionError("the loop above returns or raises")


def _publish(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    text = with_marker(line, notice.body)
    issue = _own_issue(forge, line)
    if issue is None:
        if not notice.has_drift:
            return "not needed", ""
        return "opened", forge.create_issue(notice.title, text).url
    if issue.body != text or issue.title != notice.title:
        forge.edit_issue(issue, notice.title, text)
    if notice.is_over:
        forge.close_issue(issue)
        return "closed", issue.url
    if notice.news:
        forge.comment_on_issue(issue, notice.news)
    return "updated", issue.url


def _own_issue(forge: Forge, line: str) -> Issue | None:
    author = forge.author()
    for issue in forge.open_issues():
        if issue.author == author and has_marker(issue.body, line):
            return issue
    return None
