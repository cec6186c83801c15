"""Branches and pull requests on GitHub: commits are made over the REST API, without a clone or a push."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.core.errors import PublishingFailed, UnknownPublication
from reconciler.publishers.forge import Branch, BranchDifference, BranchMoved, PullRequest
from reconciler.publishers.github import DEFAULT_API_URL, github_client, repository_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.http.clock import BlockingClock
    from reconciler.http.json_fields import JsonObject
    from reconciler.publishers.forge import NewCommit

_CONTENTS: Final = "contents: write"
_PULL_REQUESTS: Final = "pull-requests: write"

_MAX_FILES: Final = 300
"""A comparison lists no more files (REST documentation, "Compare two commits")."""

_FILES_AT_ONCE: Final = 200
"""Files that one call adds to a tree, so that no request is too large."""

_HINTS: Final = {
    401: "the token is not valid, or not any more",
    404: "there is no such repository, branch or pull request, or the token may not see it",
}
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_INVALID: Final = 422


class GitHubRepository:
    """One repository, as far as pull requests need it."""

    noun = "pull request"

    def __init__(
        self,
        token: str,
        repository: str,
        *,
        api_url: str = DEFAULT_API_URL,
        clock: BlockingClock | None = None,
    ) -> None:
        self._name = repository
        self._path = repository_path(api_url, repository)
        self._client = github_client(token, api_url, _HINTS, clock)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def default_branch(self) -> Branch:
        """Return the branch that pull requests are merged into."""
        name = self._call("GET", "", "contents: read").text("default_branch")
        branch = self.branch(name) if name else None
        if branch is None:
            raise PublishingFailed(f"the repository {self._name} has no default branch")
        return branch

    def branch(self, name: str) -> Branch | None:
        """Return a branch, or None if there is none."""
        document = self._find(f"/branches/{quote(name, safe='')}")
        if document is None:
            return None
        commit = document.child("commit").required_text("sha")
        return Branch(name=name, commit=commit, is_protected=document.values.get("protected") is True)

    def difference(self, base: Branch, branch: Branch) -> BranchDifference:
        """Return what a branch holds that its base does not have."""
        compared = self._call("GET", f"/compare/{base.commit}...{branch.commit}", "contents: read")
        files, commits = compared.objects("files"), compared.objects("commits")
        total = compared.values.get("total_commits")
        return BranchDifference(
            paths=tuple(file.required_text("filename") for file in files),
            is_whole=len(files) < _MAX_FILES and total == len(commits),
            messages=tuple(commit.child("commit").text("message") for commit in commits),
            authors=tuple(map(_author, commits)),
        )

    def read_file(self, path: str, commit: str) -> bytes | None:
        """Return the content of a file, or None if the commit does not have it."""
        document = self._find(f"/contents/{quote(path)}?ref={commit}")
        if document is None:
            return None
        if document.text("encoding") != "base64":  # a large file comes as a blob only
            document = self._call("GET", f"/git/blobs/{document.required_text('sha')}", "contents: read")
        try:
            return base64.b64decode(document.text("content"))
        except binascii.Error as error:
            raise PublishingFailed(f"the content of {path} is not in base64") from error

    def write(self, commit: NewCommit) -> None:
        """Write a commit on top of the branch, or create the branch.

        Where the branch is replaced, its former end stays a parent, so that GitHub itself refuses the
        commit if the branch has moved: nothing is ever forced.
        """
        tree = self._tree(commit)
        parents = [*dict.fromkeys(filter(None, (commit.replaces, commit.start)))]
        document: dict[str, Any] = {"message": commit.message, "tree": tree, "parents": parents}
        sha = self._call("POST", "/git/commits", _CONTENTS, document).required_text("sha")
        try:
            if commit.replaces:
                document = {"sha": sha, "force": False}
                self._call("PATCH", f"/git/refs/heads/{quote(commit.branch)}", _CONTENTS, document)
            else:
                document = {"ref": f"refs/heads/{commit.branch}", "sha": sha}
                self._call("POST", "/git/refs", _CONTENTS, document, creates=True)
        except UnknownPublication as error:
            raise BranchMoved(str(error)) from error
        except PublishingFailed as error:
            if error.status == _INVALID and any(words in str(error) for words in _MOVED):
                raise BranchMoved(str(error)) from error
            raise

    def delete_branch(self, branch: Branch) -> None:
        """Delete a branch; one that no longer exists is not an error."""
        try:
            self._send("DELETE", f"/git/refs/heads/{quote(branch.name)}", _CONTENTS)
        except PublishingFailed as error:
            if error.status not in {_NOT_FOUND, _INVALID} or "protect" in str(error):
                raise

    def pull_requests(self, branch: str) -> Iterator[PullRequest]:
        """Yield the pull requests of one of the repository's own branches, open or not, the newest first."""
        owner = self._name.partition("/")[0]
        query = (
            f"head={quote(f'{owner}:{branch}', safe='')}&state=all&sort=created&direction=desc&per_page=100"
        )
        for document in self._client.pages(f"{self._path}/pulls?{query}"):
            head = document.child("head")
            if head.text("ref") == branch and head.child("repo").text("full_name") == self._name:
                yield _pull_request(document)

    def create_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request."""
        document = {"title": title, "head": branch, "base": base, "body": body}
        try:
            return _pull_request(self._call("POST", "/pulls", _PULL_REQUESTS, document, creates=True))
        except UnknownPublication as error:
            raise BranchMoved(str(error)) from error
        except PublishingFailed as error:
            if error.status == _INVALID and "already exists" in str(error):
                raise BranchMoved(str(error)) from error
            raise

    def edit_pull_request(self, pull_request: PullRequest, title: str, body: str) -> None:
        """Replace title and body of a pull request."""
        document = {"title": title, "body": body}
        self._send("PATCH", f"/pulls/{pull_request.number}", _PULL_REQUESTS, document)

    def close_pull_request(self, pull_request: PullRequest, reason: str) -> None:
        """Write a comment that says why, and close a pull request without merging it."""
        self._send("POST", f"/issues/{pull_request.number}/comments", _PULL_REQUESTS, {"body": reason})
        self._send("PATCH", f"/pulls/{pull_request.number}", _PULL_REQUESTS, {"state": "closed"})

    def _tree(self, commit: NewCommit) -> str:
        """Return the tree of the commit's start with the files written into it."""
        tree = self._call("GET", f"/git/commits/{commit.start}", "contents: read").child("tree")
        sha = tree.required_text("sha")
        paths = sorted(commit.files)
        for start in range(0, len(paths), _FILES_AT_ONCE):
            entries = [
                {
                    "path": path,
                    "mode": "100755" if path in commit.executables else "100644",
                    "type": "blob",
                    "content": commit.files[path].decode(),
                }
                for path in paths[start : start + _FILES_AT_ONCE]
            ]
            document = {"base_tree": sha, "tree": entries}
            sha = self._call("POST", "/git/trees", _CONTENTS, document).required_text("sha")
        return sha

    def _find(self, path: str) -> JsonObject | None:
        try:
            return self._call("GET", path, "contents: read")
        except PublishingFailed as error:
            if error.status != _NOT_FOUND:
                raise
            return None

    def _call(
        self,
        method: str,
        path: str,
        permission: str,
        body: Mapping[str, Any] | None = None,
        *,
        creates: bool = False,
    ) -> JsonObject:
        try:
            return self._client.call(method, self._path + path, body=body, creates=creates)
        except PublishingFailed as error:
            raise _with_permission(error, permission) from error

    def _send(self, method: str, path: str, permission: str, body: Mapping[str, Any] | None = None) -> None:
        try:
            self._client.send(method, self._path + path, body=body)
        except PublishingFailed as error:
            raise _with_permission(error, permission) from error


_MOVED: Final = ("fast forward", "Reference already exists", "Reference does not exist")
"""GitHub's words for a branch that has changed since it was read."""

_PROTECTED: Final = ("protected ref", "Protected branch", "rule violation")
"""GitHub's words for a branch that a rule protects."""

_WORKFLOWS: Final = "without `workflows` permission"
"""GitHub's words for a commit that brings changed workflows to a branch, from wherever."""

_NOT_PERMITTED: Final = "not permitted to create or approve pull requests"


def _with_permission(error: PublishingFailed, permission: str) -> PublishingFailed:
    """Return the error with what the token needs, where that is the reason."""
    if _NOT_PERMITTED in str(error):
        hint = (
            'allow it in "Settings > Actions > General > Workflow permissions" of the repository, '
            "or use the token of an app"
        )
    elif _WORKFLOWS in str(error):
        hint = (
            "the default branch has changed workflows since this branch began: merge or close its pull "
            "request and run this again, or use the token of an app with the permission `workflows: write`"
        )
    elif any(words in str(error) for words in _PROTECTED):
        hint = "exclude the branches `reconciler/**` from the rule that protects them"
    elif error.status == _FORBIDDEN:
        hint = f"the token needs the permission `{permission}`"
    else:
        return error
    return type(error)(f"{error} ({hint})", status=error.status)


def _pull_request(document: JsonObject) -> PullRequest:
    return PullRequest(
        number=str(document.required_number("number")),
        commit=document.child("head").required_text("sha"),
        title=document.text("title"),
        body=document.text("body").replace("\r\n", "\n"),
        url=document.text("html_url"),
        is_open=document.text("state") == "open",
        is_merged=bool(document.values.get("merged_at")),
    )


def _author(commit: JsonObject) -> str:
    """Return the account that GitHub knows, or else the name in the commit."""
    return commit.child("author").text("login") or commit.child("commit").child("author").text("name")
