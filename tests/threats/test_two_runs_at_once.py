"""Two runs that start in the same moment leave one connection of each name (cases.md, row 34)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.support.project import start_apply, write_project

if TYPE_CHECKING:
    from pathlib import Path


NAMES = {f"org-{number}": tuple(f"c{n}" for n in range(5)) for number in range(4)}


@pytest.mark.parametrize("latency", [0.02, 0.1])
def test_two_applies_in_the_same_moment_leave_one_connection_of_each_name(
    tmp_path: Path, latency: float
) -> None:
    """Row 34: two `apply --auto-approve` on missing connections, started in the same moment."""
    with running_emulator(EmulatorSettings(random_seed=1)) as running:
        for organization in NAMES:
            running.emulator.add_organization(organization)
        write_project(tmp_path, NAMES)
        running.emulator.add_fault(f"*:latency:seconds={latency}")
        processes = [start_apply(running, tmp_path) for _ in range(2)]
        output = [process.communicate(timeout=120)[0] for process in processes]
        live = {
            organization: sorted(
                (connection["display_name"], connection["status"])
                for connection in running.emulator.oidc_connections(organization)
            )
            for organization in NAMES
        }
    assert live == {name: [(key, "active") for key in keys] for name, keys in NAMES.items()}
    assert [process.returncode for process in processes] == [0, 0], "\n".join(output)
