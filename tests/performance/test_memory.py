"""A whole estate is held in memory, and stays within its bound."""

import sys
from pathlib import Path

from benchmarks.estate import ENVIRONMENT, write_estate, write_project
from benchmarks.measure import cost_of, service

CONNECTIONS = 10_000
MEGABYTES = 100


def test_a_plan_of_ten_thousand_connections_needs_a_hundred_megabytes_at_most(tmp_path: Path) -> None:
    """The peak of the whole process, with everything that it imports."""
    estate = write_estate(tmp_path, 2_000)
    assert estate.connections == CONNECTIONS
    with service(estate.organizations) as api:
        write_project(estate.folder, api.base_url, requests_per_second=100_000.0)
        cost = cost_of([sys.executable, "-m", "reconciler", "plan"], estate.folder, ENVIRONMENT)
    assert cost.memory <= MEGABYTES
