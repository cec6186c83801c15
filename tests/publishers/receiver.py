"""A receiver of webhooks on loopback, which answers as it is told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from tests.publishers.fake_forge import Answer, FakeForge

if TYPE_CHECKING:
    from tests.publishers.fake_forge import Call

SECRET: Final = "whsec_Q2FuYXJ5T2ZUaGVXZWJob29rMDEyMzQ1Njc4OWFi"
PATH: Final = "/services/T0canaryOfTheAddress"


class Receiver(FakeForge):
    """Accepts every webhook, after it has given the answers in ``answers``; None stands for no answer."""

    def __init__(self, *answers: Answer | None) -> None:
        super().__init__()
        self.answers = list(answers)
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"{self.origin}{PATH}?sig=canaryOfTheQuery"

    def answer(self, call: Call) -> Answer:
        answer = self.answers.pop(0) if self.answers else Answer(204)
        if answer is None:
            self.released.wait(10)
        return answer or Answer(204)
