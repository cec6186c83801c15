"""The command line: parses arguments, chooses adapters, chooses the exit code."""

from reconciler.cli.main import main

__all__ = ["main"]
