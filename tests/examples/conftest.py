"""Fixtures: a repository with two organizations, and an emulator."""

from __future__ import annotations

from tests.workflows.conftest import repository, running, warm

__all__ = ["repository", "running", "warm"]
