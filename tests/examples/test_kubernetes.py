"""Checks the Kubernetes examples: valid objects, least privilege, an image without root."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent.parent / "examples/kubernetes"
CRON_JOB = FOLDER / "cronjob.yaml"


def documents() -> dict[str, Any]:
    objects = yaml.safe_load_all(CRON_JOB.read_text(encoding="utf-8"))
    return {document["kind"]: document for document in objects}


def pod() -> dict[str, Any]:
    template: dict[str, Any] = documents()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return template


def test_every_object_matches_its_schema() -> None:
    validator = Path(sys.executable).parent / "kubernetes-validate"
    process = subprocess.run([validator, "--strict", CRON_JOB], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert len(re.findall("passed for resource", process.stdout + process.stderr)) == len(documents()) == 3


def test_the_pod_has_least_privilege() -> None:
    (container,) = pod()["containers"]
    assert pod()["automountServiceAccountToken"] is False
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    policy = documents()["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 443}


def test_it_runs_drift_and_never_twice_at_once() -> None:
    (container,) = pod()["containers"]
    assert container["args"][0] == "drift"
    assert documents()["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"
    job = documents()["CronJob"]["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2])
    assert rule["onExitCodes"]["containerName"] == container["name"]


def test_the_image_runs_as_the_user_of_the_pod() -> None:
    lines = [
        line.split(maxsplit=1)
        for line in (FOLDER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        if line and not line.startswith("#")
    ]
    user = pod()["securityContext"]
    assert [rest for word, rest in lines if word == "USER"] == [f"{user['runAsUser']}:{user['runAsGroup']}"]
    stages = [at for at, (word, _) in enumerate(lines) if word == "FROM"]
    assert not [rest for word, rest in lines[stages[-1] :] if word == "RUN"], "no tools in the last stage"
    assert not [rest for word, rest in lines if word == "ADD"]
    assert all(":" in rest and ":latest" not in rest for word, rest in lines if word == "FROM")
