"""Calls are repeated only where that is safe, within bounds, and never show the token."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import PublishingFailed, UnknownPublication, UsageError
from reconciler.http.clock import BlockingClock
from reconciler.publishers.forge import Comment
from reconciler.publishers.github import GitHub
from reconciler.publishers.gitlab import GitLab
from reconciler.publishers.rest_client import MAX_ATTEMPTS, RETRY_TIMEOUT, RestClient, check_api_url
from tests.publishers.fake_forge import Answer, FakeForge, Fault
from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.publishers.fake_forge import Call
    from tests.publishers.fake_gitlab import FakeGitLab


class SeveralHeaders(dict[str, str]):
    """Headers that are sent once for each of their values, which `|` separates."""

    def items(self) -> Any:
        return [(name, value) for name, values in super().items() for value in values.split("|")]


class Echo(FakeForge):
    """Answers every call with its path."""

    def answer(self, call: Call) -> Answer:
        return (
            self.page(call, [{"name": name} for name in "abc"])
            if call.path == "/list"
            else Answer(200, {"path": call.path})
        )


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as fake:
        yield fake


@pytest.fixture
def client(echo: Echo, clock: BlockingClock) -> Iterator[RestClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    client = RestClient(echo.origin, headers, token=TOKEN, hints={403: "ask nicely"}, clock=clock)
    yield client
    client.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(
    echo: Echo, client: RestClient, waits: list[float], status: int
) -> None:
    echo.faults = [Fault("GET", Answer(status))] * 3
    assert client.call("GET", "/x").values == {"path": "/x"}
    assert waits == [1, 2, 4]


@pytest.mark.parametrize(
    ("headers", "message"),
    [({"Retry-After": "1"}, ""), ({"X-RateLimit-Remaining": "0"}, ""), ({}, "a secondary rate limit")],
)
def test_a_403_that_means_later_is_tried_again(
    echo: Echo, client: RestClient, headers: dict[str, str], message: str
) -> None:
    echo.faults = [Fault("POST", Answer(403, {"message": message}, headers))]
    assert client.call("POST", "/x", creates=True).values == {"path": "/x"}


def test_a_403_that_means_no_is_not(echo: Echo, client: RestClient) -> None:
    echo.faults = [Fault("GET", Answer(403, {"message": "Resource not accessible"}))]
    with pytest.raises(PublishingFailed, match=r"403: Resource not accessible \(ask nicely\)") as caught:
        client.call("GET", "/x")
    assert (caught.value.status, len(echo.calls)) == (403, 1)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 422])
def test_what_is_final_is_not_tried_again(echo: Echo, client: RestClient, status: int) -> None:
    echo.faults = [Fault("GET", Answer(status))]
    with pytest.raises(PublishingFailed, match=f"GET /x answered {status}"):
        client.call("GET", "/x")
    assert len(echo.calls) == 1


def test_it_waits_as_long_as_it_is_told(echo: Echo, client: RestClient, waits: list[float]) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_800_000_030)}
    echo.faults = [
        Fault("GET", Answer(429, headers={"Retry-After": "7"})),
        Fault("GET", Answer(403, headers=reset)),
        Fault("GET", Answer(429, headers={"RateLimit-Remaining": "0", "RateLimit-Reset": "1"})),
        Fault("GET", Answer(429, headers={"Retry-After": "Sat, 21 Nov 2026 12:00:00 GMT"})),
    ]
    client.call("GET", "/x")
    assert waits == [7, 24, 1, 8]


def test_it_does_not_wait_longer_than_its_patience(
    echo: Echo, client: RestClient, waits: list[float]
) -> None:
    echo.faults = [Fault("GET", Answer(429, headers={"Retry-After": str(int(RETRY_TIMEOUT) + 1)}))]
    with pytest.raises(PublishingFailed, match="answered 429"):
        client.call("GET", "/x")
    assert waits == []


def test_it_does_not_try_for_ever(echo: Echo, client: RestClient) -> None:
    echo.faults = [Fault("GET", Answer(503))] * 20
    with pytest.raises(PublishingFailed, match="answered 503"):
        client.call("GET", "/x")
    assert len(echo.calls) == MAX_ATTEMPTS


def test_a_lost_answer_to_a_read_is_asked_for_again(echo: Echo, client: RestClient) -> None:
    echo.faults = [Fault("GET"), Fault("GET")]
    assert client.call("GET", "/x").values == {"path": "/x"}


@pytest.mark.parametrize("fault", [Fault("POST"), Fault("POST", Answer(500)), Fault("POST", Answer(504))])
def test_a_create_of_unknown_outcome_is_not_repeated(echo: Echo, client: RestClient, fault: Fault) -> None:
    echo.faults = [fault]
    with pytest.raises(UnknownPublication):
        client.call("POST", "/x", creates=True)
    assert len(echo.calls) == 1


def test_where_nobody_listens_a_create_may_be_repeated(clock: BlockingClock, waits: list[float]) -> None:
    with Echo() as gone:
        origin = gone.origin
    client = RestClient(origin, {}, token=TOKEN, hints={}, clock=clock)
    with pytest.raises(PublishingFailed, match="POST /x failed") as caught:
        client.call("POST", "/x", creates=True)
    assert not isinstance(caught.value, UnknownPublication)
    assert len(waits) == MAX_ATTEMPTS - 1
    client.close()


def test_pages_are_followed(echo: Echo, client: RestClient) -> None:
    echo.page_size = 1
    assert [item.text("name") for item in client.pages("/list?per_page=100")] == ["a", "b", "c"]


def test_the_token_is_not_carried_to_another_host(echo: Echo, client: RestClient) -> None:
    link = {"Link": '<https://evil.example/list?page=2>; rel="next"'}
    echo.faults = [Fault("GET", Answer(200, [{"name": "a"}], link))]
    with pytest.raises(PublishingFailed, match=r"another host than 127\.0\.0\.1:\d+: evil\.example"):
        list(client.pages("/list"))


def test_redirects_are_not_followed(echo: Echo, client: RestClient) -> None:
    echo.faults = [Fault("GET", Answer(301, headers={"Location": "https://evil.example/"}))]
    with pytest.raises(PublishingFailed, match="answered 301"):
        client.call("GET", "/x")


def test_pages_without_end_are_an_error(echo: Echo, client: RestClient) -> None:
    link = {"Link": f'<{echo.origin}/list>; rel="next"'}
    echo.faults = [Fault("GET", Answer(200, [{"name": "a"}], link))] * 200
    with pytest.raises(PublishingFailed, match="did not end"):
        list(client.pages("/list"))


@pytest.mark.parametrize("document", [{"message": "no list"}, None, "text"])
def test_a_list_that_is_none_is_an_error(echo: Echo, client: RestClient, document: object) -> None:
    echo.faults = [Fault("GET", Answer(200, document))]
    with pytest.raises(PublishingFailed, match="other than a list"):
        list(client.pages("/list"))


class NoJson(FakeForge):
    def answer(self, call: Call) -> Answer:
        return Answer(200, {"id": "seven", "body": 7} if call.method == "POST" else [3])


def test_answers_of_the_wrong_shape_are_errors(clock: BlockingClock) -> None:
    with NoJson() as fake:
        forge = GitHub(TOKEN, REPOSITORY, 7, api_url=fake.origin, clock=clock)
        with pytest.raises(PublishingFailed, match="'id' in the response should be a number"):
            forge.create_comment("x")
        with pytest.raises(PublishingFailed, match="which account"):
            forge._ask_graphql()
        forge.close()
        other = GitLab(TOKEN, "acme/identity", 3, api_url=fake.origin, clock=clock)
        with pytest.raises(PublishingFailed, match="other than an object"):
            other.author()
        with pytest.raises(PublishingFailed, match="other than an object"):
            other.labels()
        other.close()


def test_no_error_shows_the_token(echo: Echo, client: RestClient) -> None:
    """Not even if the other side sends it back."""
    echo.faults = [Fault("GET", Answer(401, {"message": f"bad token {TOKEN}"}))]
    with pytest.raises(PublishingFailed) as caught:
        client.call("GET", "/x")
    assert TOKEN not in str(caught.value)
    assert "(token)" in str(caught.value)


def test_no_error_shows_the_beginning_of_the_token_where_a_message_is_cut(
    echo: Echo, client: RestClient
) -> None:
    for length in range(480, 501):
        echo.faults = [Fault("GET", Answer(401, {"message": "x" * length + TOKEN}))]
        with pytest.raises(PublishingFailed) as caught:
            client.call("GET", "/x")
        assert TOKEN[:4] not in str(caught.value)
        assert len(str(caught.value)) < 550


def test_of_several_retry_after_headers_the_first_counts(
    client: RestClient, echo: Echo, waits: list[float]
) -> None:
    echo.faults = [Fault("GET", Answer(429, headers=SeveralHeaders({"Retry-After": "7|9"})))]
    client.call("GET", "/x")
    assert waits == [7]


def test_an_answer_that_is_compressed_twice_is_not_unpacked(echo: Echo, client: RestClient) -> None:
    echo.faults = [Fault("POST", Answer(200, {}, {"Content-Encoding": "gzip, gzip"}))]
    with pytest.raises(UnknownPublication, match="more than one content coding"):
        client.call("POST", "/x", creates=True)


@pytest.mark.parametrize("document", [None, [], "text", {"id": "seven"}, float("inf")])
def test_the_outcome_of_a_create_with_an_unreadable_answer_is_not_known(document: object) -> None:
    with FakeGitHub() as github:
        github.faults = [Fault("POST", Answer(201, document))]
        forge = GitHub(TOKEN, REPOSITORY, 7, api_url=github.api_url)
        with pytest.raises(UnknownPublication):
            forge.create_comment("x")
        forge.close()


@pytest.mark.parametrize("token", ["", f"{TOKEN}\n", f"{TOKEN} x", "ghs_\u00e9", f"{TOKEN}\x00"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        GitHub(token, REPOSITORY)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://github.example", "https://user:pass@github.example", "ftp://x", "https://x?y=1", "github", "https://"],
)  # fmt: skip
def test_an_address_that_must_not_get_a_token_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="https URL") as caught:
        check_api_url(url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("project", ["", "acme", "acme/../x y", "-1"])
def test_a_project_that_could_lead_elsewhere_is_refused(project: str) -> None:
    with pytest.raises(UsageError, match="GROUP/NAME"):
        GitLab(TOKEN, project)


def test_without_a_merge_request_it_says_which_option_is_missing(gitlab: FakeGitLab) -> None:
    forge = GitLab(TOKEN, "42", api_url=gitlab.api_url)
    with pytest.raises(UsageError, match="--merge-request"):
        forge.labels()
    forge.close()


def test_a_read_only_token_is_told_what_it_lacks() -> None:
    with FakeGitHub(is_read_only=True) as github:
        forge = GitHub(TOKEN, REPOSITORY, 7, api_url=github.api_url)
        with pytest.raises(PublishingFailed, match="pull-requests: write"):
            forge.create_comment("x")
        forge.close()


class Page(FakeForge):
    """Answers as a proxy in between does: with a page instead of JSON."""

    def answer(self, call: Call) -> Answer:
        return Answer(200, None) if call.method == "DELETE" else Answer(404, ["not", "an", "object"])


def test_an_error_without_a_message_still_says_what_was_called(clock: BlockingClock) -> None:
    with Page() as fake:
        client = RestClient(fake.origin, {}, token=TOKEN, hints={}, clock=clock)
        with pytest.raises(PublishingFailed, match=r"^GET /x answered 404$"):
            client.call("GET", "/x")
        client.send("DELETE", "/x")
        client.close()


def test_what_is_gone_already_need_not_be_deleted(forge: GitHub, gitlab_forge: GitLab) -> None:
    gone = Comment(id="1", author="dev", body="", url="")
    forge.delete_comment(gone)
    gitlab_forge.delete_comment(gone)


@pytest.mark.parametrize("status", [403, 409])
def test_what_may_not_be_deleted_is_an_error(
    github: FakeGitHub, gitlab: FakeGitLab, forge: GitHub, gitlab_forge: GitLab, status: int
) -> None:
    gone = Comment(id="1", author="dev", body="", url="")
    github.faults = gitlab.faults = [Fault("DELETE", Answer(status))] * 2
    for one in (forge, gitlab_forge):
        with pytest.raises(PublishingFailed, match=str(status)):
            one.delete_comment(gone)


def test_an_answer_that_comes_too_slowly_or_is_too_long_is_cut(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(step=61)
    slow = BlockingClock(monotonic=lambda: float(next(seconds)), sleep=lambda _: None)
    client = RestClient(echo.origin, {}, token=TOKEN, hints={}, clock=slow)
    with pytest.raises(PublishingFailed, match="no complete answer within 60 s"):
        client.call("GET", "/x")
    monkeypatch.setattr("reconciler.publishers.rest_client._MAX_BODY_BYTES", 10)
    with pytest.raises(UnknownPublication, match="longer than"):
        client.call("POST", "/x", creates=True)
    client.close()
