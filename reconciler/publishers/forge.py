"""The interface of a forge: publishing reports and opening pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment on the pull request; ``author`` is a unique account name.

    ``updated_at`` is when it was last written (RFC 3339 in UTC), by the forge's clock.
    """

    id: str
    author: str
    body: str
    url: str
    updated_at: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch, and the commit at its end."""

    name: str
    commit: str
    is_protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDifference:
    """The difference of a branch from its base.

    ``paths`` are the files that differ from where the two parted; ``is_whole``: there are no others.
    """

    paths: tuple[str, ...] = ()
    is_whole: bool = True
    messages: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request of the repository's own branch; ``commit`` is the end that it had or has."""

    number: str
    commit: str
    title: str
    body: str
    url: str
    is_open: bool
    is_merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """Files to write on a branch, by their paths in the repository.

    ``start`` is the commit whose files all others are. ``replaces`` is the commit that the branch has to
    end with; none if the branch must not exist yet.
    """

    branch: str
    start: str
    replaces: str
    files: Mapping[str, bytes]
    executables: frozenset[str] = frozenset()
    message: str


class BranchMoved(Exception):
    """The branch, or its pull request, is no longer as it was read: read it again."""


class Repository(Protocol):
    """One repository on a forge, as far as pull requests need it.

    ``noun`` is what the forge calls them. Every method may raise `PublishingFailed`.
    """

    noun: str

    def default_branch(self) -> Branch:
        """Return the branch that pull requests are merged into."""

    def branch(self, name: str) -> Branch | None:
        """Return a branch, or None if there is none."""

    def difference(self, base: Branch, branch: Branch) -> BranchDifference:
        """Return what a branch holds that its base does not have."""

    def read_file(self, path: str, commit: str) -> bytes | None:
        """Return the content of a file, or None if the commit does not have it."""

    def write(self, commit: NewCommit) -> None:
        """Write a commit; no commit that the branch ends with is lost unless ``replaces`` names it.

        Raises:
            BranchMoved: the branch ends with another commit.
        """

    def delete_branch(self, branch: Branch) -> None:
        """Delete a branch; one that no longer exists is not an error."""

    def pull_requests(self, branch: str) -> Iterator[PullRequest]:
        """Yield the pull requests of one of the repository's own branches, open or not, the newest first."""

    def create_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request.

        Raises:
            BranchMoved: there is an open one.
        """

    def edit_pull_request(self, pull_request: PullRequest, title: str, body: str) -> None:
        """Replace title and body of a pull request."""

    def close_pull_request(self, pull_request: PullRequest, reason: str) -> None:
        """Write a comment that says why, and close a pull request without merging it."""
