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
    assert "acme/sso" in run.out
    assert "other/sso" not in run.out
