"""GitLab, hosted or self-managed: merge-request notes, labels and issues over its REST API, version 4."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.core.errors import PublishingFailed, UsageError
from reconciler.publishers.forge import Comment, Issue
from reconciler.publishers.rest_client import RestClient

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.http.clock import BlockingClock
    from reconciler.http.json_fields import JsonObject

DEFAULT_API_URL: Final = "https://gitlab.com/api/v4"

_PROJECT: Final = re.compile(r"\d+|[\w.-]+(?:/[\w.-]+)+")

_HINTS: Final = {
    401: "the token is not valid, or not any more",
    403: "the token lacks a permission: it needs the scope `api` and the role of a reporter",
    404: "there is no such project, merge request or issue, or the token may not see it",
}


class GitLab:
    """One project and, for notes and labels, one merge request."""

    def __init__(
        self,
        token: str,
        project: str,
        merge_request: int | None = None,
        *,
        api_url: str = DEFAULT_API_URL,
        clock: BlockingClock | None = None,
    ) -> None:
        self._project = project_path(project)
        self.pull_request = merge_request
        self._user: JsonObject | None = None
        self._client = gitlab_client(token, api_url, _HINTS, clock)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def find_pull_request(self, commit: str) -> int | None:
        """Return the merge request that was merged as this commit, else the first merged one that has it."""
        path = f"{self._project}/repository/commits/{quote(commit, safe='')}/merge_requests?per_page=100"
        merged = [item for item in self._client.pages(path) if item.text("state") == "merged"]
        exact = (
            item for item in merged if commit in map(item.text, ("merge_commit_sha", "squash_commit_sha"))
        )
        merge_request = next(exact, merged[0] if merged else None)
        return merge_request.required_number("iid") if merge_request else None

    def author(self) -> str:
        """Return the user name of the token's account; that of a project token is a bot's."""
        return self._account().text("username")

    def comments(self) -> Iterator[Comment]:
        """Yield the merge request's notes, the oldest first, without those that GitLab itself writes."""
        query = "sort=asc&order_by=created_at&per_page=100"
        for note in self._client.pages(f"{self._conversation}/notes?{query}"):
            if not note.values.get("system"):
                yield _comment(note)

    def create_comment(self, body: str) -> Comment:
        """Write a note on the merge request."""
        path = f"{self._conversation}/notes"
        return _comment(self._client.call("POST", path, body={"body": body}, creates=True))

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Replace the body of a note."""
        self._client.send("PUT", f"{self._conversation}/notes/{comment.id}", body={"body": body})

    def delete_comment(self, comment: Comment) -> None:
        """Remove a note; a note that no longer exists is not an error."""
        self._client.delete(f"{self._conversation}/notes/{comment.id}")

    def labels(self) -> frozenset[str]:
        """Return the labels of the merge request."""
        merge_request = self._client.call("GET", self._conversation)
        if "labels" not in merge_request.values:
            raise PublishingFailed("the response has no labels")
        return frozenset(merge_request.texts("labels"))

    def change_labels(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Add and remove labels; GitLab makes a label that the project does not have yet."""
        document = {"add_labels": ",".join(sorted(add)), "remove_labels": ",".join(sorted(remove))}
        changes = {name: labels for name, labels in document.items() if labels}
        self._client.send("PUT", self._conversation, body=changes)

    def open_issues(self) -> Iterator[Issue]:
        """Yield the open issues that this account wrote."""
        query = f"state=opened&scope=all&author_id={self._account().required_number('id')}&per_page=100"
        for issue in self._client.pages(f"{self._project}/issues?{query}"):
            yield _issue(issue)

    def create_issue(self, title: str, body: str) -> Issue:
        """Open an issue."""
        document = {"title": title, "description": body}
        return _issue(self._client.call("POST", f"{self._project}/issues", body=document, creates=True))

    def edit_issue(self, issue: Issue, title: str, body: str) -> None:
        """Replace title and description of an issue."""
        self._client.send("PUT", self._issue_path(issue), body={"title": title, "description": body})

    def comment_on_issue(self, issue: Issue, body: str) -> None:
        """Write a note on an issue."""
        self._client.send("POST", f"{self._issue_path(issue)}/notes", body={"body": body}, creates=True)

    def close_issue(self, issue: Issue) -> None:
        """Close an issue."""
        self._client.send("PUT", self._issue_path(issue), body={"state_event": "close"})

    @property
    def _conversation(self) -> str:
        if self.pull_request is None:
            raise UsageError("there is no merge request to write to: say which with `--merge-request NUMBER`")
        return f"{self._project}/merge_requests/{self.pull_request}"

    def _issue_path(self, issue: Issue) -> str:
        return f"{self._project}/issues/{issue.number}"

    def _account(self) -> JsonObject:
        if self._user is None:
            user = self._client.call("GET", "/user")
            if not user.text("username"):
                raise PublishingFailed("GitLab does not say which account this token belongs to")
            self._user = user
        return self._user


def project_path(project: str) -> str:
    """Return the path of a project in the API.

    Raises:
        UsageError: it is neither a number nor has the form GROUP/NAME.
    """
    if _PROJECT.fullmatch(project) is None:
        raise UsageError(f"the project {project!r} must be a number or have the form GROUP/NAME")
    return f"/projects/{quote(project, safe='')}"


def gitlab_client(
    token: str, api_url: str, hints: Mapping[int, str], clock: BlockingClock | None
) -> RestClient:
    """Return a client of the API.

    Raises:
        UsageError: the token or the address is unfit.
    """
    headers = {"PRIVATE-TOKEN": token, "User-Agent": "reconciler"}
    return RestClient(api_url, headers, token=token, hints=hints, clock=clock)


def _comment(note: JsonObject) -> Comment:
    """Return a note; its address is not part of GitLab's answer."""
    number = str(note.required_number("id"))
    return Comment(
        id=number,
        author=_author(note),
        body=note.text("body"),
        url=f"note {number}",
        updated_at=note.text("updated_at"),
    )


def _issue(issue: JsonObject) -> Issue:
    return Issue(
        number=str(issue.required_number("iid")),
        author=_author(issue),
        title=issue.text("title"),
        body=issue.text("description"),
        url=issue.text("web_url"),
    )


def _author(item: JsonObject) -> str:
    return item.child("author").text("username")
