"""Carries out a plan through a provider: operations in, outcomes out."""

from reconciler.applier.run import Observer, apply_changes
from reconciler.applier.settling import ReadBackPolicy

__all__ = ["Observer", "ReadBackPolicy", "apply_changes"]
