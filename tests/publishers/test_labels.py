"""Labels say which plans need more than a glance, and go when the reason goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.publishers.sticky import publish_labels, risk_labels
from tests.publishers.fake_github import LONGEST_LABEL
from tests.reports.published import BLOCKED, ORDINARY, QUIET, REFUSED

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.publishers.github import GitHub
    from reconciler.publishers.gitlab import GitLab
    from tests.publishers.fake_github import FakeGitHub
    from tests.publishers.fake_gitlab import FakeGitLab


@pytest.mark.parametrize(
    ("plan", "kinds"),
    [(ORDINARY, "destroys risks"), (QUIET, ""), (REFUSED, "blocked"), (BLOCKED, "blocked destroys")],
    ids=["ordinary", "quiet", "refused", "blocked"],
)
def test_a_plan_gets_the_labels_it_deserves(plan: Plan, kinds: str) -> None:
    assert risk_labels(plan) == set(kinds.split())


def test_they_come_and_go_and_all_others_stay(github: FakeGitHub, forge: GitHub) -> None:
    github.pull_request.labels = ["bug", "reconciler test: destroys"]
    publish_labels(forge, risk_labels(ORDINARY), "live")
    assert github.pull_request.labels == [
        "bug",
        "reconciler test: destroys",
        "reconciler live: destroys",
        "reconciler live: risks",
    ]
    publish_labels(forge, risk_labels(QUIET), "live")
    assert github.pull_request.labels == ["bug", "reconciler test: destroys"]


def test_right_labels_cause_no_call(github: FakeGitHub, forge: GitHub) -> None:
    publish_labels(forge, risk_labels(ORDINARY), "live")
    github.calls.clear()
    publish_labels(forge, risk_labels(ORDINARY), "live")
    assert github.writes() == []


def test_a_label_that_somebody_removed_meanwhile_is_no_error(github: FakeGitHub, forge: GitHub) -> None:
    forge.change_labels(add=(), remove=("reconciler live: risks",))
    assert github.pull_request.labels == []


def test_the_longest_name_still_makes_a_label(github: FakeGitHub, forge: GitHub) -> None:
    plan = replace(ORDINARY, blocks=BLOCKED.blocks)
    assert max(len(label) for label in publish_labels(forge, risk_labels(plan), "a" * 24)) <= LONGEST_LABEL


def test_gitlab_has_them_as_well(gitlab: FakeGitLab, gitlab_forge: GitLab) -> None:
    gitlab.labels = ["bug", "reconciler live: blocked"]
    publish_labels(gitlab_forge, risk_labels(ORDINARY), "live")
    assert gitlab.labels == ["bug", "reconciler live: destroys", "reconciler live: risks"]
