"""How many examples a generated test tries: a quarter in the test suite, all of them with `make proofs`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings


def number_of(examples: int) -> int:
    """Return how many of so many examples this run tries."""
    return examples if os.environ.get("ALL_EXAMPLES") else -(-examples // 4)


def examples(number: int, **options: Any) -> settings:
    """Return the settings of a generated test."""
    return settings(max_examples=number_of(number), deadline=None, **options)
