"""Secrets from files: ``${file:PATH}``, relative to the folder of the project file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret
from reconciler.secrets.store import Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from reconciler.secrets.policy import SecretPolicy
    from reconciler.secrets.store import SecretAccess

MAX_BYTES: Final = 64 * 1024


def open_store(access: SecretAccess) -> FileStore:
    """Return the store of the files."""
    return FileStore(access.policy)


class FileStore:
    """Files by path, each of which holds one secret."""

    def __init__(self, policy: SecretPolicy) -> None:
        self._policy = policy

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the content of each file as it is, without one newline at its end."""
        return {name: self._entry(name) for name in names}

    def _entry(self, path: str) -> Entry | SecretUnavailable:
        try:
            return Entry(
                {"": Secret(text_of(read_file(self._policy.file(path), MAX_BYTES), f"the file {path}"))}
            )
        except (OSError, RuntimeError) as error:
            reason = reason_of(error)
            return SecretUnavailable(
                f"the file {path} cannot be read: {reason}", problem=f"the file cannot be read: {reason}"
            )
        except SecretUnavailable as error:
            return error


def read_file(file: Path, max_bytes: int) -> bytes:
    """Return the content, but no more than one byte beyond ``max_bytes``.

    Follows no link that appeared since the policy looked, and does not wait on a pipe.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return stream.read(max_bytes + 1)


def text_of(content: bytes, source: str) -> str:
    """Return a secret without one newline at its end; ``source`` is named if it is none.

    Raises:
        SecretUnavailable: it is empty, not UTF-8, too long, or holds a NUL byte.
    """
    if len(content) > MAX_BYTES:
        raise SecretUnavailable(f"{source} is larger than {MAX_BYTES // 1024} KiB; a secret is shorter")
    if b"\0" in content:
        raise SecretUnavailable(f"{source} holds a NUL byte; a secret is text")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # the cause would carry the content
        raise SecretUnavailable(f"{source} is not UTF-8; a secret is text") from None
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise SecretUnavailable(f"{source} is empty; write the secret's value into it")
    return text


def reason_of(error: OSError | RuntimeError) -> str:
    """Return why a file cannot be read, in lower case."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file; create it, or correct the path (relative to the project file)"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "access is not permitted"
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or "its symbolic links form a loop").lower()
