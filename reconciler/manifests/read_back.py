"""A manifest that was just put together → what it declares, by the rules that will read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.reading import read_text

if TYPE_CHECKING:
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.project import Project

_NAME = "the manifest"


def read_back(text: str, project: Project) -> DesiredOrganization | str:
    """Return the one organization that a text declares, or why it does not."""
    content = text.encode()
    if len(content) > project.read_limits.max_bytes:
        return f"it is larger than {project.read_limits.max_bytes:,} bytes"
    read = read_text(content, _NAME, project.read_limits)
    reader = OrganizationReader(project, {})
    found = [
        reader.read(document, read.source, read.findings.document(index))
        for index, document in read.documents
    ]
    errors = [one for one in read.findings.diagnostics if one.is_error]
    if errors or len(found) != 1 or found[0] is None:
        return errors[0].summary if errors else "it holds more than one document"
    return found[0]
