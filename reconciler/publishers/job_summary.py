"""Appends to the page that GitHub shows for a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import PublishingFailed

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""What one step may append; GitHub shows nothing at all of a longer summary."""


def append_summary(path: Path, text: str) -> None:
    """Append to the job's summary.

    Raises:
        PublishingFailed: it cannot be written, or the step would exceed its limit.
    """
    addition = f"{text.rstrip()}\n\n".encode()
    try:
        present = path.stat().st_size if path.exists() else 0
        if present + len(addition) > MAX_BYTES:
            raise PublishingFailed(f"the job summary would exceed {MAX_BYTES:,} bytes")
        with path.open("ab") as file:
            file.write(addition)
    except OSError as error:
        raise PublishingFailed(f"cannot write the job summary {path}: {error.strerror or error}") from error


def room_left(path: Path) -> int:
    """Return how many bytes this step may still append."""
    try:
        return MAX_BYTES - path.stat().st_size
    except OSError:
        return MAX_BYTES
