"""Asking identity providers: the guard, the checks, and `verify` against scripted ones."""
