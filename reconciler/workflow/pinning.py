"""Pinning: look up what every declaration means, and write its id into the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import AccessDenied, Diagnostic, ProviderError, Severity, UsageError
from reconciler.core.matching import match_connections
from reconciler.core.pin_document import MissingPin, Pinned
from reconciler.core.planner import unreadable
from reconciler.manifests.pinning import Pin
from reconciler.storage.files import write_atomically
from reconciler.workflow.live_state import other_organization
from reconciler.workflow.parallel import gather_bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.matching import Pair
    from reconciler.core.state import DesiredOrganization, LiveOrganization, Organization
    from reconciler.manifests import ManifestFile
    from reconciler.manifests.pinning import Pinner
    from reconciler.providers.base import Reader
    from reconciler.workflow.live_state import Progress


async def find_pins(
    files: Sequence[ManifestFile], reader: Reader, *, concurrency: int, progress: Progress
) -> Pinned:
    """Return every pin that is missing, in the order of the manifests.

    A connection that is declared absent needs none, and one that is not live has none.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    organizations = [one for file in files for one in file.organizations]
    found = await reader.find_organizations([one.reference for one in organizations])
    search = _Search(reader, progress)
    tasks = [(index, one, found[one.reference]) for index, one in enumerate(organizations)]
    await gather_bounded(search.look_up, tasks, concurrency=concurrency)
    return search.result()


def write_pins(files: Sequence[ManifestFile], found: Pinned, pinner: Pinner) -> Pinned:
    """Write the missing pins into their files, each replaced in one step; return what was written.

    Raises:
        UsageError: a file cannot be read or written.
    """
    written: list[MissingPin] = []
    diagnostics = list(found.diagnostics)
    for file in files:
        pins = [one for one in found.pins if one.location.path == file.shown]
        if pins:
            refused = _write(file, pins, pinner)
            written += [one for one in pins if one not in refused]
            diagnostics += [_refusal(one) for one in refused]
    return Pinned(pins=tuple(written), not_live=found.not_live, diagnostics=tuple(diagnostics))


def _write(file: ManifestFile, pins: Sequence[MissingPin], pinner: Pinner) -> list[MissingPin]:
    """Write pins into one file, and return those for which there was no safe place."""
    assert file.path is not None
    path = Path(file.path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file.shown}: {error.strerror or error}") from error
    if pinner.declared(content, file.shown) != file.organizations:
        raise UsageError(f"{file.shown} was changed while it was looked up: run it again")
    wanted = {_pin(one, file): one for one in pins}
    result, refused = pinner.pinned(content, file.shown, [*wanted])
    if result != content:
        write_atomically(path, result.decode())
    return [wanted[one] for one in refused]


def _pin(one: MissingPin, file: ManifestFile) -> Pin:
    organization, _, connection = one.address.partition("/")
    document = next(
        declared.location for declared in file.organizations if declared.reference == organization
    )
    return Pin(document, one.id, None if one.is_organization else connection)


@dataclass(slots=True)
class _Search:
    reader: Reader
    progress: Progress
    pins: dict[int, list[MissingPin]] = field(default_factory=dict)
    not_live: dict[int, list[str]] = field(default_factory=dict)
    diagnostics: dict[int, tuple[Diagnostic, ...]] = field(default_factory=dict)

    async def look_up(self, task: tuple[int, DesiredOrganization, Organization | ProviderError]) -> None:
        index, declared, organization = task
        try:
            live = await self._read(declared, organization)
        except AccessDenied:
            raise
        except ProviderError as error:
            self.diagnostics[index] = unreadable(declared, error).diagnostics
        else:
            self._match(index, declared, live)
        self.progress.advanced(len(self.diagnostics))

    async def _read(
        self, declared: DesiredOrganization, organization: Organization | ProviderError
    ) -> LiveOrganization:
        if isinstance(organization, ProviderError):
            raise organization
        if declared.organization_id not in {None, organization.organization_id}:
            raise other_organization(declared, organization)
        return await self.reader.read_organization(organization)

    def _match(self, index: int, declared: DesiredOrganization, live: LiveOrganization) -> None:
        matching = match_connections(declared, live)
        self.diagnostics[index] = matching.diagnostics
        refused = {found.address for found in matching.diagnostics}
        present = [pair for pair in matching.pairs if not pair.desired.is_absent]
        self.not_live[index] = [
            str(pair.desired.address)
            for pair in present
            if pair.live is None and str(pair.desired.address) not in refused
        ]
        real_id = live.organization.organization_id
        is_pinned = declared.organization_id is not None or declared.reference == real_id
        self.pins[index] = [
            *([] if is_pinned else [_organization_pin(declared, real_id)]),
            *(pin for pair in present if (pin := _missing(pair)) is not None),
        ]

    def result(self) -> Pinned:
        return Pinned(
            pins=tuple(pin for _, pins in sorted(self.pins.items()) for pin in pins),
            not_live=tuple(one for _, names in sorted(self.not_live.items()) for one in names),
            diagnostics=tuple(one for _, found in sorted(self.diagnostics.items()) for one in found),
            is_check=True,
        )


def _organization_pin(declared: DesiredOrganization, real_id: str) -> MissingPin:
    return MissingPin(
        address=declared.reference, id=real_id, location=declared.location, is_organization=True
    )


def _missing(pair: Pair) -> MissingPin | None:
    if pair.live is None or pair.desired.connection.connection_id is not None:
        return None
    return MissingPin(
        address=str(pair.desired.address),
        id=pair.live.connection_id or "",
        location=pair.desired.location,
    )


def _refusal(one: MissingPin) -> Diagnostic:
    name = "organization_id" if one.is_organization else "connection_id"
    return Diagnostic(
        Severity.ERROR,
        "not-pinned",
        f"the id of {one.address} cannot be written into this block without changing something else",
        detail=f"write the block out (no alias, nothing shared), or add the line `{name}: {one.id}` by hand",
        address=one.address,
        location=one.location,
    )
