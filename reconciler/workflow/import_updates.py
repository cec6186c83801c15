"""Writes live edits and undeclared connections into existing manifests, by place.

All edits of a run are computed and proven first: a plan of the edited manifests differs from live state
only in what the result names. Then the files are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.change import DefaultChange, Update
from reconciler.core.errors import (
    Diagnostic,
    InvalidConfiguration,
    ProviderError,
    UsageError,
    did_you_mean,
    shell_word,
)
from reconciler.core.planner import unreadable
from reconciler.core.results import FieldUpdate, FileStatus, ImportedFile, ImportResult
from reconciler.manifests.editing import NO_SAFE_PLACE, SetField
from reconciler.manifests.export_names import ENV_EXAMPLE
from reconciler.manifests.source_file import display_path
from reconciler.workflow.edited_files import edit_file, write_files
from reconciler.workflow.import_ import add_to_env_example
from reconciler.workflow.imported_secrets import store_secrets
from reconciler.workflow.inventory import no_such_connection
from reconciler.workflow.live_edits import (
    OrganizationUpdate,
    UpdateRequest,
    decide_update,
    not_added,
    plan_selected,
)
from reconciler.workflow.live_state import find_organizations, read_organizations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Loaded, ManifestFile, Project
    from reconciler.manifests.editing import ManifestEditor
    from reconciler.manifests.export import ConnectionBlocks
    from reconciler.manifests.export_names import Variable, VariableNames
    from reconciler.providers.base import Reader
    from reconciler.secrets import SecretAccess
    from reconciler.workflow.edited_files import EditedFile
    from reconciler.workflow.live_state import LiveState, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """The updates of all organizations that could be read, and errors about the others."""

    organizations: tuple[OrganizationUpdate, ...]
    diagnostics: tuple[Diagnostic, ...]


async def find_updates(
    request: UpdateRequest,
    loaded: Loaded,
    reader: Reader,
    names: VariableNames,
    *,
    concurrency: int,
    progress: Progress,
) -> Updates:
    """Read the requested organizations, and decide what their manifests take over.

    Raises:
        UsageError: a requested connection does not exist.
        InvalidConfiguration: the manifest of a requested connection has errors.
        AccessDenied: the credentials are not accepted.
    """
    _check_organizations(request, loaded)
    manifests = [
        manifest
        for manifest in loaded.state.organizations
        if request.selects(Address(manifest.reference, ""))
    ]
    organizations = await find_organizations(manifests, reader)
    live = await read_organizations(organizations, reader, concurrency=concurrency, progress=progress)
    states = [*zip(manifests, live, strict=True)]
    _check_connections(request, states)
    errors = [] if request.addresses else [finding for finding in loaded.diagnostics if finding.is_error]
    for manifest, state in states:
        if isinstance(state, ProviderError):
            errors += unreadable(manifest, state).diagnostics
    return Updates(
        organizations=tuple(
            decide_update(manifest, state, request, names)
            for manifest, state in states
            if not isinstance(state, ProviderError)
        ),
        diagnostics=tuple(errors),
    )


def write_updates(
    updates: Updates,
    files: Sequence[ManifestFile],
    editor: ManifestEditor,
    *,
    project: Project,
    variables: Sequence[Variable],
    access: SecretAccess,
) -> ImportResult:
    """Write the updates into their files, once all of them are known to be right; return what was done.

    ``variables`` are those that the manifests referred to before. ``access`` is to the age files of the
    live secrets of connections that are added.

    Raises:
        UsageError: a file was changed meanwhile, or cannot be read or written; then none is written.
    """
    edited = [*_edit_files(updates, files, editor)]
    write_files(edited)
    env_example = project.root / ENV_EXAMPLE
    new = [*_added_variables(updates)]
    stored = store_secrets(
        (secret for blocks in _blocks(updates) for secret in blocks.secrets), project, access
    )
    return ImportResult(
        files=tuple(_imported_file(update) for update in updates.organizations),
        diagnostics=(
            *(finding for update in updates.organizations for finding in update.diagnostics),
            *updates.diagnostics,
            *stored.diagnostics,
        ),
        variables=add_to_env_example(env_example, [*variables, *new]) if new else (),
        variables_file=display_path(env_example, project.directory),
        unmanaged_secrets=sum(blocks.unmanaged_secrets for blocks in _blocks(updates)),
        stored_secrets=stored.count,
        secret_files=stored.files,
        uncompared_secrets=sum(update.secrets for update in updates.organizations),
        is_update=True,
    )


def _added_variables(updates: Updates) -> Iterator[Variable]:
    """Yield the environment variables that appended connections refer to."""
    for blocks in _blocks(updates):
        yield from blocks.variables


def _blocks(updates: Updates) -> Iterator[ConnectionBlocks]:
    """Yield the blocks that were appended, by organization."""
    for update in updates.organizations:
        if update.blocks is not None:
            yield update.blocks


def _check_organizations(request: UpdateRequest, loaded: Loaded) -> None:
    """Refuse an address of an organization that no valid manifest declares."""
    declared = [organization.reference for organization in loaded.state.organizations]
    for pattern in request.addresses:
        if any(Address(reference, "").matches(pattern) for reference in declared):
            continue
        errors = tuple(finding for finding in loaded.diagnostics if finding.is_error)
        if any(Address(refused.reference, "").matches(pattern) for refused in loaded.refused):
            raise InvalidConfiguration(errors)
        organization = pattern.partition("/")[0]
        remedy = f"`reconciler import {shell_word(organization)}` writes one"
        raise UsageError(
            f"no manifest declares {organization!r}: {did_you_mean(organization, declared, remedy)}"
        )


def _check_connections(
    request: UpdateRequest, states: Sequence[tuple[DesiredOrganization, LiveState]]
) -> None:
    """Refuse an address that is neither declared nor, where connections are added, live."""
    declared = [desired.address for manifest, _ in states for desired in manifest.connections]
    live = [
        Address(manifest.reference, connection.connection_id or "")
        for manifest, state in states
        if not isinstance(state, ProviderError)
        for connection in state.connections
    ]
    is_unknown = any(isinstance(state, ProviderError) for _, state in states)
    for pattern in request.addresses:
        if "/" not in pattern or any(address.matches(pattern) for address in declared) or is_unknown:
            continue
        if not any(address.matches(pattern) for address in live):
            names = [str(address) for address in declared]
            raise no_such_connection(pattern, names)
        if not request.adds:
            raise UsageError(f"no manifest declares {pattern!r}: `--add` appends undeclared connections")


def _edit_files(
    updates: Updates, files: Sequence[ManifestFile], editor: ManifestEditor
) -> Iterator[EditedFile]:
    """Yield each file with its edits made and proven."""
    for file in files:
        own = [
            update
            for update in updates.organizations
            if update.edits and update.manifest.location.path == file.display_path
        ]
        if not own:
            continue
        edited = edit_file(file, [edit for update in own for edit in update.edits], editor)
        for update in own:
            _drop_refused(update, edited)
            _prove(update, edited)
        yield edited


def _drop_refused(update: OrganizationUpdate, edited: EditedFile) -> None:
    """Name the edits that have no safe place, and count on the others."""
    by_name = {desired.address.connection: desired for desired in update.manifest.connections}
    for refusal in edited.refused:
        if refusal.edit.document != update.manifest.location:
            continue
        if isinstance(refusal.edit, SetField):
            update.fields = [edit for edit in update.fields if edit != refusal.edit]
            desired = by_name[refusal.edit.connection]
            update.leave(desired, refusal.edit.field, refusal.reason, "write the value by hand")
        elif update.blocks is not None:
            subject = f"connections of {update.manifest.reference} are not added"
            command = f"reconciler import {shell_word(update.manifest.reference)}"
            hint = f"`{command}` shows the blocks to add: {', '.join(update.blocks.names.values())}"
            update.diagnostics.append(not_added(update.manifest, subject, NO_SAFE_PLACE, hint))
            update.blocks = None


def _prove(update: OrganizationUpdate, edited: EditedFile) -> None:
    """Plan the edited manifest: it may differ from live state only in what is left.

    Raises:
        UsageError: it differs in more, so that nothing may be written.
    """
    added = update.blocks.names.values() if update.blocks is not None else ()
    touched = {*added, *(edit.connection for edit in update.fields)}
    manifest = next(
        organization
        for organization in edited.declared
        if organization.reference == update.manifest.reference
    )
    selected = [desired for desired in manifest.connections if desired.address.connection in touched]
    plan = plan_selected(manifest, update.live, selected)
    differing = {
        (str(change.address), name)
        for change in plan.changes
        if not isinstance(change, DefaultChange)
        for name in (change.changed if isinstance(change, Update) else ("",))
    }
    if plan.is_refused or differing - update.left:
        raise UsageError(
            f"{edited.file.display_path} would still differ from what is live, so nothing was written: "
            f"{', '.join(sorted(address for address, _ in differing)) or plan.diagnostics[0].summary}"
        )


def _imported_file(update: OrganizationUpdate) -> ImportedFile:
    manifest, blocks = update.manifest, update.blocks
    names = tuple(blocks.names.values()) if blocks is not None else ()
    changes = tuple(
        FieldUpdate(address=f"{manifest.reference}/{edit.connection}", attribute=edit.field)
        for edit in update.fields
    )
    return ImportedFile(
        organization=manifest.reference,
        organization_id=update.live.organization.organization_id,
        path=manifest.location.path,
        status=FileStatus.UPDATED if changes or names else FileStatus.KEPT,
        connections=len(manifest.connections) + len(names),
        remarks=tuple(blocks.remarks) if blocks is not None else (),
        updates=changes,
        added=tuple(f"{manifest.reference}/{name}" for name in names),
    )
