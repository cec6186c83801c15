"""One pull request for each branch: opened, kept up to date, closed, and nothing of others is lost."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import PublishingFailed
from reconciler.publishers.github_repository import GitHubRepository
from reconciler.publishers.gitlab_repository import GitLabRepository
from reconciler.publishers.pull_requests import Draft, Start, maintain_pull_request
from reconciler.publishers.sticky import marker
from tests.publishers import fake_github, fake_gitlab
from tests.publishers.fake_forge import Answer, Fault
from tests.publishers.fake_github_pulls import FakeGitHubPulls
from tests.publishers.fake_gitlab_merge_requests import FakeGitLabMergeRequests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.http.clock import BlockingClock
    from reconciler.publishers.pull_requests import Maintained

BRANCH = "reconciler/pins-live"
LINE = marker("pins", "live")
FILES = {"a.yaml": b"a\n", "b.yaml": b"b\n", "readme": b"hello\n"}


class Place:
    """A fake forge with the client that a command uses."""

    def __init__(self, fake: Any, repository: Any) -> None:
        self.fake = fake
        self.git = fake.git
        self.repository = repository

    def propose(self, *lines: str, extends_edited: bool = True, **changes: Any) -> Maintained:
        """Add lines to files, each ``FILE LINE``; earlier ones stay, as those of pins do."""

        def make_draft(start: Start) -> Draft:
            wanted = dict.fromkeys(lines)
            for path, content in start.earlier.items():
                for line in content.decode().split("\n")[1:]:
                    wanted |= {f"{path} {line}": None} if line else {}
            files: dict[str, bytes] = {}
            for entry in wanted:
                path, _, line = entry.partition(" ")
                content = files.get(path) or self.repository.read_file(path, start.commit)
                if content is not None and line not in content.decode().split("\n"):
                    files[path] = content + line.encode() + b"\n"
            subject = "\n".join(sorted(wanted))
            draft = Draft(
                files=files,
                subject=subject,
                title="Pin",
                body=subject,
                reason="all is there",
                closing="Closed: all is there.",
            )
            return Draft(**{name: getattr(draft, name) for name in draft.__slots__} | changes)

        return maintain_pull_request(self.repository, BRANCH, LINE, make_draft, extends_edited=extends_edited)

    def pulls(self) -> list[tuple[str, str]]:
        """Return state and number of all pull requests."""
        requests = getattr(self.fake, "pulls", None) or getattr(self.fake, "merge_requests", [])
        return [(_field(one, "state"), str(_field(one, "number", "iid"))) for one in requests]

    def body(self) -> str:
        return str(_field(self.fake.open_pulls()[0], "body", "description"))

    def added(self) -> dict[str, bytes]:
        """Return what the branch changes."""
        files = self.git.files(BRANCH)
        return {
            path: files[path]
            for path in self.git.changed(self.git.branches["main"], self.git.branches[BRANCH])
        }


def _field(request: Any, *names: str) -> Any:
    if isinstance(request, dict):
        return next(request[name] for name in names if name in request)
    return next(getattr(request, name) for name in names if hasattr(request, name))


@pytest.fixture
def github_place(clock: BlockingClock) -> Iterator[Place]:
    with FakeGitHubPulls(FILES) as fake:
        token, name = fake_github.TOKEN, fake_github.REPOSITORY
        with closing(GitHubRepository(token, name, api_url=fake.api_url, clock=clock)) as repository:
            yield Place(fake, repository)


@pytest.fixture
def gitlab_place(clock: BlockingClock) -> Iterator[Place]:
    with FakeGitLabMergeRequests(FILES) as fake:
        token, name = fake_gitlab.TOKEN, fake_gitlab.PROJECT
        with closing(GitLabRepository(token, name, api_url=fake.api_url, clock=clock)) as repository:
            yield Place(fake, repository)


@pytest.fixture(params=["github_place", "gitlab_place"])
def place(request: pytest.FixtureRequest) -> Place:
    chosen: Place = request.getfixturevalue(request.param)
    return chosen


def test_it_is_opened_once_and_kept_up_to_date(place: Place) -> None:
    opened = place.propose("a.yaml x")
    assert opened.done.startswith("opened: http")
    assert place.propose("a.yaml x").done.startswith("unchanged: ")
    updated = place.propose("b.yaml y")
    assert updated.done.startswith("updated: ")
    assert updated.number == opened.number
    assert len(place.pulls()) == 1
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}
    assert place.body().startswith(f"{LINE}\n<!-- changes: sha256:")
    assert place.body().endswith("a.yaml x\nb.yaml y")


def test_main_is_never_written(place: Place) -> None:
    main = place.git.branches["main"]
    place.propose("a.yaml x")
    assert place.git.branches["main"] == main
    written = [call for call in place.fake.calls if call.method in {"PATCH", "PUT", "DELETE"}]
    assert not [call for call in written if "main" in call.path]


def test_the_branch_follows_main(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push("main", {"a.yaml": b"A\n", "c.yaml": b"c\n"})
    place.propose("c.yaml z")
    assert place.added() == {"a.yaml": b"A\nx\n", "c.yaml": b"c\nz\n"}
    assert place.git.is_ancestor(place.git.branches["main"], place.git.branches[BRANCH])


def test_all_on_main_closes_it_and_deletes_the_branch(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push("main", {"a.yaml": b"a\nx\n"})
    done = place.propose("a.yaml x").done
    assert done.startswith("closed: all is there: ")
    assert [state for state, _ in place.pulls()] == ["closed"]
    assert BRANCH not in place.git.branches
    assert place.propose("a.yaml x").done == "not needed: all is there"


def test_a_reason_is_left_where_it_is_closed(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push("main", {"a.yaml": b"a\nx\n"})
    place.propose("a.yaml x")
    (request,) = getattr(place.fake, "pulls", None) or place.fake.merge_requests
    assert _field(request, "comments", "notes") == ["Closed: all is there."]


def test_a_merged_one_is_followed_by_a_new_one(place: Place) -> None:
    place.propose("a.yaml x")
    place.fake.merge(place.fake.open_pulls()[0])
    assert place.propose("b.yaml y").done.startswith("opened: ")
    assert place.added() == {"b.yaml": b"b\ny\n"}
    assert len(place.pulls()) == 2


def test_a_merged_branch_that_is_left_over_is_deleted(place: Place) -> None:
    place.propose("a.yaml x")
    place.fake.merge(place.fake.open_pulls()[0])
    assert place.propose("a.yaml x").done == "not needed: all is there"
    assert BRANCH not in place.git.branches


def test_a_closed_one_is_not_opened_again_with_the_same_changes(place: Place) -> None:
    place.propose("a.yaml x")
    place.fake.close(place.fake.open_pulls()[0])
    again = place.propose("a.yaml x")
    assert "not opened again" in again.done
    assert [state for state, _ in place.pulls()] == ["closed"]
    assert BRANCH in place.git.branches


def test_new_changes_open_a_new_one_without_those_that_were_closed(place: Place) -> None:
    place.propose("a.yaml x")
    place.fake.close(place.fake.open_pulls()[0])
    assert place.propose("b.yaml y").done.startswith("opened: ")
    assert place.added() == {"b.yaml": b"b\ny\n"}


def test_commits_of_others_stay_and_ours_are_added_on_top(place: Place) -> None:
    place.propose("a.yaml x")
    by_hand = place.git.push(BRANCH, {"readme": b"by hand\n"})
    assert place.propose("b.yaml y").done.startswith("updated: ")
    assert place.git.is_ancestor(by_hand, place.git.branches[BRANCH])
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n", "readme": b"by hand\n"}
    assert place.git.head(BRANCH).parents == (by_hand,)
    place.git.push("main", {"c.yaml": b"c\n"})
    place.propose("b.yaml z")
    assert place.git.files(BRANCH)["readme"] == b"by hand\n"


def test_a_branch_edited_by_hand_is_left_alone_where_it_would_be_rebuilt(place: Place) -> None:
    place.propose("a.yaml x")
    by_hand = place.git.push(BRANCH, {"a.yaml": b"a\nother\n"})
    left = place.propose("a.yaml z", extends_edited=False)
    assert left.done.startswith(f"left alone: the branch {BRANCH} was edited (commits by ")
    assert "dev" in left.done
    assert place.git.branches[BRANCH] == by_hand


def test_an_edited_branch_is_not_closed(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push(BRANCH, {"readme": b"by hand\n"})
    place.git.push("main", {"a.yaml": b"a\nx\n"})
    assert place.propose("a.yaml x").done.startswith("unchanged: ")
    assert [state for state, _ in place.pulls()] == ["opened" if hasattr(place.fake, "scopes") else "open"]


def test_bringing_the_branch_up_to_date_is_no_edit(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push("main", {"readme": b"new\n"})
    head, main = place.git.branches[BRANCH], place.git.branches["main"]
    files = {**place.git.commits[main].files, "a.yaml": b"a\nx\n"}
    place.git.branches[BRANCH] = place.git.add(files, (head, main), "Merge branch 'main'", "dev")
    assert "updated" in place.propose("b.yaml y", extends_edited=False).done
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}


def test_nothing_is_closed_where_the_draft_is_not_certain(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push("main", {"a.yaml": b"a\nx\n"})
    assert place.propose("a.yaml x", may_close=False).done.startswith("unchanged: ")
    assert BRANCH in place.git.branches


def test_a_run_that_ended_after_the_commit_is_continued(place: Place) -> None:
    place.propose("a.yaml x")
    for requests in (getattr(place.fake, "pulls", []), getattr(place.fake, "merge_requests", [])):
        requests.clear()
    assert place.propose("b.yaml y").done.startswith("opened: ")
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}


def test_a_lost_answer_leaves_one_pull_request(place: Place) -> None:
    place.fake.faults.append(Fault("POST", Answer(502), after_the_work=True))
    place.propose("a.yaml x")
    place.fake.faults.append(Fault("POST", None, after_the_work=True))
    place.propose("b.yaml y")
    assert len(place.pulls()) == 1
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}


@pytest.mark.parametrize("moment", range(12))
def test_two_runs_at_once_lose_nothing(place: Place, moment: int) -> None:
    """Another run publishes completely before any one call of this one."""
    calls = 0

    def intrude(_call: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == moment + 1:
            place.fake.before = lambda _call: None
            place.propose("b.yaml y")

    place.fake.before = intrude
    place.propose("a.yaml x")
    if calls <= moment:  # this run needs fewer calls, so the other one follows it
        place.propose("b.yaml y")
    assert len(place.pulls()) == 1
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}
    assert place.body().endswith("a.yaml x\nb.yaml y")


def test_a_protected_branch_is_never_written(place: Place) -> None:
    place.git.push(BRANCH, {"readme": b"by hand\n"})
    place.git.protected.add(BRANCH)
    with pytest.raises(PublishingFailed, match=f"the branch {BRANCH} is protected"):
        place.propose("a.yaml x")
    assert not place.fake.writes()


def test_a_rule_that_protects_new_branches_is_said(place: Place) -> None:
    place.git.protected.add(BRANCH)
    words = r"protected ref.*exclude the branches `reconciler/\*\*`|not allowed to push"
    with pytest.raises(PublishingFailed, match=words):
        place.propose("a.yaml x")
    assert place.pulls() == []


def test_a_pull_request_that_somebody_else_opened_keeps_its_text(place: Place) -> None:
    place.propose("a.yaml x")
    request = place.fake.open_pulls()[0]
    if isinstance(request, dict):
        request["description"] = "mine"
    else:
        request.body = "mine"
    place.propose("b.yaml y")
    assert place.body() == "mine"
    assert place.added() == {"a.yaml": b"a\nx\n", "b.yaml": b"b\ny\n"}


@pytest.mark.parametrize(
    ("lacks", "permission"), [("contents", "contents: write"), ("pull-requests", "pull-requests: write")]
)
def test_a_missing_permission_is_named(github_place: Place, lacks: str, permission: str) -> None:
    github_place.fake.permissions.remove(lacks)
    with pytest.raises(PublishingFailed) as caught:
        github_place.propose("a.yaml x")
    assert str(caught.value).endswith(f"(the token needs the permission `{permission}`)")
    assert fake_github.TOKEN not in str(caught.value)


def test_workflows_that_main_changed_are_not_brought_to_an_older_branch(github_place: Place) -> None:
    place = github_place
    place.propose("a.yaml x")
    place.git.push("main", {".github/workflows/x.yml": b"on: push"})
    with pytest.raises(PublishingFailed, match="merge or close its pull request and run this again"):
        place.propose("b.yaml y")
    place.fake.close(place.fake.open_pulls()[0])
    assert place.propose("b.yaml y").done.startswith("opened: ")


def test_the_setting_that_forbids_pull_requests_is_named(github_place: Place) -> None:
    github_place.fake.may_create_pull_requests = False
    with pytest.raises(PublishingFailed, match="Settings > Actions > General > Workflow permissions"):
        github_place.propose("a.yaml x")


def test_a_token_without_the_scope_api_is_told(gitlab_place: Place) -> None:
    gitlab_place.fake.scopes.clear()
    with pytest.raises(PublishingFailed, match="needs the scope `api` and the role of a developer"):
        gitlab_place.propose("a.yaml x")


def test_a_fork_with_the_same_branch_is_nothing_of_ours(github_place: Place) -> None:
    place, fake = github_place, github_place.fake
    place.propose("a.yaml x")
    fake.pulls[0].repository = "acme/fork-of-identity"
    fake.pulls[0].base = "other"
    assert place.propose("b.yaml y").done.startswith("opened: ")


def test_an_enterprise_server_has_the_same_calls_below_its_own_path(clock: BlockingClock) -> None:
    with FakeGitHubPulls(FILES, prefix="/api/v3") as fake:
        token, name = fake_github.TOKEN, fake_github.REPOSITORY
        with closing(GitHubRepository(token, name, api_url=fake.api_url, clock=clock)) as repository:
            assert Place(fake, repository).propose("a.yaml x").done.startswith("opened: ")
        assert all(call.path.startswith("/api/v3/repos/") for call in fake.calls)


def test_an_executable_file_stays_one(github_place: Place) -> None:
    github_place.propose("a.yaml x", executables=frozenset({"a.yaml"}))
    assert github_place.git.head(BRANCH).modes == {"a.yaml": "100755"}


def test_a_branch_with_too_many_files_to_compare_is_not_rebuilt(github_place: Place) -> None:
    place, fake = github_place, github_place.fake
    many = {f"f{number}": b"x" for number in range(301)}
    place.git.push(BRANCH, many)
    fake.git.push(BRANCH, {"a.yaml": b"a\nmine\n"})
    place.propose("a.yaml x")
    assert fake.git.files(BRANCH)["a.yaml"] == b"a\nmine\nx\n"


def test_two_projects_do_not_share_a_pull_request(place: Place) -> None:
    place.propose("a.yaml x")
    request = place.fake.open_pulls()[0]
    line = marker("pins", "another")
    if isinstance(request, dict):
        request["description"] = f"{line}\n"
    else:
        request.body = f"{line}\n"
    with pytest.raises(PublishingFailed, match="is of another project: give each project a name"):
        place.propose("b.yaml y")


def test_a_name_in_an_author_cannot_mention_anybody(place: Place) -> None:
    place.propose("a.yaml x")
    place.git.push(BRANCH, {"readme": b"by hand\n"}, author="@everyone\n::error::`x`")
    left = place.propose("b.yaml y", extends_edited=False)
    assert "everyone" not in left.done
