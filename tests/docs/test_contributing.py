"""Checks that CONTRIBUTING agrees with the code: layers, files and folders."""

from __future__ import annotations

import re
import tomllib

from tests.docs.generators import PACKAGE
from tests.docs.pages import ROOT, blocks, read

ROOTS = (ROOT, PACKAGE)


def test_the_diagram_shows_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers")
    packages = {name for layer in layers for name in re.findall(r"\w+", layer)}
    diagram = blocks(ROOT / "CONTRIBUTING.md", "text")[0].text
    rows = [re.split(r"\s{2,}", line.strip())[0] for line in diagram.splitlines()]
    shown = [sorted(names) for row in rows if (names := set(re.findall(r"\w+", row)) & packages)]
    assert shown == [sorted(re.findall(r"\w+", layer)) for layer in layers]


def test_the_files_and_folders_that_it_names_exist() -> None:
    text = read(ROOT / "CONTRIBUTING.md").partition("\n## Modules\n")[0]
    paths = {name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if "CASE" not in name}
    assert paths
    assert not [name for name in paths if not any((root / name).exists() for root in ROOTS)]
