"""Gather, decide, act: the only place where input and output meet the core."""
