"""GitLab's REST API as far as publishing needs it, with the rules that the real one has.

Notes hold at most 1,000,000 characters; GitLab writes notes of its own; an issue's text is called
description, its number ``iid``; labels are a comma-separated text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.publishers.fake_forge import Answer, FakeForge

if TYPE_CHECKING:
    from tests.publishers.fake_forge import Call

LONGEST_NOTE: Final = 1_000_000
PROJECT: Final = "42"
TOKEN: Final = "glpat-Zx81canaryToken"
BOT: Final = "project_42_bot"

_INSUFFICIENT_SCOPE: Final = Answer(
    403,
    {
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": "api",
    },
)
_MISSING: Final = Answer(404, {"message": "404 Not Found"})


class FakeGitLab(FakeForge):
    """One project with one merge request, number 3."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[dict[str, Any]] = []
        self.labels: list[str] = []
        self.issues: list[dict[str, Any]] = []
        self.state = "opened"
        self.merge_commit = ""
        self.scopes = {"api"}
        self._numbers = iter(range(100, 1_000_000))

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/v4"

    def note(self, body: str, author: str = BOT, *, system: bool = False) -> dict[str, Any]:
        document = {
            "id": next(self._numbers),
            "author": {"username": author},
            "body": body,
            "system": system,
            "updated_at": self.moment,
        }
        self.notes.append(document)
        return document

    def answer(self, call: Call) -> Answer:
        if call.headers.get("private-token") != TOKEN:
            return Answer(401, {"message": "401 Unauthorized"})
        if "api" not in self.scopes and (call.method != "GET" or "read_api" not in self.scopes):
            return _INSUFFICIENT_SCOPE
        if call.path == "/api/v4/user":
            return Answer(200, {"id": 9, "username": BOT})
        root = f"/api/v4/projects/{PROJECT}/"
        kind, _, rest = call.path.removeprefix(root).partition("/")
        answers = {
            "merge_requests": self._merge_request,
            "repository": self._merge_requests_of_commit,
            "issues": self._issues,
        }
        if not call.path.startswith(root) or kind not in answers:
            return _MISSING
        return answers[kind](call, f"/{rest}" if rest else "")

    def merge_as(self, commit: str) -> None:
        """Merge the merge request with this merge commit."""
        self.state, self.merge_commit = "merged", commit

    def _merge_requests_of_commit(self, call: Call, path: str) -> Answer:
        commit = path.removeprefix("/commits/").removesuffix("/merge_requests")
        document = {"iid": 3, "state": self.state, "merge_commit_sha": self.merge_commit}
        return self.page(call, [document] if commit == self.merge_commit else [])

    def _merge_request(self, call: Call, path: str) -> Answer:
        number, _, rest = path[1:].partition("/")
        if number != "3":
            return _MISSING
        path = f"/{rest}" if rest else ""
        if path == "":
            return self._labels(call)
        if path == "/notes":
            return self._list_or_write(call)
        match = re.fullmatch(r"/notes/(\d+)", path)
        note = next((one for one in self.notes if match and one["id"] == int(match[1])), None)
        if note is None:
            return _MISSING
        if call.method == "DELETE":
            self.notes.remove(note)
            return Answer(204)
        note |= {"body": call.body["body"], "updated_at": self.moment}
        return Answer(200, note)

    def _list_or_write(self, call: Call) -> Answer:
        if call.method == "GET":
            return self.page(call, self.notes)
        if not 0 < len(call.body["body"]) <= LONGEST_NOTE:
            return Answer(400, {"message": "400 Bad request - Note is too long"})
        return Answer(201, self.note(call.body["body"]))

    def _labels(self, call: Call) -> Answer:
        if call.method == "PUT":
            wanted = [label for label in call.body.get("add_labels", "").split(",") if label]
            unwanted = call.body.get("remove_labels", "").split(",")
            self.labels += [label for label in wanted if label not in self.labels]
            self.labels = [label for label in self.labels if label not in unwanted]
        return Answer(200, {"iid": 3, "labels": self.labels})

    def _issues(self, call: Call, path: str) -> Answer:
        if path == "" and call.method == "GET":
            return self.page(call, [issue for issue in self.issues if issue["state"] == call.query["state"]])
        if path == "":
            return self._open_issue(call)
        match = re.fullmatch(r"/(\d+)(/notes)?", path)
        issue = next((one for one in self.issues if match and one["iid"] == int(match[1])), None)
        if match is None or issue is None:
            return _MISSING
        if match[2]:
            issue["notes"].append(call.body["body"])
            return Answer(201, {"id": next(self._numbers)})
        issue |= {name: call.body[name] for name in ("title", "description") if name in call.body}
        if call.body.get("state_event") == "close":
            issue["state"] = "closed"
        return Answer(200, issue)

    def _open_issue(self, call: Call) -> Answer:
        issue = {
            "iid": next(self._numbers),
            "author": {"username": BOT},
            "title": call.body["title"],
            "description": call.body["description"],
            "state": "opened",
            "web_url": "https://gitlab.example/acme/identity/-/issues/1",
            "notes": [],
        }
        self.issues.append(issue)
        return Answer(201, issue)
