"""The relay verifies what `publish webhook` sends, and writes what Slack, Teams and PagerDuty expect."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from http.server import HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import PublishingFailed
from reconciler.http.clock import Clock
from reconciler.publishers.webhook import Limits, deliver, read_endpoint
from reconciler.reports.webhook import Origin, webhook_body
from tests.publishers.fake_forge import Answer
from tests.publishers.receiver import SECRET, Receiver
from tests.reports.published import ORDINARY, QUIET, drift_of, plan, update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.plan import Plan

FILE = Path(__file__).parents[2] / "examples/webhook-relay/relay.py"
ORIGIN = Origin(run_url="https://github.example/acme/identity/actions/runs/99")
ROUTING_KEY = "routing-key"


@pytest.fixture
def service() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def relay(service: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("SLACK_URL", f"{service.origin}/slack")
    monkeypatch.setenv("TEAMS_URL", f"{service.origin}/teams")
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
    monkeypatch.setenv("PAGERDUTY_URL", f"{service.origin}/pagerduty")
    specification = importlib.util.spec_from_file_location("relay", FILE)
    assert specification is not None
    assert specification.loader is not None
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.Relay.log_message = lambda *_: None
    with HTTPServer(("127.0.0.1", 0), module.Relay) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def send(relay: str, plan: Plan, *, secret: str = SECRET, limits: Limits | None = None) -> None:
    body = webhook_body(drift_of(plan), ORIGIN)
    clock = Clock(sleep=lambda _: asyncio.sleep(0))
    asyncio.run(deliver(read_endpoint(relay, secret), body, clock=clock, limits=limits))


def test_drift_is_passed_on(relay: str, service: Receiver) -> None:
    send(relay, ORDINARY)
    slack, teams, pagerduty = service.calls
    (block,) = slack.body["blocks"]
    assert block["text"]["type"] == "plain_text"
    assert "acme/" in block["text"]["text"]
    assert ORIGIN.run_url in block["text"]["text"]
    (attachment,) = teams.body["attachments"]
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert pagerduty.body["event_action"] == "trigger"
    assert pagerduty.body["routing_key"] == ROUTING_KEY
    assert pagerduty.body["payload"].keys() >= {"summary", "source", "severity"}


@pytest.mark.parametrize("length", [1, 200])
def test_drift_of_many_connections_is_as_long_as_slack_takes(
    relay: str, service: Receiver, length: int
) -> None:
    """A section takes 3,000 characters; one that is longer would be refused, and sent again and again."""
    names = [f"customer-{number:05}-{'x' * length}" for number in range(1_000)]
    send(relay, plan(*(update(name, "okta", client_id="0oa-new") for name in names)))
    text = service.calls[0].body["blocks"][0]["text"]["text"]
    assert len(text) < 3_000
    assert text.endswith(f"\n…\n{ORIGIN.run_url}")
    assert text.count("customer-00002-") == 1


def test_the_end_of_drift_resolves_the_same_alert(relay: str, service: Receiver) -> None:
    send(relay, ORDINARY)
    send(relay, QUIET)
    first, second = (call.body for call in service.calls if call.path == "/pagerduty")
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"]


def test_another_signature_is_refused(relay: str, service: Receiver) -> None:
    with pytest.raises(PublishingFailed, match="answered 401"):
        send(relay, ORDINARY, secret="whsec_" + "QUJD" * 8)
    assert not service.calls


def test_a_service_that_fails_makes_the_sender_try_again(relay: str, service: Receiver) -> None:
    service.answers = [Answer(500)]
    send(relay, ORDINARY)
    assert [call.path for call in service.calls] == ["/slack", "/slack", "/teams", "/pagerduty"]
