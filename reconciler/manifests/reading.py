"""One file → its documents, and what is wrong with the way it is written."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests.composer import Document, compose
from reconciler.manifests.findings import Findings
from reconciler.manifests.source import Source, Span, open_source
from reconciler.manifests.text import UNSAFE

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.manifests.limits import ReadLimits

_START = Span(0, 0)

_PIECE = 64 * 1024
"""Bytes to ask for where a file goes on after the end it had when it was opened."""


class ReadFile(NamedTuple):
    """A file as far as it could be read; empty documents keep their index, but are left out."""

    source: Source
    findings: Findings
    documents: tuple[tuple[int, Document], ...] = ()


def display_path(file: Path | str, directory: Path) -> str:
    """Return a path as someone in ``directory`` would type it."""
    shown, prefix = str(file), f"{directory}{os.sep}"
    return shown.removeprefix(prefix)


def fetch(file: Path | str, max_bytes: int) -> bytes | OSError:
    """Return what a file holds, one byte more than allowed at most, or why it cannot be read."""
    try:
        return _content(file, max_bytes)
    except OSError as error:
        return error


def read_file(
    file: Path | str, shown: str, limits: ReadLimits, fetched: bytes | OSError | None = None
) -> ReadFile:
    """Read a file; whatever is wrong with it becomes a finding. ``shown`` is its path for people.

    ``fetched`` is what it holds, if that is known already.
    """
    content = fetch(file, limits.max_bytes) if fetched is None else fetched
    if isinstance(content, OSError):
        return _unreadable(shown, "unreadable-file", f"{shown} cannot be read: {_reason(content)}")
    if len(content) > limits.max_bytes:
        return _unreadable(
            shown,
            "file-too-large",
            f"{shown} is larger than {limits.max_bytes:,} bytes",
            "split it: every organization can have a file of its own",
        )
    return read_text(content, shown, limits)


def read_text(content: bytes, shown: str, limits: ReadLimits) -> ReadFile:
    """Read what a file holds; whatever is wrong with it becomes a finding."""
    try:
        source = open_source(shown, content)
    except UnicodeDecodeError as error:
        return _undecodable(shown, content, error.start)
    findings = Findings(source, limits.max_depth)
    if not source.is_ascii and UNSAFE.search(source.text):
        from reconciler.manifests.flaws import report_unsafe_characters

        report_unsafe_characters(source, findings)
        return ReadFile(source, findings)
    composed = compose(source.text, limits)
    if not composed.is_sound:
        from reconciler.manifests.flaws import report_writing

        report_writing(composed, source, findings)
    documents = tuple((index, one) for index, one in enumerate(composed.documents) if not one.is_empty)
    return ReadFile(source, findings, documents)


def _content(file: Path | str, max_bytes: int) -> bytes:
    """Return the bytes of a regular file, one more than allowed at most; never waits on a pipe."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
        return _read_all(descriptor, status.st_size, max_bytes + 1)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, expected: int, most: int) -> bytes:
    """Read to the end, in as few calls as the expected size allows: room that is not needed costs as well."""
    content = os.read(descriptor, min(expected + 1, most))
    while len(content) < most and (more := os.read(descriptor, min(_PIECE, most - len(content)))):
        content += more
    return content


def _unreadable(shown: str, code: str, summary: str, hint: str = "") -> ReadFile:
    source = Source(shown, "")
    findings = Findings(source, 0)
    findings.add(code, _START, summary, hint=hint)
    return ReadFile(source, findings)


def _undecodable(shown: str, content: bytes, position: int) -> ReadFile:
    """Report the first byte that is no UTF-8; the text up to there tells where it is."""
    source = open_source(shown, content[:position])
    findings = Findings(source, 0)
    end = len(source.text)
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]
    findings.add(
        "not-utf-8",
        Span(end, end),
        f"the file is not UTF-8 (byte 0x{content[position]:02x} at offset {position})",
        hint="it looks like UTF-16; save it as UTF-8" if is_wide else "save it as UTF-8",
    )
    return ReadFile(source, findings)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return (error.strerror or "the system gives no reason").lower()
