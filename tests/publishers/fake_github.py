"""GitHub's REST API as far as publishing needs it, with the rules that the real one has.

Comments and issue bodies hold at most 65,536 characters, labels 50; an app's token may not ask REST
who it is; issues list pull requests as well; lists come in pages of at most 100.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.publishers.fake_forge import Answer, FakeForge

if TYPE_CHECKING:
    from tests.publishers.fake_forge import Call

LONGEST_BODY: Final = 65_536
LONGEST_LABEL: Final = 50
REPOSITORY: Final = "acme/identity"
TOKEN: Final = "ghs_Zx81canaryToken"
APP: Final = "github-actions[bot]"

_FORBIDDEN: Final = Answer(403, {"message": "Resource not accessible by integration"})
_MISSING: Final = Answer(404, {"message": "Not Found"})


@dataclass
class Conversation:
    """An issue, or a pull request, which is one as well."""

    number: int
    author: str
    title: str = ""
    body: str = ""
    is_pull_request: bool = False
    state: str = "open"
    merged_as: str = ""
    labels: list[str] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)


class FakeGitHub(FakeForge):
    """One repository. ``prefix`` is ``/api/v3`` on an Enterprise server."""

    def __init__(self, *, prefix: str = "", is_read_only: bool = False) -> None:
        super().__init__()
        self.prefix = prefix
        self.is_read_only = is_read_only
        self.accounts = {TOKEN: APP}
        self.conversations = {7: Conversation(7, "dev", "a change", is_pull_request=True)}
        self._numbers = iter(range(100, 1_000_000))

    @property
    def api_url(self) -> str:
        return self.origin + self.prefix

    @property
    def pull_request(self) -> Conversation:
        return self.conversations[7]

    def comment(self, body: str, author: str = APP, number: int = 7) -> dict[str, Any]:
        identity = next(self._numbers)
        document = {
            "id": identity,
            "user": {"login": author},
            "body": body,
            "html_url": f"https://github.example/{REPOSITORY}/pull/{number}#issuecomment-{identity}",
            "updated_at": self.moment,
        }
        self.conversations[number].comments.append(document)
        return document

    def record_merge(self, number: int, commit: str) -> None:
        self.conversations[number].merged_as = commit
        self.conversations[number].state = "closed"

    def issues(self) -> list[Conversation]:
        return [one for one in self.conversations.values() if not one.is_pull_request]

    def answer(self, call: Call) -> Answer:
        login = self.accounts.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if login is None:
            return Answer(401, {"message": "Bad credentials"})
        if call.path == f"{self.prefix.removesuffix('/v3')}/graphql":
            return Answer(200, {"data": {"viewer": {"login": login}}})
        if call.path == f"{self.prefix}/user":
            return _FORBIDDEN if login.endswith("[bot]") else Answer(200, {"login": login})
        return self._in_repository(call, login)

    def _in_repository(self, call: Call, login: str) -> Answer:
        repository = f"{self.prefix}/repos/{REPOSITORY}"
        if match := re.fullmatch(rf"{repository}/commits/(\w+)/pulls", call.path):
            return self.page(call, [_pull_request(pull) for pull in self._merged_as(match[1])])
        root = f"{repository}/issues"
        if not call.path.startswith(root):
            return _MISSING
        if call.method != "GET" and self.is_read_only:
            return _FORBIDDEN
        return self._issues(call, call.path.removeprefix(root), login)

    def _merged_as(self, commit: str) -> list[Conversation]:
        return [pull for pull in self.conversations.values() if pull.merged_as == commit]

    def _issues(self, call: Call, path: str, login: str) -> Answer:
        if path == "":
            return self._list_issues(call) if call.method == "GET" else self._open_issue(call, login)
        if match := re.fullmatch(r"/comments/(\d+)", path):
            return self._one_comment(call, int(match[1]))
        match = re.fullmatch(r"/(\d+)(/comments|/labels(?:/(.+))?)?", path)
        conversation = self.conversations.get(int(match[1])) if match else None
        if match is None or conversation is None:
            return _MISSING
        if match[2] is None:
            return self._edit_issue(call, conversation)
        if match[2] == "/comments":
            return self._comments(call, conversation, login)
        return self._labels(call, conversation, match[3])

    def _list_issues(self, call: Call) -> Answer:
        found = [
            _issue(one)
            for one in self.conversations.values()
            if one.state == call.query.get("state", "open")
            and one.author == call.query.get("creator", one.author)
        ]
        return self.page(call, found)

    def _open_issue(self, call: Call, login: str) -> Answer:
        if not call.body.get("title") or len(call.body.get("body", "")) > LONGEST_BODY:
            return _invalid("body is too long (maximum is 65536 characters)")
        issue = Conversation(next(self._numbers), login, call.body["title"], call.body["body"])
        self.conversations[issue.number] = issue
        return Answer(201, _issue(issue))

    def _edit_issue(self, call: Call, issue: Conversation) -> Answer:
        if len(call.body.get("body", "")) > LONGEST_BODY:
            return _invalid("body is too long (maximum is 65536 characters)")
        issue.title = call.body.get("title", issue.title)
        issue.body = call.body.get("body", issue.body)
        issue.state = call.body.get("state", issue.state)
        return Answer(200, _issue(issue))

    def _comments(self, call: Call, conversation: Conversation, login: str) -> Answer:
        if call.method == "GET":
            return self.page(call, conversation.comments)
        if not 0 < len(call.body["body"]) <= LONGEST_BODY:
            return _invalid("body is too long (maximum is 65536 characters)")
        return Answer(201, self.comment(call.body["body"], login, conversation.number))

    def _one_comment(self, call: Call, identity: int) -> Answer:
        for conversation in self.conversations.values():
            for comment in conversation.comments:
                if comment["id"] == identity:
                    return self._change_comment(call, conversation, comment)
        return _MISSING

    def _change_comment(self, call: Call, conversation: Conversation, one: dict[str, Any]) -> Answer:
        if call.method == "DELETE":
            conversation.comments.remove(one)
            return Answer(204)
        if not 0 < len(call.body["body"]) <= LONGEST_BODY:
            return _invalid("body is too long (maximum is 65536 characters)")
        one |= {"body": call.body["body"], "updated_at": self.moment}
        return Answer(200, one)

    def _labels(self, call: Call, conversation: Conversation, label: str | None) -> Answer:
        if call.method == "DELETE":
            if label not in conversation.labels:
                return Answer(404, {"message": "Label does not exist"})
            conversation.labels.remove(label)
        if call.method == "POST":
            if any(len(label) > LONGEST_LABEL for label in call.body["labels"]):
                return _invalid("name is too long (maximum is 50 characters)")
            conversation.labels += [
                label for label in call.body["labels"] if label not in conversation.labels
            ]
        return self.page(call, [{"name": label} for label in conversation.labels])


def _issue(one: Conversation) -> dict[str, Any]:
    document = {
        "number": one.number,
        "user": {"login": one.author},
        "title": one.title,
        "body": one.body,
        "state": one.state,
        "html_url": f"https://github.example/{REPOSITORY}/issues/{one.number}",
    }
    return document | ({"pull_request": {}} if one.is_pull_request else {})


def _pull_request(pull: Conversation) -> dict[str, Any]:
    return {
        "number": pull.number,
        "state": pull.state,
        "merged_at": "2026-11-29T12:00:00Z",
        "merge_commit_sha": pull.merged_as,
    }


def _invalid(words: str) -> Answer:
    return Answer(422, {"message": "Validation Failed", "errors": [{"message": words}]})
