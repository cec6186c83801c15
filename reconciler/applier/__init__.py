"""Carries out a plan through a provider: operations in, outcomes out."""

from reconciler.applier.run import Observer, apply_changes
from reconciler.applier.settling import Patience

__all__ = ["Observer", "Patience", "apply_changes"]
