"""YAML with places and limits → what is declared, and everything that is wrong with it.

The usual way through: `load_project`, then `load_manifests` for everything at once, or
`find_manifests` and `read_manifests` to stream file by file; `credentials.resolve_target` when
credentials are needed. Findings are values; only a broken project file or target raises.
"""

from reconciler.manifests.files import FoundManifests, find_manifests
from reconciler.manifests.limits import ReadLimits
from reconciler.manifests.load import (
    Loaded,
    ManifestFile,
    collect_manifests,
    load_manifests,
    read_manifests,
    stream_manifests,
)
from reconciler.manifests.project import PROJECT_FILE, Defaults, Project, load_project
from reconciler.manifests.target import Target

__all__ = [
    "PROJECT_FILE",
    "Defaults",
    "FoundManifests",
    "Loaded",
    "ManifestFile",
    "Project",
    "ReadLimits",
    "Target",
    "collect_manifests",
    "find_manifests",
    "load_manifests",
    "load_project",
    "read_manifests",
    "stream_manifests",
]
