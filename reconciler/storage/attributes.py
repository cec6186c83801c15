"""Finds files whose bytes Git's attributes change between a commit and the work tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.storage.git import GitError, find_work_tree, run_git, split_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ATTRIBUTES: Final = ("working-tree-encoding", "filter")
_NO_VALUE: Final = frozenset({"unspecified", "unset"})


@dataclass(frozen=True, slots=True)
class ChangedBytes:
    """An attribute by which Git changes the bytes of a file when it is checked out."""

    file: str
    attribute: str
    value: str


def find_changed_bytes(directory: Path, files: Iterable[str]) -> tuple[ChangedBytes, ...]:
    """Return the attributes of these files that change their bytes; none without Git or a work tree."""
    try:
        top = find_work_tree(directory)
        names = _names_below(top, files)
        output = (
            run_git(top, "check-attr", "-z", "--stdin", *_ATTRIBUTES, stdin=_lines(names)) if names else b""
        )
    except (GitError, OSError):
        return ()
    entries = list(split_entries(output))
    return tuple(
        ChangedBytes(names[name], attribute, value)
        for name, attribute, value in zip(entries[0::3], entries[1::3], entries[2::3], strict=True)
        if value not in _NO_VALUE
    )


def _names_below(top: Path, files: Iterable[str]) -> Mapping[str, str]:
    """Return the files below the top of the work tree, by their path from there."""
    real = {file: Path(os.path.realpath(file)) for file in files}
    return {path.relative_to(top).as_posix(): file for file, path in real.items() if path.is_relative_to(top)}


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)
