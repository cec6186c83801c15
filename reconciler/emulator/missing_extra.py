"""What to install when the emulator's libraries are not there."""

from __future__ import annotations


class MissingExtraError(ImportError):
    """The extra `emulator` is not installed."""

    def __init__(self, missing: ImportError) -> None:
        super().__init__(
            f"the emulator needs {missing.name}; install it with: pip install 'reconciler[emulator]'",
            name=missing.name,
        )
