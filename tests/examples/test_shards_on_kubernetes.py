"""An indexed Job is the engine: a pod for every shard; `tests/cli/test_shards.py` runs what the pods run."""

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


def test_the_job_is_what_its_schema_says() -> None:
    validator = Path(sys.executable).parent / "kubernetes-validate"
    done = subprocess.run([validator, "--strict", JOB], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_pod_for_every_shard() -> None:
    spec = job()["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["completionMode"] == "Indexed"
    assert f"auto/{spec['completions']}" in container["args"]
    assert spec["parallelism"] == spec["completions"]
