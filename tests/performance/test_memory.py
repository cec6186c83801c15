"""A whole estate is held in memory, and stays within its bound."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.estate import environment_for, write_estate, write_project
from benchmarks.measure import service

CONNECTIONS = 10_000
MEGABYTES = 100

_PROGRAM = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "reconciler", "plan"], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
"""A small process in between: Linux counts what the parent holds towards the peak of its child."""


@pytest.mark.usefixtures("unmeasured")  # what measures the tests takes memory of its own
def test_a_plan_of_ten_thousand_connections_needs_a_hundred_megabytes_at_most(tmp_path: Path) -> None:
    """The peak of the whole process, with everything that it imports."""
    estate = write_estate(tmp_path, 2_000)
    assert estate.connections == CONNECTIONS
    with service(estate.organizations) as api:
        write_project(estate.folder, requests_per_second=100_000.0)
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=estate.folder,
            env={**os.environ, **environment_for(api.base_url)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert "No changes." in done.stdout
    assert 0 < int(done.stdout.split()[-1]) <= MEGABYTES
