"""A repository with two organizations, an emulator, and a place to run scripts in."""

from __future__ import annotations

from tests.workflows.conftest import repository, running

__all__ = ["repository", "running"]
