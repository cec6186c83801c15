"""A secret in a file that changes selects the organization that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def test_a_changed_secret_file_selects_its_organization(connected: Workplace) -> None:
    """Case 13: `${file:secrets/acme}` changes, its manifest does not."""
    connected.add_organization("other")
    connected.declare("acme", client_secret="${file:secrets/acme}")
    connected.declare("other", client_secret="${file:secrets/other}")
    connected.write("secrets/acme", "first-value-of-acme\n")
    connected.write("secrets/other", "first-value-of-other\n")
    connected.git("init", "--quiet")
    connected.git("add", "--all")
    connected.git("commit", "--quiet", "--message", "first")
    unchanged = connected.run("plan", "--changed-since", "HEAD")
    assert "acme/sso" not in unchanged.out + unchanged.err
    connected.write("secrets/acme", "second-value-of-acme\n")
    run = connected.run("plan", "--changed-since", "HEAD")
    assert run.code == 0, run.output
    assert "is read. Files: 0; organizations: 1." in run.err
    assert "acme/sso" in run.out
    assert "other/sso" not in run.out


def test_a_pull_request_that_touches_only_a_secret_file_is_told_that_it_is_not_compared(
    connected: Workplace,
) -> None:
    """The pull-request page: such a plan shows no change; `--rotate` sends the secret."""
    connected.declare("acme", client_secret="${file:secrets/acme}")
    connected.write("secrets/acme", "first-value-of-acme\n")
    connected.git("init", "--quiet")
    connected.applied()
    base = connected.commit()
    connected.write("secrets/acme", "second-value-of-acme\n")
    plan = connected.run("plan", "--no-secrets", "--changed-since", base)
    assert plan.code == 0
    assert "No changes." in plan.out
    assert "Secrets: not resolved and not compared." in plan.out
    rotated = connected.run("plan", "--no-secrets", "--changed-since", base, "--rotate", "acme/sso")
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in rotated.out
    assert "value-of-acme" not in plan.output + rotated.output
