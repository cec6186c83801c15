"""Each documented code, and a small run of the real command that provokes it."""
