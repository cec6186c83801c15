"""Reads manifests and project file: YAML with source locations → interpolation → pydantic → core values.

The usual way is `load_project`, then `load_manifests`. Errors are findings, gathered for all files; only
a broken project file raises.
"""

from reconciler.manifests.file_selection import FoundManifests, find_manifests
from reconciler.manifests.load import Loaded, ManifestFile, load_manifests, read_manifests, unread_files
from reconciler.manifests.project import PROJECT_FILE, Defaults, Project, load_project
from reconciler.manifests.yaml_reader import ReadLimits

__all__ = [
    "PROJECT_FILE",
    "Defaults",
    "FoundManifests",
    "Loaded",
    "ManifestFile",
    "Project",
    "ReadLimits",
    "find_manifests",
    "load_manifests",
    "load_project",
    "read_manifests",
    "unread_files",
]
