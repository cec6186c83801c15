"""Checks that CONTRIBUTING describes the layers that the import contract enforces."""

from __future__ import annotations

import re
import tomllib

from tests.docs.pages import ROOT, blocks


def test_the_diagram_shows_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers")
    packages = {name for layer in layers for name in re.findall(r"\w+", layer)}
    diagram = blocks(ROOT / "CONTRIBUTING.md", "text")[0].text
    rows = [re.split(r"\s{2,}", line.strip())[0] for line in diagram.splitlines()]
    shown = [sorted(names) for row in rows if (names := set(re.findall(r"\w+", row)) & packages)]
    assert shown == [sorted(re.findall(r"\w+", layer)) for layer in layers]
