"""The interface of a forge to which reports are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment on the pull request; ``author`` is a unique account name."""

    id: str
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One open issue; ``number`` is what people call it by."""

    number: str
    author: str
    title: str
    body: str
    url: str


class Forge(Protocol):
    """One project on a forge and, for comments and labels, one pull request of it.

    Every method may raise `PublishingFailed`; those that create something may raise
    `UnknownPublication`, after which only looking again tells whether it is there.
    """

    def author(self) -> str:
        """Return the name under which this token writes."""

    def comments(self) -> Iterator[Comment]:
        """Yield the comments of the pull request, the oldest first."""

    def create_comment(self, body: str) -> Comment:
        """Write a comment on the pull request."""

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Replace the body of a comment."""

    def delete_comment(self, comment: Comment) -> None:
        """Remove a comment; a comment that no longer exists is not an error."""

    def labels(self) -> frozenset[str]:
        """Return the labels of the pull request."""

    def change_labels(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Add and remove labels of the pull request; all others stay."""

    def open_issues(self) -> Iterator[Issue]:
        """Yield the project's open issues that `author` wrote."""

    def create_issue(self, title: str, body: str) -> Issue:
        """Open an issue."""

    def edit_issue(self, issue: Issue, title: str, body: str) -> None:
        """Replace title and body of an issue."""

    def comment_on_issue(self, issue: Issue, body: str) -> None:
        """Write a comment on an issue, which notifies those who watch it."""

    def close_issue(self, issue: Issue) -> None:
        """Close an issue as done."""
