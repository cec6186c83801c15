"""Applies a plan through a provider: takes operations and returns outcomes."""

from reconciler.applier.read_back import ReadBackPolicy
from reconciler.applier.run import Observer, apply_changes

__all__ = ["Observer", "ReadBackPolicy", "apply_changes"]
