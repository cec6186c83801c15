"""The manifests of one run, however they were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests import ManifestFile


class Selection(NamedTuple):
    """The manifests of a run. ``is_whole`` tells that there are no others; ``remark`` explains it."""

    files: Iterator[ManifestFile]
    is_whole: bool
    remark: str = ""
