"""Branches and merge requests on GitLab: commits are made over the REST API, without a clone or a push."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.core.errors import PublishingFailed, UnknownPublication
from reconciler.publishers.forge import Branch, BranchDifference, BranchMoved, PullRequest
from reconciler.publishers.gitlab import DEFAULT_API_URL, gitlab_client, project_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.http.clock import BlockingClock
    from reconciler.http.json_fields import JsonObject
    from reconciler.publishers.forge import NewCommit

_MAX_FILES: Final = 1000
"""A comparison lists no more files, unless an administrator allows it."""

_HINTS: Final = {
    401: "the token is not valid, or not any more",
    403: "the token needs the scope `api` and the role of a developer",
    404: "there is no such project, branch or merge request, or the token may not see it",
}
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_MOVED: Final = ("already exists", "has changed since", "does not exist")
"""GitLab's words for a branch or a file that has changed since it was read."""


class GitLabRepository:
    """One project, as far as merge requests need it."""

    noun = "merge request"

    def __init__(
        self, token: str, project: str, *, api_url: str = DEFAULT_API_URL, clock: BlockingClock | None = None
    ) -> None:
        self._path = project_path(project)
        self._client = gitlab_client(token, api_url, _HINTS, clock)
        self._id = 0
        self._last_commits: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def default_branch(self) -> Branch:
        """Return the branch that merge requests are merged into."""
        project = self._client.call("GET", self._path)
        self._id = project.required_number("id")
        name = project.text("default_branch")
        branch = self.branch(name) if name else None
        if branch is None:
            raise PublishingFailed("the project has no default branch")
        return branch

    def branch(self, name: str) -> Branch | None:
        """Return a branch, or None if there is none."""
        document = self._find(f"/repository/branches/{quote(name, safe='')}")
        if document is None:
            return None
        commit = document.child("commit").required_text("id")
        return Branch(name=name, commit=commit, is_protected=document.values.get("protected") is True)

    def difference(self, base: Branch, branch: Branch) -> BranchDifference:
        """Return what a branch holds that its base does not have."""
        query = f"from={base.commit}&to={branch.commit}"
        compared = self._client.call("GET", f"{self._path}/repository/compare?{query}")
        files, commits = compared.objects("diffs"), compared.objects("commits")
        paths = [file.required_text(name) for file in files for name in ("old_path", "new_path")]
        return BranchDifference(
            paths=tuple(dict.fromkeys(paths)),
            is_whole=len(files) < _MAX_FILES and compared.values.get("compare_timeout") is not True,
            messages=tuple(commit.text("message") for commit in commits),
            authors=tuple(commit.text("author_name") for commit in commits),
        )

    def read_file(self, path: str, commit: str) -> bytes | None:
        """Return the content of a file, or None if the commit does not have it."""
        document = self._find(f"/repository/files/{quote(path, safe='')}?ref={commit}")
        if document is None:
            return None
        self._last_commits[commit, path] = document.text("last_commit_id")
        try:
            return base64.b64decode(document.text("content"))
        except binascii.Error as error:
            raise PublishingFailed(f"the content of {path} is not in base64") from error

    def write(self, commit: NewCommit) -> None:
        """Write a commit on top of the branch, start the branch, or replace it by a new start.

        On top of a branch, GitLab refuses to write a file that somebody else has changed. A branch is
        replaced only if it still ends with the commit that was compared.
        """
        document: dict[str, Any] = {
            "branch": commit.branch,
            "commit_message": commit.message,
            "actions": [self._action(commit, path) for path in sorted(commit.files)],
        }
        if commit.start != commit.replaces:
            document["start_sha"] = commit.start
        if commit.replaces:
            branch = self.branch(commit.branch)
            if branch is None or branch.commit != commit.replaces:
                raise BranchMoved(f"the branch {commit.branch} has changed")
            document["force"] = commit.start != commit.replaces
        try:
            self._client.call("POST", f"{self._path}/repository/commits", body=document, creates=True)
        except UnknownPublication as error:
            raise BranchMoved(str(error)) from error
        except PublishingFailed as error:
            if error.status == _BAD_REQUEST and any(words in str(error) for words in _MOVED):
                raise BranchMoved(str(error)) from error
            raise

    def delete_branch(self, branch: Branch) -> None:
        """Delete a branch; one that no longer exists is not an error."""
        self._client.delete(f"{self._path}/repository/branches/{quote(branch.name, safe='')}")

    def pull_requests(self, branch: str) -> Iterator[PullRequest]:
        """Yield the merge requests of one of the project's own branches, open or not, the newest first."""
        query = f"source_branch={quote(branch, safe='')}&state=all&order_by=created_at&sort=desc&per_page=100"
        for document in self._client.pages(f"{self._path}/merge_requests?{query}"):
            if document.values.get("source_project_id") == self._project_id():
                yield _merge_request(document)

    def create_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a merge request, which deletes its branch when it is merged."""
        document = {
            "source_branch": branch,
            "target_branch": base,
            "title": title,
            "description": body,
            "remove_source_branch": True,
        }
        path = f"{self._path}/merge_requests"
        try:
            return _merge_request(self._client.call("POST", path, body=document, creates=True))
        except UnknownPublication as error:
            raise BranchMoved(str(error)) from error
        except PublishingFailed as error:
            if error.status == _CONFLICT:
                raise BranchMoved(str(error)) from error
            raise

    def edit_pull_request(self, pull_request: PullRequest, title: str, body: str) -> None:
        """Replace title and description of a merge request."""
        path = f"{self._path}/merge_requests/{pull_request.number}"
        self._client.send("PUT", path, body={"title": title, "description": body})

    def close_pull_request(self, pull_request: PullRequest, reason: str) -> None:
        """Write a note that says why, and close a merge request without merging it."""
        path = f"{self._path}/merge_requests/{pull_request.number}"
        self._client.send("POST", f"{path}/notes", body={"body": reason})
        self._client.send("PUT", path, body={"state_event": "close"})

    def _action(self, commit: NewCommit, path: str) -> dict[str, str]:
        action = {"action": "update", "file_path": path, "content": commit.files[path].decode()}
        last_commit = self._last_commits.get((commit.replaces, path), "")
        if commit.start == commit.replaces and last_commit:
            action["last_commit_id"] = last_commit
        return action

    def _project_id(self) -> int:
        if not self._id:
            self._id = self._client.call("GET", self._path).required_number("id")
        return self._id

    def _find(self, path: str) -> JsonObject | None:
        try:
            return self._client.call("GET", self._path + path)
        except PublishingFailed as error:
            if error.status != _NOT_FOUND:
                raise
            return None


def _merge_request(document: JsonObject) -> PullRequest:
    return PullRequest(
        number=str(document.required_number("iid")),
        commit=document.text("sha"),
        title=document.text("title"),
        body=document.text("description").replace("\r\n", "\n"),
        url=document.text("web_url"),
        is_open=document.text("state") in {"opened", "locked"},
        is_merged=document.text("state") == "merged",
    )
