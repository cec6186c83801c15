"""GitHub's REST API for branches and pull requests, with the rules that the real one has.

A ref is made once (422), moved only forwards (422 unless forced), and not where a branch is protected;
no commit brings changed workflows to it without the permission (403); there is one open pull request
for a branch (422), none without commits (422); a token writes what its
permissions name (403), and may be forbidden to create pull requests (403); lists come in pages.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.publishers.fake_forge import Answer
from tests.publishers.fake_git import FakeGit
from tests.publishers.fake_github import LONGEST_BODY, REPOSITORY, FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.publishers.fake_forge import Call

_MISSING = Answer(404, {"message": "Not Found"})
_FORBIDDEN = Answer(403, {"message": "Resource not accessible by integration"})
_MOST_FILES = 300


@dataclass
class Pull:
    number: int
    head: str
    base: str
    title: str
    body: str
    sha: str = ""
    state: str = "open"
    is_merged: bool = False
    repository: str = REPOSITORY
    comments: list[str] = field(default_factory=list)


class Refused(Exception):
    """A rule of the API that a call breaks, and how it is answered."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.document)
        self.answer = answer


class FakeGitHubPulls(FakeGitHub):
    """One repository with files. ``permissions`` are those of the token; ``before`` runs before each call."""

    def __init__(self, files: Mapping[str, bytes] | None = None, *, prefix: str = "") -> None:
        super().__init__(prefix=prefix)
        self.git = FakeGit(files)
        self.pulls: list[Pull] = []
        self.permissions = {"contents", "pull-requests", "issues"}
        self.may_create_pull_requests = True
        self.before: Callable[[Call], None] = lambda _call: None

    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.pulls if pull.state == "open"]

    def merge(self, pull: Pull) -> None:
        pull.sha = self.git.branches[pull.head]
        self.git.merge(pull.head)
        pull.state, pull.is_merged = "closed", True

    def close(self, pull: Pull) -> None:
        pull.sha = self.git.branches[pull.head]
        pull.state = "closed"

    def answer(self, call: Call) -> Answer:
        self.before(call)
        try:
            return self._route(call, unquote(call.path))
        except Refused as refused:
            return refused.answer

    def _route(self, call: Call, path: str) -> Answer:
        root = f"{self.prefix}/repos/{REPOSITORY}"
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.accounts:
            raise Refused(Answer(401, {"message": "Bad credentials"}))
        if path == root:
            return Answer(200, {"full_name": REPOSITORY, "default_branch": "main"})
        match = re.match(rf"{re.escape(root)}/(branches|compare|contents|git|pulls)(?:/(.*))?$", path)
        if match:
            self._check(call, {"pull-requests" if match[1] == "pulls" else "contents"})
            answer: Answer = getattr(self, f"_{match[1]}")(call, match[2] or "")
            return answer
        match = re.fullmatch(rf"{re.escape(root)}/issues(?:/(\d+)|/comments)?(/.*)?", path)
        number = int(match[1]) if match and match[1] else 0
        pull = next((pull for pull in self.pulls if pull.number == number), None)
        conversation = self.conversations.get(number)
        is_pull_request = pull is not None or (conversation is not None and conversation.is_pull_request)
        self._check(
            call, {"issues", "pull-requests"} if is_pull_request or "/comments/" in path else {"issues"}
        )
        if pull is None:
            return super().answer(call)
        pull.comments.append(call.body["body"])
        return Answer(201, {"id": next(self._numbers), "body": call.body["body"]})

    def _check(self, call: Call, permissions: set[str]) -> None:
        """Refuse what none of the permissions allows."""
        if call.method != "GET" and not permissions & self.permissions and "graphql" not in call.path:
            raise Refused(_FORBIDDEN)

    def _branches(self, call: Call, name: str) -> Answer:
        sha = self.git.branches.get(name)
        if sha is None:
            return Answer(404, {"message": "Branch not found"})
        return Answer(200, {"name": name, "commit": {"sha": sha}, "protected": name in self.git.protected})

    def _compare(self, call: Call, names: str) -> Answer:
        base, head = names.split("...")
        ahead = self.git.ahead(base, head)
        files = self.git.changed(base, head)[:_MOST_FILES]
        return Answer(
            200,
            {
                "total_commits": len(ahead),
                "commits": [
                    {
                        "sha": commit.sha,
                        "commit": {"message": commit.message, "author": {"name": commit.author}},
                        "author": {"login": commit.author},
                    }
                    for commit in ahead[:250]
                ],
                "files": [{"filename": path} for path in files],
            },
        )

    def _contents(self, call: Call, path: str) -> Answer:
        content = self.git.commits[call.query["ref"]].files.get(path)
        if content is None:
            return _MISSING
        return Answer(
            200, {"encoding": "base64", "content": base64.encodebytes(content).decode(), "sha": "b"}
        )

    def _git(self, call: Call, path: str) -> Answer:
        kind, _, rest = path.partition("/")
        if call.method == "GET" and kind == "commits":
            commit = self.git.commits[rest]
            return Answer(200, {"sha": rest, "tree": {"sha": self.git.tree(commit.files, commit.modes)}})
        if kind == "trees":
            files = dict(self.git.trees[call.body["base_tree"]])
            modes = dict(self.git.modes[call.body["base_tree"]])
            files |= {entry["path"]: entry["content"].encode() for entry in call.body["tree"]}
            modes |= {entry["path"]: entry["mode"] for entry in call.body["tree"]}
            return Answer(201, {"sha": self.git.tree(files, modes)})
        if kind == "commits":
            tree = call.body["tree"]
            sha = self.git.add(
                self.git.trees[tree],
                tuple(call.body["parents"]),
                call.body["message"],
                "github-actions[bot]",
                modes=self.git.modes[tree],
            )
            return Answer(201, {"sha": sha})
        return self._refs(call, rest) if kind == "refs" else _MISSING

    def _refs(self, call: Call, path: str) -> Answer:
        name = (path or call.body["ref"].removeprefix("refs/")).removeprefix("heads/")
        if name in self.git.protected:
            raise _invalid("Cannot update this protected ref.")
        if (call.method == "POST") == (name in self.git.branches):
            words = "already exists" if call.method == "POST" else "does not exist"
            raise Refused(Answer(422, {"message": f"Reference {words}"}))
        if call.method == "DELETE":
            self._delete(name)
            return Answer(204)
        sha = call.body["sha"]
        is_forced = call.method == "POST" or call.body.get("force")
        if not is_forced and not self.git.is_ancestor(self.git.branches[name], sha):
            raise Refused(Answer(422, {"message": "Update is not a fast forward"}))
        if not is_forced and self._changed_workflows(self.git.branches[name], sha):
            words = "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml`"
            raise Refused(Answer(403, {"message": f"{words} without `workflows` permission"}))
        self.git.branches[name] = sha
        return Answer(201 if call.method == "POST" else 200, {"ref": f"refs/heads/{name}"})

    def _changed_workflows(self, before: str, after: str) -> bool:
        """Whether a token without the permission `workflows` brings other workflows to a branch."""
        old, new = (
            {path: content for path, content in self.git.commits[sha].files.items() if "workflows/" in path}
            for sha in (before, after)
        )
        return old != new and "workflows" not in self.permissions

    def _delete(self, name: str) -> None:
        """Delete a branch, which closes its pull request."""
        for pull in self.open_pulls():
            if pull.head == name:
                self.close(pull)
        del self.git.branches[name]

    def _pulls(self, call: Call, number: str) -> Answer:
        if number:
            return self._one_pull(call, next(pull for pull in self.pulls if pull.number == int(number)))
        if call.method == "GET":
            return self.page(call, [self._document(pull) for pull in self._listed(call)])
        head, base = call.body["head"], call.body["base"]
        if not self.may_create_pull_requests:
            words = "GitHub Actions is not permitted to create or approve pull requests."
            raise Refused(Answer(403, {"message": words}))
        if any(pull.head == head and pull.base == base for pull in self.open_pulls()):
            raise _invalid(f"A pull request already exists for acme:{head}.")
        if not self.git.ahead(self.git.branches[base], self.git.branches[head]):
            raise _invalid(f"No commits between {base} and {head}")
        if len(call.body["body"]) > LONGEST_BODY:
            raise _invalid("body is too long (maximum is 65536 characters)")
        pull = Pull(next(self._numbers), head, base, call.body["title"], call.body["body"])
        self.pulls.append(pull)
        return Answer(201, self._document(pull))

    def _listed(self, call: Call) -> list[Pull]:
        """Return the pull requests of a branch, also those of forks of the same owner, the newest first."""
        owner, _, branch = call.query["head"].partition(":")
        return [
            pull
            for pull in reversed(self.pulls)
            if pull.head == branch
            and pull.repository.partition("/")[0] == owner
            and call.query["state"] in {"all", pull.state}
        ]

    def _one_pull(self, call: Call, pull: Pull) -> Answer:
        if call.body.get("state") == "closed":
            self.close(pull)
        pull.title = call.body.get("title", pull.title)
        pull.body = call.body.get("body", pull.body)
        return Answer(200, self._document(pull))

    def _document(self, pull: Pull) -> dict[str, Any]:
        sha = self.git.branches.get(pull.head, pull.sha) if pull.state == "open" else pull.sha
        return {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or None,
            "state": pull.state,
            "merged_at": "2026-11-29T00:00:00Z" if pull.is_merged else None,
            "html_url": f"https://github.example/{REPOSITORY}/pull/{pull.number}",
            "head": {"ref": pull.head, "sha": sha or "gone", "repo": {"full_name": pull.repository}},
        }


def _invalid(words: str) -> Refused:
    return Refused(Answer(422, {"message": "Validation Failed", "errors": [{"message": words}]}))
