"""Checks the indexed Job with a pod for each shard; `tests/cli/test_shards.py` runs the same commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

JOB = Path(__file__).parents[2] / "examples/kubernetes/shards.yaml"


def job() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(JOB.read_text(encoding="utf-8"))
    return document


def test_the_job_matches_its_schema() -> None:
    validator = Path(sys.executable).parent / "kubernetes-validate"
    process = subprocess.run([validator, "--strict", JOB], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_there_is_a_pod_for_every_shard() -> None:
    spec = job()["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["completionMode"] == "Indexed"
    assert f"auto/{spec['completions']}" in container["args"]
    assert spec["parallelism"] == spec["completions"]
