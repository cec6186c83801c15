"""Forges to publish on, and time that passes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.http.clock import BlockingClock
from reconciler.publishers.github import GitHub
from reconciler.publishers.gitlab import GitLab
from tests.publishers import fake_github, fake_gitlab
from tests.publishers.fake_github import FakeGitHub
from tests.publishers.fake_gitlab import FakeGitLab

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were waited, one entry for each time."""
    return []


@pytest.fixture
def clock(waits: list[float]) -> BlockingClock:
    """Remembers how long it was waited, and does not wait."""
    return BlockingClock(
        monotonic=lambda: sum(waits),
        wall=lambda: 1_800_000_000.0 + sum(waits),
        sleep=waits.append,
        chance=lambda: 0.0,
    )


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def forge(github: FakeGitHub, clock: BlockingClock) -> Iterator[GitHub]:
    forge = GitHub(fake_github.TOKEN, fake_github.REPOSITORY, 7, api_url=github.api_url, clock=clock)
    yield forge
    forge.close()


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with FakeGitLab() as fake:
        yield fake


@pytest.fixture
def gitlab_forge(gitlab: FakeGitLab, clock: BlockingClock) -> Iterator[GitLab]:
    forge = GitLab(fake_gitlab.TOKEN, fake_gitlab.PROJECT, 3, api_url=gitlab.api_url, clock=clock)
    yield forge
    forge.close()
