"""GitHub.com and GitHub Enterprise Server: comments, labels and issues over the REST API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.core.errors import PublishingFailed, UsageError
from reconciler.http.urls import parse_url
from reconciler.publishers.forge import Comment, Issue
from reconciler.publishers.rest_client import RestClient, check_api_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from reconciler.http.clock import BlockingClock
    from reconciler.http.json_fields import JsonObject

DEFAULT_API_URL: Final = "https://api.github.com"

MAX_SUMMARY_BYTES: Final = 1024 * 1024
"""What one step may append to the summary of its job; GitHub shows nothing at all of a longer summary."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_API_VERSION: Final = "2022-11-28"

_HINTS: Final = {
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
        clock: BlockingClock | None = None,
    ) -> None:
        api = parse_url(check_api_url(api_url))
        self._repository = repository_path(api_url, repository)
        self._user = f"{api.path}/user"
        self.pull_request = pull_request
        self._graphql = f"{api.path.removesuffix('/v3')}/graphql"
        self._author = ""
        self._client = github_client(token, api_url, _HINTS, clock)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def find_pull_request(self, commit: str) -> int | None:
        """Return the pull request that was merged as this commit, else the first merged one that has it."""
        path = f"{self._repository}/commits/{quote(commit, safe='')}/pulls?per_page=100"
        merged = [item for item in self._client.pages(path) if item.text("merged_at")]
        exact = (item for item in merged if item.text("merge_commit_sha") == commit)
        pull_request = next(exact, merged[0] if merged else None)
        return pull_request.required_number("number") if pull_request else None

    def author(self) -> str:
        """Return the login of the token's account.

        The token of a workflow belongs to an app, which may not ask REST who it is; GraphQL tells,
        at ``/graphql`` on GitHub.com and next to ``/api/v3`` on a server.
        """
        if not self._author:
            self._author = self._ask_rest() or self._ask_graphql()
        return self._author

    def comments(self) -> Iterator[Comment]:
        """Yield the comments of the pull request, the oldest first."""
        for comment in self._client.pages(f"{self._conversation}/comments?per_page=100"):
            yield _comment(comment)

    def create_comment(self, body: str) -> Comment:
        """Write a comment on the pull request."""
        path = f"{self._conversation}/comments"
        return _comment(self._client.call("POST", path, body={"body": body}, creates=True))

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Replace the body of a comment."""
        self._client.send("PATCH", f"{self._repository}/issues/comments/{comment.id}", body={"body": body})

    def delete_comment(self, comment: Comment) -> None:
        """Remove a comment; a comment that no longer exists is not an error."""
        self._client.delete(f"{self._repository}/issues/comments/{comment.id}")

    def labels(self) -> frozenset[str]:
        """Return the labels of the pull request."""
        labels = self._client.pages(f"{self._conversation}/labels?per_page=100")
        return frozenset(label.text("name") for label in labels)

    def change_labels(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Add and remove labels; GitHub makes a label that the repository does not have yet."""
        if add:
            self._client.send("POST", f"{self._conversation}/labels", body={"labels": sorted(add)})
        for label in sorted(remove):
            self._client.delete(f"{self._conversation}/labels/{quote(label, safe='')}")

    def open_issues(self) -> Iterator[Issue]:
        """Yield the open issues that this account wrote; GitHub lists pull requests among them."""
        creator = quote(self.author(), safe="")
        query = f"state=open&creator={creator}&per_page=100"
        for issue in self._client.pages(f"{self._repository}/issues?{query}"):
            if "pull_request" not in issue.values:
                yield _issue(issue)

    def create_issue(self, title: str, body: str) -> Issue:
        """Open an issue."""
        document = {"title": title, "body": body}
        return _issue(self._client.call("POST", f"{self._repository}/issues", body=document, creates=True))

    def edit_issue(self, issue: Issue, title: str, body: str) -> None:
        """Replace title and body of an issue."""
        self._client.send("PATCH", self._issue_path(issue), body={"title": title, "body": body})

    def comment_on_issue(self, issue: Issue, body: str) -> None:
        """Write a comment on an issue."""
        self._client.send("POST", f"{self._issue_path(issue)}/comments", body={"body": body}, creates=True)

    def close_issue(self, issue: Issue) -> None:
        """Close an issue as done."""
        document = {"state": "closed", "state_reason": "completed"}
        self._client.send("PATCH", self._issue_path(issue), body=document)

    @property
    def _conversation(self) -> str:
        """The pull request's path; comments and labels are those of its issue."""
        if self.pull_request is None:
            raise UsageError("there is no pull request to write to: say which with `--pull-request NUMBER`")
        return f"{self._repository}/issues/{self.pull_request}"

    def _issue_path(self, issue: Issue) -> str:
        return f"{self._repository}/issues/{issue.number}"

    def _ask_rest(self) -> str:
        try:
            return self._client.call("GET", self._user).text("login")
        except PublishingFailed as error:
            if error.status != 403:  # noqa: PLR2004 - "Resource not accessible by integration"
                raise
            return ""

    def _ask_graphql(self) -> str:
        response = self._client.call("POST", self._graphql, body={"query": "{ viewer { login } }"})
        login = response.child("data").child("viewer").text("login")
        if not login:
            raise PublishingFailed("GitHub does not say which account this token belongs to")
        return login


def repository_path(api_url: str, repository: str) -> str:
    """Return the path of a repository in the API.

    Raises:
        UsageError: its name has another form, or the address is unfit.
    """
    if _REPOSITORY.fullmatch(repository) is None:
        raise UsageError(f"the repository {repository!r} must have the form OWNER/NAME")
    return f"{parse_url(check_api_url(api_url)).path}/repos/{repository}"


def github_client(
    token: str, api_url: str, hints: Mapping[int, str], clock: BlockingClock | None
) -> RestClient:
    """Return a client of the API, whose paths begin with that of ``api_url``.

    Raises:
        UsageError: the token or the address is unfit.
    """
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": _API_VERSION,
        "User-Agent": "reconciler",
    }
    api = parse_url(check_api_url(api_url))
    return RestClient(f"{api.scheme}://{api.netloc}", headers, token=token, hints=hints, clock=clock)


def head_of_event(text: str) -> str:
    """Return the newest commit of the pull request that a workflow runs for; empty if there is none.

    The workflow itself runs on a merge of that commit, which GitHub makes and nowhere shows.
    """
    try:
        sha = json.loads(text)["pull_request"]["head"]["sha"]
    except (ValueError, KeyError, TypeError):
        return ""
    return sha if isinstance(sha, str) and _COMMIT.fullmatch(sha) else ""


def pull_request_of_event(text: str) -> int | None:
    """Return the number of the pull request that a workflow runs for, or None if there is no single one.

    ``text`` is the document that GitHub hands to every job.

    Known are events of pull requests, comments on them, and runs that follow one of this repository;
    of a fork's, GitHub does not tell the number (documentation, "Webhook events and payloads").
    """
    try:
        event = json.loads(text)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    issue = event.get("issue")
    if isinstance(issue, dict) and "pull_request" in issue:
        return _number(issue)
    run = event.get("workflow_run")
    if isinstance(run, dict):
        pull_requests = run.get("pull_requests")
        return (
            _number(pull_requests[0]) if isinstance(pull_requests, list) and len(pull_requests) == 1 else None
        )
    return _number(event.get("pull_request"))


def append_summary(path: Path, text: str) -> None:
    """Append to the page that GitHub shows for a job.

    Raises:
        PublishingFailed: it cannot be written, or the step would exceed its limit.
    """
    addition = f"{text.rstrip()}\n\n".encode()
    try:
        present = path.stat().st_size if path.exists() else 0
        if present + len(addition) > MAX_SUMMARY_BYTES:
            raise PublishingFailed(f"the job summary would exceed {MAX_SUMMARY_BYTES:,} bytes")
        with path.open("ab") as file:
            file.write(addition)
    except OSError as error:
        raise PublishingFailed(f"cannot write the job summary {path}: {error.strerror or error}") from error


def room_in_summary(path: Path) -> int:
    """Return how many bytes this step may still append to its job's summary."""
    try:
        return MAX_SUMMARY_BYTES - path.stat().st_size
    except OSError:
        return MAX_SUMMARY_BYTES


def _comment(comment: JsonObject) -> Comment:
    return Comment(
        id=str(comment.required_number("id")),
        author=_author(comment),
        body=comment.text("body"),
        url=comment.text("html_url"),
        updated_at=comment.text("updated_at"),
    )


def _issue(issue: JsonObject) -> Issue:
    return Issue(
        number=str(issue.required_number("number")),
        author=_author(issue),
        title=issue.text("title"),
        body=issue.text("body"),
        url=issue.text("html_url"),
    )


def _author(item: JsonObject) -> str:
    """Return the login; the account of a comment may have been deleted, and is null then."""
    return item.child("user").text("login")


def _number(document: Any) -> int | None:  # noqa: ANN401 - JSON
    number = document.get("number") if isinstance(document, dict) else None
    return number if isinstance(number, int) and number > 0 else None
