"""Without libyaml, all findings are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BROKEN = Path(__file__).parent / "broken"

PROGRAM = """
import json, sys
from pathlib import Path
import yaml
yaml.__with_libyaml__ = False
from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import load_manifests, load_project
from reconciler.manifests.yaml_reader import LOADER
assert LOADER is yaml.SafeLoader

def findings(case):
    try:
        return load_manifests([], load_project(None, case), {}).diagnostics
    except InvalidConfiguration as error:
        return error.diagnostics

cases = [case for case in Path(sys.argv[1]).iterdir() if case.is_dir()]
print(json.dumps({case.name: [[each.code, each.summary] for each in findings(case)] for case in cases}))
"""

WORDED_DIFFERENTLY = {"yaml-percent"}
"""The pure parser skips the line and reports the next one."""


def test_the_pure_parser_leads_to_the_same_findings() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(BROKEN)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    found = json.loads(done.stdout)
    expected = {
        case.name: [
            [finding["code"], finding["summary"]]
            for finding in json.loads((case / "expected.json").read_text())
        ]
        for case in BROKEN.iterdir()
        if case.is_dir()
    }
    assert {name for name in expected if found[name] != expected[name]} == WORDED_DIFFERENTLY
