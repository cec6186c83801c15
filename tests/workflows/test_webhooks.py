"""The jobs that send a webhook: off unless a variable is set, with an environment of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook

from tests.publishers.fake_forge import Answer
from tests.publishers.receiver import SECRET, Receiver
from tests.workflows.scene import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workflows.scene import Scene


@pytest.fixture
def receiver(scene: Scene) -> Iterator[Receiver]:
    with Receiver() as receiver:
        scene.runner.secrets |= {"RECONCILER_WEBHOOK_URL": receiver.url, "RECONCILER_WEBHOOK_SECRET": SECRET}
        scene.runner.variables["RECONCILER_WEBHOOK"] = "true"
        yield receiver


def events(receiver: Receiver) -> list[tuple[str, dict[str, Any]]]:
    documents = [Webhook(SECRET).verify(call.content, dict(call.headers)) for call in receiver.calls]
    return [(document["type"], document["data"]) for document in documents]


def test_nothing_is_sent_unless_the_variable_is_set(scene: Scene, receiver: Receiver) -> None:
    scene.runner.variables.clear()
    assert scene.merge()["notify"].result == "skipped"
    assert scene.night()["notify"].result == "skipped"
    assert not receiver.calls


def test_a_merge_and_a_night_are_told(scene: Scene, receiver: Receiver) -> None:
    assert results(scene.merge())["notify"] == "success"
    scene.emulator.edit_connection(scene.live("acme")["connection_id"], client_id="somebody-elses")
    assert results(scene.night())["notify"] == "success"
    (applied, apply), (drifted, drift), (verified, verify) = events(receiver)
    assert (applied, apply["counts"]["added"]) == ("reconciler.apply", 2)
    assert (drifted, drift["counts"]["new"]) == ("reconciler.drift", 1)
    assert (verified, verify["counts"]["errors"]) == ("reconciler.verify", 0)
    assert all("canary" not in call.content.decode() for call in receiver.calls)
    assert scene.runner.secrets["RECONCILER_WEBHOOK_URL"] not in "".join(step.out for step in scene.records)


def test_a_delivery_that_fails_is_a_warning(scene: Scene, receiver: Receiver) -> None:
    scene.make_live("acme", "globex")
    receiver.answers = [Answer(404)]
    night = scene.night()
    assert results(night)["notify"] == "success"
    assert "the webhook was not delivered" in " ".join(night["notify"].out.split())
