"""Secrets from files: ``${file:PATH}``, relative to the folder of the project file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.secrets.policy import SecretPolicy

MAX_BYTES: Final = 64 * 1024


def read(path: str, policy: SecretPolicy, environment: Mapping[str, str]) -> Secret:
    """Return the content of a file as it is, without one newline at its end.

    Raises:
        SecretUnavailable: there is no such file, it cannot be read, or it is not a short text.
    """
    del environment
    try:
        content = _content(policy.file(path))
    except (OSError, RuntimeError) as error:
        reason = _reason(error)
        raise SecretUnavailable(
            f"the file {path} cannot be read: {reason}", problem=f"the file cannot be read: {reason}"
        ) from None
    return Secret(_text(content, path))


def _content(file: Path) -> bytes:
    """Read without following a link that appeared since the policy looked, and without waiting on a pipe."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return stream.read(MAX_BYTES + 1)


def _text(content: bytes, path: str) -> str:
    if len(content) > MAX_BYTES:
        raise SecretUnavailable(
            f"the file {path} is larger than {MAX_BYTES // 1024} KiB; a secret is shorter"
        )
    if b"\0" in content:
        raise SecretUnavailable(f"the file {path} holds a NUL byte; a secret is text")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # the cause would carry the content
        raise SecretUnavailable(f"the file {path} is not UTF-8; a secret is text") from None
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise SecretUnavailable(f"the file {path} is empty; write the secret's value into it")
    return text


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; create it, or correct the path (relative to the project file)"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "access is not permitted"
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or "its symbolic links form a loop").lower()
