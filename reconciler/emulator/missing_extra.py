"""What to install when the emulator's libraries are not there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES = ("starlette", "uvicorn", "anyio", "h11")


class MissingExtraError(ImportError):
    """The extra `emulator` is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"the emulator needs {library}; install it with: pip install 'oidc-reconciler[emulator]'",
            name=library,
        )


@contextmanager
def needing_extra() -> Iterator[None]:
    """For imports: a missing library of the extra becomes a `MissingExtraError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        raise MissingExtraError(library) from error
