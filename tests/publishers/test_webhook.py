"""Webhooks: what a receiver verifies with the official library, and what becomes of a failed delivery."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from reconciler.cli.main import main
from reconciler.core.errors import PublishingFailed, UsageError
from reconciler.http.clock import Clock
from reconciler.publishers.webhook import Limits, deliver, message_id, read_endpoint
from reconciler.reports import DRIFT_FORMATS, PLAN_FORMATS
from tests.publishers.fake_forge import Answer, Fault
from tests.publishers.receiver import PATH, SECRET, Receiver
from tests.reports.published import ORDINARY, drift_of
from tests.support.json_documents import check_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = b'{"type":"reconciler.drift"}'
RETRIES = [500, 502, 503, 504, 429, 408]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
        receiver.released.set()


@pytest.fixture
def fast(waits: list[float]) -> Clock:
    """Remembers how long it was waited, and does not wait."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return Clock(monotonic=lambda: sum(waits), wall=time.time, sleep=sleep, chance=lambda: 0.0)


def send(receiver: Receiver, clock: Clock | None, limits: Limits | None = None) -> str:
    return asyncio.run(deliver(read_endpoint(receiver.url, SECRET), BODY, clock=clock, limits=limits))


def test_the_official_library_verifies_the_signature(receiver: Receiver, fast: Clock) -> None:
    sent = send(receiver, fast)
    (call,) = receiver.calls
    headers = dict(call.headers)
    assert Webhook(SECRET).verify(call.content, headers) == json.loads(BODY)
    assert sent == headers["webhook-id"] == message_id(BODY)
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(call.content + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUJD" * 8).verify(call.content, headers)


@pytest.mark.parametrize("status", RETRIES)
def test_a_temporary_failure_is_sent_again_with_the_same_id(
    receiver: Receiver, fast: Clock, status: int, waits: list[float]
) -> None:
    receiver.answers = [Answer(status), Answer(status)]
    send(receiver, fast)
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len(receiver.calls) == 3
    assert waits == [1.0, 2.0]
    for call in receiver.calls:
        Webhook(SECRET).verify(call.content, dict(call.headers))


def test_a_lost_connection_is_sent_again(receiver: Receiver, fast: Clock) -> None:
    receiver.faults = [Fault("POST"), Fault("POST", after_the_work=True)]
    send(receiver, fast)
    assert len(receiver.calls) == 3


def test_attempts_are_limited(receiver: Receiver, fast: Clock, waits: list[float]) -> None:
    receiver.answers = [Answer(500)] * 9
    with pytest.raises(PublishingFailed, match=r"127\.0\.0\.1:\d+ answered 500 \(attempts: 5\)"):
        send(receiver, fast)
    assert len(receiver.calls) == 5
    assert sum(waits) < Limits().total


@pytest.mark.parametrize(("seconds", "attempts"), [("7", 2), ("3600", 1)])
def test_retry_after_is_respected_within_the_total(
    receiver: Receiver, fast: Clock, waits: list[float], seconds: str, attempts: int
) -> None:
    receiver.answers = [Answer(503, headers={"Retry-After": seconds})]
    if attempts == 1:
        with pytest.raises(PublishingFailed, match="answered 503"):
            send(receiver, fast)
    else:
        send(receiver, fast)
    assert len(receiver.calls) == attempts
    assert waits == [7.0] * (attempts - 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410])
def test_a_final_answer_is_not_sent_again_and_no_redirect_followed(
    receiver: Receiver, fast: Clock, status: int
) -> None:
    receiver.answers = [Answer(status, headers={"Location": f"{receiver.origin}/elsewhere"})]
    with pytest.raises(PublishingFailed, match=f"answered {status}"):
        send(receiver, fast)
    assert [call.path for call in receiver.calls] == [PATH]


def test_a_receiver_that_hangs_is_left_in_time(receiver: Receiver) -> None:
    receiver.answers = [None] * 5
    begin = time.monotonic()
    limits = Limits(attempt=0.1, total=0.5)
    with pytest.raises(PublishingFailed, match="did not answer in time"):
        send(receiver, Clock(chance=lambda: 0.9), limits)
    assert time.monotonic() - begin < 5


def test_nobody_listens(fast: Clock) -> None:
    with Receiver() as receiver:
        pass
    with pytest.raises(PublishingFailed, match=r"refused the connection \(attempts: 5\)") as failure:
        send(receiver, fast)
    assert "canary" not in str(failure.value)


def test_a_server_without_tls_is_not_asked_again(receiver: Receiver, fast: Clock) -> None:
    endpoint = read_endpoint(receiver.url.replace("http:", "https:"), SECRET)
    with pytest.raises(PublishingFailed, match="does not speak TLS") as failure:
        asyncio.run(deliver(endpoint, BODY, clock=fast))
    assert not receiver.calls
    assert "attempts" not in str(failure.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/canary",
        "https://canary:canary@hooks.example.com/",
        "https://canary@hooks.example.com/",
        "https://hooks.example.com/#canary",
        "hooks.example.com/canary",
        "ftp://hooks.example.com/canary",
        "https:///canary",
        "https://hooks.example.com/canary with blanks",
        "http://127.0.0.1.evil.example/canary",
        "${{ secrets.canary }}",
    ],
)
def test_an_unusable_address_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError, match="RECONCILER_WEBHOOK_URL cannot be used") as refusal:
        read_endpoint(url, SECRET)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "secret",
    [
        "canary",
        SECRET.removeprefix("whsec_"),
        "whsec_",
        "whsec_Y2FuYXJ5",  # 6 bytes
        "whsec_" + "QUJD" * 22,  # 66 bytes
        SECRET + "\n",
        SECRET[:-1],
        "whsec_Q2FuYXJ5T2ZUaGVXZWJob29rMDEyMzQ1Njc4OWF-",  # not the alphabet of base64
        "whsk_Q2FuYXJ5T2ZUaGVXZWJob29rMDEyMzQ1Njc4OWFi",
    ],
)
def test_an_unusable_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(UsageError, match="RECONCILER_WEBHOOK_SECRET cannot be used") as refusal:
        read_endpoint("https://hooks.example.com/", secret)
    assert secret not in str(refusal.value) or secret == "whsec_"
    assert "canary" not in str(refusal.value)


def test_neither_address_nor_key_is_part_of_a_representation() -> None:
    endpoint = read_endpoint(f"https://hooks.example.com:8443{PATH}", SECRET)
    assert "canary" not in repr(endpoint)
    assert endpoint.host == "hooks.example.com:8443"


@pytest.fixture
def publish(
    receiver: Receiver,
    fast: Clock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Run the real command on an ordinary plan and its drift; return its exit code and all that it says."""
    (tmp_path / "plan.json").write_text(PLAN_FORMATS["json"](ORDINARY), encoding="utf-8")
    (tmp_path / "drift.json").write_text(DRIFT_FORMATS["json"](drift_of(ORDINARY)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("RECONCILER_WEBHOOK_SECRET", SECRET)

    def run(*words: str) -> tuple[int, str]:
        code = main(["publish", "webhook", *words], clock=fast)
        output = capsys.readouterr()
        assert "canary" not in (output.out + output.err).lower()
        assert SECRET not in output.out + output.err
        return code, output.out + output.err

    return run


def received(receiver: Receiver) -> dict[str, Any]:
    """Return the only message, verified, and checked against its schema."""
    (call,) = receiver.calls
    document: dict[str, Any] = Webhook(SECRET).verify(call.content, dict(call.headers))
    check_document("webhook", document)
    assert b"canary" not in call.content.lower()
    return document


def test_a_plan_is_sent(publish: Callable[..., tuple[int, str]], receiver: Receiver) -> None:
    code, said = publish("--plan", "plan.json", "--name", "production")
    assert (code, said) == (0, f"webhook: sent {receiver.calls[0].headers['webhook-id']}\n")
    document = received(receiver)
    assert document["type"] == "reconciler.plan"
    assert document["timestamp"] == ORDINARY.created_at
    data = document["data"]
    assert data["environment"], data["project"] == ("live", ORDINARY.scope.principal)
    assert data["name"] == "production"
    assert data["counts"]["add"] == ORDINARY.summary.add
    assert len(data["changes"]) == len(ORDINARY.changes)
    assert data["links"] == {"run": None, "pull_request": None}


def test_drift_is_sent_with_new_known_and_resolved_findings_apart(
    publish: Callable[..., tuple[int, str]], receiver: Receiver
) -> None:
    assert publish("--drift", "drift.json")[0] == 0
    document = received(receiver)
    assert document["type"] == "reconciler.drift"
    report = drift_of(ORDINARY)
    for standing in ("new", "known", "resolved"):
        assert len(document["data"][standing]) == document["data"]["counts"][standing]
    assert document["data"]["counts"]["new"] == report.summary.new


def test_the_same_document_is_the_same_message(
    publish: Callable[..., tuple[int, str]], receiver: Receiver
) -> None:
    """A job that is repeated does not page anybody twice."""
    publish("--plan", "plan.json")
    publish("--plan", "plan.json")
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.content == second.content


def test_github_gives_the_links(
    publish: Callable[..., tuple[int, str]],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/identity")
    monkeypatch.setenv("GITHUB_RUN_ID", "99")
    publish("--plan", "plan.json")
    assert received(receiver)["data"]["links"] == {
        "run": "https://github.example/acme/identity/actions/runs/99",
        "pull_request": "https://github.example/acme/identity/pull/7",
    }


def test_gitlab_gives_the_links(
    publish: Callable[..., tuple[int, str]], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = "https://gitlab.example/acme/identity"
    monkeypatch.setenv("CI_PIPELINE_URL", f"{project}/-/pipelines/5")
    monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_URL", project)
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "3")
    publish("--plan", "plan.json")
    assert received(receiver)["data"]["links"] == {
        "run": f"{project}/-/pipelines/5",
        "pull_request": f"{project}/-/merge_requests/3",
    }


@pytest.mark.parametrize("answer", [Answer(500), Answer(404), Answer(302)])
def test_a_failed_delivery_is_a_warning_unless_strict(
    publish: Callable[..., tuple[int, str]], receiver: Receiver, answer: Answer
) -> None:
    receiver.answers = [answer] * 99
    code, said = publish("--plan", "plan.json")
    assert code == 0
    assert "Warning: the webhook was not delivered: 127.0.0.1:" in " ".join(said.split())
    code, said = publish("--plan", "plan.json", "--strict")
    assert code == 1
    assert "Error: the webhook was not delivered: 127.0.0.1:" in " ".join(said.split())


def test_a_report_is_sent_although_the_one_before_was_not_delivered(
    publish: Callable[..., tuple[int, str]], receiver: Receiver
) -> None:
    receiver.answers = [Answer(404)]
    code, said = publish("--plan", "plan.json", "--drift", "drift.json", "--strict")
    assert code == 1
    assert "was not delivered" in " ".join(said.split())
    assert [json.loads(call.content)["type"] for call in receiver.calls] == [
        "reconciler.plan",
        "reconciler.drift",
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("URL=", "RECONCILER_WEBHOOK_URL is not set"),
        ("SECRET=", "RECONCILER_WEBHOOK_SECRET is not set"),
        ("URL=http://hooks.example.com/canary", "RECONCILER_WEBHOOK_URL cannot be used"),
        ("SECRET=whsec_canary", "RECONCILER_WEBHOOK_SECRET cannot be used"),
    ],
)
def test_a_missing_or_unusable_setting_is_an_error_also_without_strict(
    publish: Callable[..., tuple[int, str]],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    message: str,
) -> None:
    name, _, value = setting.partition("=")
    monkeypatch.setenv(f"RECONCILER_WEBHOOK_{name}", value)
    code, said = publish("--plan", "plan.json")
    assert code == 1
    assert message in " ".join(said.split())
    assert not receiver.calls


def test_there_has_to_be_something_to_send(publish: Callable[..., tuple[int, str]]) -> None:
    code, said = publish()
    assert code == 1
    assert "nothing to publish" in said
