"""What a manifest that is kept does not say of its organization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.matching import match_connections
from reconciler.core.planner import Choices, plan_organization
from reconciler.manifests.importing import write_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.matching import Matching
    from reconciler.core.state import DesiredOrganization, LiveOrganization
    from reconciler.manifests.names import VariableNames


@dataclass(frozen=True, slots=True)
class Comparison:
    """``suggestion``: the lines that would declare what is live and nowhere declared."""

    remarks: tuple[str, ...]
    suggestion: tuple[str, ...]


def compare(manifest: DesiredOrganization, live: LiveOrganization, names: VariableNames) -> Comparison:
    """Hold a manifest against what is live; secrets are not compared."""
    matching = match_connections(manifest, live)
    taken = {one.address.connection: one.connection.display_name or "" for one in manifest.connections}
    blocks = write_connections(matching.unmanaged, manifest.reference, names, taken)
    return Comparison((*_remarks(manifest, live, matching), *blocks.remarks), tuple(blocks.lines))


def _remarks(manifest: DesiredOrganization, live: LiveOrganization, matching: Matching) -> Iterator[str]:
    plan = plan_organization(manifest, live, Choices(secrets={}, compares_secrets=False))
    yield from (found.summary for found in plan.diagnostics if found.is_error)
    for change in plan.changes:
        yield f"{change.address} is not what is live; `reconciler plan` shows it ({change.action.value})"
    unpinned = [
        pair.desired.address.connection
        for pair in matching.pairs
        if pair.live is not None and pair.desired.connection.connection_id is None
    ]
    if unpinned:
        yield f"not pinned: {', '.join(unpinned)}; `reconciler pin` writes the ids"
