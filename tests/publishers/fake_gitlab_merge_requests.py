"""GitLab's REST API for branches and merge requests, with the rules that the real one has.

A commit with a start begins a branch that does not exist (400), or replaces it if forced; a file is
updated only if nobody changed it since (400); protected branches are refused (403); there is one open
merge request for a branch (409).
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.publishers.fake_forge import Answer
from tests.publishers.fake_git import FakeGit
from tests.publishers.fake_gitlab import PROJECT, TOKEN, FakeGitLab

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.publishers.fake_forge import Call

_MISSING = Answer(404, {"message": "404 Not Found"})


class FakeGitLabMergeRequests(FakeGitLab):
    """One project with files; ``before`` runs before each call."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        super().__init__()
        self.git = FakeGit(files)
        self.merge_requests: list[dict[str, Any]] = []
        self.before: Callable[[Call], None] = lambda _call: None

    def open_pulls(self) -> list[dict[str, Any]]:
        return [one for one in self.merge_requests if one["state"] == "opened"]

    def merge(self, request: dict[str, Any]) -> None:
        request["sha"] = self.git.branches[request["source_branch"]]
        self.git.merge(request["source_branch"])
        request["state"] = "merged"

    def close(self, request: dict[str, Any]) -> None:
        request["sha"] = self.git.branches.get(request["source_branch"], request["sha"])
        request["state"] = "closed"

    def answer(self, call: Call) -> Answer:
        self.before(call)
        root = f"/api/v4/projects/{PROJECT}"
        path = unquote(call.path).removeprefix(root)
        if call.headers.get("private-token") != TOKEN:
            return Answer(401, {"message": "401 Unauthorized"})
        if call.method != "GET" and "api" not in self.scopes:
            return super().answer(call)
        if path == "":
            return Answer(200, {"id": int(PROJECT), "default_branch": "main"})
        if match := re.match(r"/repository/(branches|compare|files|commits$)(?:/(.*))?$", path):
            answer: Answer = getattr(self, f"_{match[1]}")(call, match[2] or "")
            return answer
        if path.startswith("/merge_requests") and not path.startswith("/merge_requests/3"):
            return self._requests(call, path.removeprefix("/merge_requests"))
        return super().answer(call)

    def _branches(self, call: Call, name: str) -> Answer:
        if name not in self.git.branches:
            return Answer(404, {"message": "404 Branch Not Found"})
        if call.method == "DELETE":
            if name in self.git.protected:
                return Answer(403, {"message": "403 Forbidden"})
            for request in self.open_pulls():
                if request["source_branch"] == name:
                    self.close(request)
            del self.git.branches[name]
            return Answer(204)
        sha = self.git.branches[name]
        return Answer(200, {"name": name, "commit": {"id": sha}, "protected": name in self.git.protected})

    def _compare(self, call: Call, _rest: str) -> Answer:
        base, head = call.query["from"], call.query["to"]
        commits = [
            {"id": commit.sha, "message": commit.message, "author_name": commit.author}
            for commit in self.git.ahead(base, head)
        ]
        diffs = [{"old_path": path, "new_path": path} for path in self.git.changed(base, head)]
        return Answer(200, {"commits": commits, "diffs": diffs, "compare_timeout": False})

    def _files(self, call: Call, path: str) -> Answer:
        commit = call.query["ref"]
        content = self.git.commits[commit].files.get(path)
        if content is None:
            return _MISSING
        text = base64.b64encode(content).decode()
        document = {"content": text, "encoding": "base64", "last_commit_id": self._last_commit(commit, path)}
        return Answer(200, document)

    def _last_commit(self, head: str, path: str) -> str:
        """Return the commit that last changed a file, along the first parents."""
        while True:
            commit = self.git.commits[head]
            if not commit.parents:
                return head
            if self.git.commits[commit.parents[0]].files.get(path) != commit.files.get(path):
                return head
            head = commit.parents[0]

    def _commits(self, call: Call, _rest: str) -> Answer:
        branch, start = call.body["branch"], call.body.get("start_sha")
        if branch in self.git.protected:
            return Answer(403, {"message": "You are not allowed to push into this branch"})
        if start and branch in self.git.branches and not call.body.get("force"):
            words = (
                f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
            )
            return Answer(400, {"message": words})
        if not start and branch not in self.git.branches:
            return Answer(400, {"message": "You can only create or edit files when you are on a branch"})
        parent = start or self.git.branches[branch]
        files = dict(self.git.commits[parent].files)
        for action in call.body["actions"]:
            path = action["file_path"]
            if path not in files:
                return Answer(400, {"message": f"A file with this name doesn't exist: {path}"})
            if action.get("last_commit_id", "") not in {"", self._last_commit(parent, path)}:
                words = "You are attempting to update a file that has changed since you started editing it."
                return Answer(400, {"message": words})
            files[path] = action["content"].encode()
        sha = self.git.add(files, (parent,), call.body["commit_message"], "project_42_bot")
        self.git.branches[branch] = sha
        return Answer(201, {"id": sha})

    def _requests(self, call: Call, path: str) -> Answer:
        match = re.fullmatch(r"(?:/(\d+)(/notes)?)?", path)
        if match is None:
            return _MISSING
        if match[1]:
            request = next(one for one in self.merge_requests if one["iid"] == int(match[1]))
            return self._change(call, request, is_note=bool(match[2]))
        if call.method == "GET":
            known = [
                one
                for one in reversed(self.merge_requests)
                if one["source_branch"] == call.query["source_branch"]
            ]
            return self.page(call, [self._document(one) for one in known])
        branch = call.body["source_branch"]
        for request in self.open_pulls():
            if request["source_branch"] == branch:
                words = f"Another open merge request already exists for this source branch: !{request['iid']}"
                return Answer(409, {"message": [words]})
        request = {
            "iid": next(self._numbers),
            "sha": "",
            "state": "opened",
            "source_project_id": int(PROJECT),
            "notes": [],
            **call.body,
        }
        self.merge_requests.append(request)
        return Answer(201, self._document(request))

    def _change(self, call: Call, request: dict[str, Any], *, is_note: bool) -> Answer:
        if is_note:
            request["notes"].append(call.body["body"])
            return Answer(201, {"id": next(self._numbers)})
        if call.body.get("state_event") == "close":
            self.close(request)
        request |= {name: call.body[name] for name in ("title", "description") if name in call.body}
        return Answer(200, self._document(request))

    def _document(self, request: dict[str, Any]) -> dict[str, Any]:
        sha = self.git.branches.get(request["source_branch"], request["sha"])
        if request["state"] != "opened":
            sha = request["sha"]
        url = f"https://gitlab.example/acme/identity/-/merge_requests/{request['iid']}"
        return {**request, "sha": sha, "web_url": url}
