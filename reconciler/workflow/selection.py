"""Which manifests a run reads: all that are meant, or those that differ from a Git revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import stream_manifests
from reconciler.workflow.selected import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.manifests import Project


def select_manifests(
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
    changed_since: str | None = None,
) -> Selection:
    """Return the manifests that are meant, read file by file when they are asked for.

    Raises:
        UsageError: Git cannot tell what has changed.
    """
    if changed_since is None:
        return Selection(stream_manifests(paths, project, variables), is_whole=not paths)
    from reconciler.workflow.revision import select_changed

    return select_changed(paths, project, variables, changed_since)
