"""Programs that some tests need, and that a machine with only Python, make and Git does not have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(install_hint: str) -> NoReturn:
    """Skip a test; with LEAVE_NOTHING_OUT, as in CI, fail."""
    if os.environ.get("LEAVE_NOTHING_OUT"):
        pytest.fail(install_hint)
    pytest.skip(install_hint)
