"""Pins manifests: finds the ids of declared connections, and adds the missing ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, InvalidConfiguration, ProviderError, Severity, UsageError
from reconciler.core.matching import match_connections
from reconciler.core.outcome import MissingPin, pins_to_write
from reconciler.core.planner import unreadable
from reconciler.core.results import PinResult
from reconciler.manifests import load_manifests
from reconciler.manifests.environments import RunEnvironment
from reconciler.manifests.pinning import Pin
from reconciler.workflow.edited_files import edit_file, write_files
from reconciler.workflow.live_state import find_organizations, read_organizations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.matching import Pair
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Scope
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization
    from reconciler.manifests import ManifestFile, Project
    from reconciler.manifests.editing import Edit, ManifestEditor
    from reconciler.providers.base import Reader
    from reconciler.workflow.live_state import LiveState, Progress


def load_files(
    paths: Sequence[str], project: Project, variables: Mapping[str, str]
) -> tuple[tuple[ManifestFile, ...], tuple[Diagnostic, ...]]:
    """Read the manifests to pin; return the files without errors, and the errors of the others.

    A single id of the other environment is a warning.

    Raises:
        InvalidConfiguration: there are errors, and no file without.
    """
    lenient = replace(project, environment=replace(project.environment, is_lenient=True))
    loaded = load_manifests(paths, lenient, variables)
    errors = tuple(diagnostic for diagnostic in loaded.diagnostics if diagnostic.is_error)
    files = tuple(file for file in loaded.files if not file.has_errors)
    if errors and not files:
        raise InvalidConfiguration(errors)
    return files, errors


def in_environment_of(project: Project, scope: Scope | None, file: str) -> Project:
    """Return the project in the environment of a result, which was made with credentials that are not here.

    Raises:
        UsageError: the result names no project, or another one than the credentials that are here.
    """
    if scope is None:
        raise UsageError(f"{file}: the run failed before it knew its project, so it created nothing")
    known = project.environment.principal
    if known and known != scope.principal:
        raise UsageError(f"{file} is of the project {scope.principal}, but the credentials are of {known}")
    return replace(project, environment=RunEnvironment(scope.principal))


def created_pins(files: Sequence[ManifestFile], result: ApplyResult) -> PinResult:
    """Return the missing pins of what an apply created."""
    organizations = [organization for file in files for organization in file.organizations]
    return PinResult(pins=pins_to_write(result.outcomes, organizations), is_check=True, scope=result.scope)


async def find_pins(
    files: Sequence[ManifestFile], reader: Reader, *, concurrency: int, progress: Progress
) -> PinResult:
    """Return every missing pin, in the order of the manifests.

    Connections that are declared absent need no pin; those that do not exist yet have no id.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    manifests = [organization for file in files for organization in file.organizations]
    organizations = await find_organizations(manifests, reader)
    live = await read_organizations(organizations, reader, concurrency=concurrency, progress=progress)
    foreign = {
        diagnostic.address
        for file in files
        for diagnostic in file.diagnostics
        if diagnostic.code == "wrong-environment"
    }
    results = [_compare(manifest, state, foreign) for manifest, state in zip(manifests, live, strict=True)]
    return PinResult(
        pins=tuple(pin for result in results for pin in result.pins),
        maps=tuple(pin for result in results for pin in result.maps),
        not_live=tuple(address for result in results for address in result.not_live),
        diagnostics=tuple(diagnostic for result in results for diagnostic in result.diagnostics),
        is_check=True,
    )


def write_pins(files: Sequence[ManifestFile], missing: PinResult, editor: ManifestEditor) -> PinResult:
    """Write the missing pins into their files, and return what was written.

    Raises:
        UsageError: a file cannot be read or written.
    """
    refused: list[MissingPin] = []
    edited = []
    for file in files:
        own = [pin for pin in (*missing.pins, *missing.maps) if pin.location.path == file.display_path]
        if own:
            pins: dict[Edit, MissingPin] = {_pin(pin, file): pin for pin in own}
            edited.append(edit_file(file, [*pins], editor))
            refused += [pins[refusal.edit] for refusal in edited[-1].refused]
    write_files(edited)
    return replace(
        missing,
        pins=tuple(pin for pin in missing.pins if pin not in refused),
        maps=tuple(pin for pin in missing.maps if pin not in refused),
        diagnostics=(*missing.diagnostics, *map(_not_pinned, refused)),
        is_check=False,
    )


def _compare(manifest: DesiredOrganization, live: LiveState, foreign: AbstractSet[str]) -> PinResult:
    """Return the missing pins of one organization; ``foreign`` are addresses pinned elsewhere only."""
    if isinstance(live, ProviderError):
        return PinResult(diagnostics=unreadable(manifest, live).diagnostics)
    matching = match_connections(manifest, live)
    ambiguous = {diagnostic.address for diagnostic in matching.diagnostics}
    pairs = [pair for pair in matching.pairs if not pair.desired.is_absent]
    not_live = [str(pair.desired.address) for pair in pairs if pair.live is None]
    pins = (*_organization_pin(manifest, live), *_connection_pins(pairs))
    to_map = foreign - ambiguous - {pin.address for pin in pins}
    return PinResult(
        pins=pins,
        maps=tuple(_map(desired) for desired in manifest.connections if str(desired.address) in to_map),
        not_live=tuple(address for address in not_live if address not in ambiguous),
        diagnostics=matching.diagnostics,
    )


def _organization_pin(manifest: DesiredOrganization, live: LiveOrganization) -> Iterator[MissingPin]:
    organization_id = live.organization.organization_id
    if organization_id not in manifest.names:
        yield MissingPin(
            address=manifest.reference, id=organization_id, location=manifest.location, is_organization=True
        )


def _map(desired: DesiredConnection) -> MissingPin:
    return MissingPin(address=str(desired.address), id="", location=desired.location)


def _connection_pins(pairs: Sequence[Pair]) -> Iterator[MissingPin]:
    for pair in pairs:
        if pair.live is not None and pair.desired.connection.connection_id is None:
            yield MissingPin(
                address=str(pair.desired.address),
                id=pair.live.connection_id or "",
                location=pair.desired.location,
            )


def _pin(missing: MissingPin, file: ManifestFile) -> Pin:
    reference, _, connection = missing.address.partition("/")
    document = next(manifest.location for manifest in file.organizations if manifest.reference == reference)
    return Pin(document, missing.id, None if missing.is_organization else connection)


def _not_pinned(pin: MissingPin) -> Diagnostic:
    key = "organization_id" if pin.is_organization else "connection_id"
    entry = f"add the line `{key}: {pin.id}`" if pin.id else f"write `{key}` as a map by environment"
    return Diagnostic(
        Severity.ERROR,
        "not-pinned",
        f"the id of {pin.address} cannot be added to this block without changing something else",
        detail=f"write the block without aliases, or {entry} by hand",
        address=pin.address,
        location=pin.location,
    )
