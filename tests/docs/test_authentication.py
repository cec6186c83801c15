"""Checks that the page on authentication shows every mode with the same manifests and the same result."""

from __future__ import annotations

import yaml

from tests.docs.examples import scenarios
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/how-to/authentication.md"


def test_every_mode_is_shown_with_the_same_outcome() -> None:
    applied = "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."
    counts = ["".join(block.text for block in section).count(applied) for section in scenarios(PAGE)[:3]]
    assert counts == [1, 1, 1]


def test_the_example_leaves_the_credentials_to_the_environment() -> None:
    project = (ROOT / "examples/authentication/reconciler.yaml").read_text(encoding="utf-8")
    assert "target" not in yaml.safe_load(project)
