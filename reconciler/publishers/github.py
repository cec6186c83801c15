"""GitHub, of the cloud or an Enterprise server: comments, labels and issues over its REST API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from reconciler.core.errors import PublishingFailed, UsageError
from reconciler.publishers.base import Comment, Issue
from reconciler.publishers.fields import number_of, text_of
from reconciler.publishers.http import RestClient, checked_base_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.publishers.clock import Clock

DEFAULT_API_URL: Final = "https://api.github.com"

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_API_VERSION: Final = "2022-11-28"

_NOT_FOUND: Final = 404

_ADVICE: Final = {
    401: "the token is not valid, or not any more",
    403: "the token lacks a permission: a workflow needs `pull-requests: write`, for drift `issues: write`; "
    "for pull requests from forks it is read-only",
    404: "there is no such repository, pull request or issue, or the token may not see it",
}


class GitHub:
    """One repository and, for comments and labels, one pull request."""

    def __init__(
        self,
        token: str,
        repository: str,
        pull_request: int | None = None,
        *,
        api_url: str = DEFAULT_API_URL,
        clock: Clock | None = None,
    ) -> None:
        if _REPOSITORY.fullmatch(repository) is None:
            raise UsageError(f"the repository {repository!r} must have the form OWNER/NAME")
        api = urlsplit(checked_base_url(api_url))
        self._repository = f"{api.path}/repos/{repository}"
        self._user = f"{api.path}/user"
        self._pull_request = pull_request
        self._graphql = f"{api.path.removesuffix('/v3')}/graphql"
        self._author = ""
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _API_VERSION,
            "User-Agent": "reconciler",
        }
        self._client = RestClient(
            f"{api.scheme}://{api.netloc}", headers, token=token, advice=_ADVICE, clock=clock
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def author(self) -> str:
        """Return the login of the token's account.

        The token of a workflow belongs to an app, which may not ask REST who it is; GraphQL tells,
        at ``/graphql`` in the cloud and beside ``/api/v3`` on a server.
        """
        if not self._author:
            self._author = self._ask_rest() or self._ask_graphql()
        return self._author

    def comments(self) -> Iterator[Comment]:
        """Yield the comments of the pull request, the oldest first."""
        for one in self._client.pages(f"{self._conversation}/comments?per_page=100"):
            yield _comment(one)

    def create_comment(self, body: str) -> Comment:
        """Write a comment on the pull request."""
        path = f"{self._conversation}/comments"
        return _comment(self._client.call("POST", path, json={"body": body}, creates=True))

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Replace the body of a comment."""
        self._client.call("PATCH", f"{self._repository}/issues/comments/{comment.id}", json={"body": body})

    def delete_comment(self, comment: Comment) -> None:
        """Remove a comment; one that is gone already is no error."""
        self._delete(f"{self._repository}/issues/comments/{comment.id}")

    def labels(self) -> frozenset[str]:
        """Return the labels of the pull request."""
        found = self._client.pages(f"{self._conversation}/labels?per_page=100")
        return frozenset(text_of(one, "name") for one in found)

    def change_labels(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Add and remove labels; GitHub makes a label that the repository does not have yet."""
        if add:
            self._client.call("POST", f"{self._conversation}/labels", json={"labels": sorted(add)})
        for label in sorted(remove):
            self._delete(f"{self._conversation}/labels/{quote(label, safe='')}")

    def open_issues(self) -> Iterator[Issue]:
        """Yield the open issues that this account wrote; GitHub lists pull requests among them."""
        creator = quote(self.author(), safe="")
        query = f"state=open&creator={creator}&per_page=100"
        for one in self._client.pages(f"{self._repository}/issues?{query}"):
            if "pull_request" not in one:
                yield _issue(one)

    def create_issue(self, title: str, body: str) -> Issue:
        """Open an issue."""
        document = {"title": title, "body": body}
        return _issue(self._client.call("POST", f"{self._repository}/issues", json=document, creates=True))

    def edit_issue(self, issue: Issue, title: str, body: str) -> None:
        """Replace title and body of an issue."""
        self._client.call("PATCH", self._issue_path(issue), json={"title": title, "body": body})

    def comment_on_issue(self, issue: Issue, body: str) -> None:
        """Write a comment on an issue."""
        self._client.call("POST", f"{self._issue_path(issue)}/comments", json={"body": body}, creates=True)

    def close_issue(self, issue: Issue) -> None:
        """Close an issue as done."""
        document = {"state": "closed", "state_reason": "completed"}
        self._client.call("PATCH", self._issue_path(issue), json=document)

    @property
    def _conversation(self) -> str:
        """The pull request's path; comments and labels are those of its issue."""
        if self._pull_request is None:
            raise UsageError("there is no pull request to write to: say which with `--pull-request NUMBER`")
        return f"{self._repository}/issues/{self._pull_request}"

    def _issue_path(self, issue: Issue) -> str:
        return f"{self._repository}/issues/{issue.number}"

    def _delete(self, path: str) -> None:
        try:
            self._client.call("DELETE", path)
        except PublishingFailed as error:
            if error.status != _NOT_FOUND:
                raise

    def _ask_rest(self) -> str:
        try:
            return text_of(self._client.call("GET", self._user), "login")
        except PublishingFailed as error:
            if error.status != 403:  # noqa: PLR2004 - "Resource not accessible by integration"
                raise
            return ""

    def _ask_graphql(self) -> str:
        answer = self._client.call("POST", self._graphql, json={"query": "{ viewer { login } }"})
        try:
            return text_of(answer["data"]["viewer"], "login")
        except (KeyError, TypeError) as error:
            raise PublishingFailed("GitHub does not say whose token this is") from error


def _comment(document: Any) -> Comment:  # noqa: ANN401 - JSON
    return Comment(
        id=str(number_of(document, "id")),
        author=_author(document),
        body=text_of(document, "body"),
        url=text_of(document, "html_url"),
    )


def _issue(document: Any) -> Issue:  # noqa: ANN401 - JSON
    return Issue(
        number=str(number_of(document, "number")),
        author=_author(document),
        title=text_of(document, "title"),
        body=text_of(document, "body"),
        url=text_of(document, "html_url"),
    )


def _author(document: Any) -> str:  # noqa: ANN401 - JSON
    """Return the login; the account of a comment may have been deleted, and is null then."""
    user = document.get("user")
    return text_of(user, "login") if user else ""
