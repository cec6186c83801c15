"""Imports live organizations: writes a manifest for each one that has none.

Organizations are read in parallel and handled in the order of their names, one after the other, so
that names come out the same in every run. A new manifest is written as soon as its organization is
read: an import that is interrupted keeps what it has written, and the next one continues from there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import (
    LIST_ALL,
    Diagnostic,
    OrganizationNotFound,
    ProviderError,
    Severity,
    UsageError,
    shell_word,
)
from reconciler.core.planner import Choices, plan_organization
from reconciler.core.results import FileStatus, ImportedFile, ImportResult
from reconciler.core.secret import Secret, SecretReference
from reconciler.manifests import find_manifests
from reconciler.manifests.export import reparse, write_manifest
from reconciler.manifests.export_names import (
    BY_VARIABLE,
    ENV_EXAMPLE,
    VariableNames,
    add_variables,
    file_stem,
    listed_variables,
    unique_stem,
)
from reconciler.manifests.source_file import display_path
from reconciler.storage.files import create_atomically, write_atomically
from reconciler.workflow.existing_manifests import OrganizationNames, compare_existing_manifest
from reconciler.workflow.imported_secrets import store_secrets
from reconciler.workflow.live_state import gather_bounded, read_organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reconciler.core.state import DesiredOrganization, LiveOrganization, Organization
    from reconciler.manifests import Project
    from reconciler.manifests.export import LiveSecret, WrittenManifest
    from reconciler.manifests.export_names import SecretTemplate, Variable
    from reconciler.providers.base import Directory
    from reconciler.secrets import SecretAccess
    from reconciler.workflow.existing_manifests import ExistingManifests
    from reconciler.workflow.live_state import LiveState, Progress

ORGANIZATION_SCHEMA: Final = Path("schemas/organization.schema.json")
"""The schema that `init` writes; new manifests name it, where it is there."""

_GLOB_CHARACTERS: Final = frozenset("*?[{")


def manifest_folder(project: Project, into: str | None) -> Path:
    """Return the folder for new manifests: ``into``, or the one that the project's first glob begins with."""
    if into is not None:
        return Path(into).resolve()
    parts = Path(project.organizations[0]).parts[:-1]
    fixed = next((index for index, part in enumerate(parts) if _GLOB_CHARACTERS & set(part)), len(parts))
    return project.root.joinpath(*parts[:fixed])


async def import_organizations(
    references: Sequence[str] | None,
    directory: Directory,
    *,
    project: Project,
    existing: ExistingManifests,
    folder: Path,
    progress: Progress,
    access: SecretAccess,
    secrets: SecretTemplate = BY_VARIABLE,
) -> ImportResult:
    """Write a manifest for each organization that has none; None for ``references`` means all of them.

    Existing manifests are compared after the new ones are written, and left as they are. Variables of
    new manifests are added to ``.env.example``, and live secrets to age files, even if the import ends early.

    Raises:
        AccessDenied: the credentials are not accepted; what was written until then stays.
        UsageError: a file cannot be read or written.
    """
    run = _Import(
        directory=directory,
        project=project,
        existing=existing,
        folder=ManifestFolder(folder),
        variable_names=VariableNames(
            project.secret_policy, (locator for locator, _ in existing.locators), secrets
        ),
        progress=progress,
    )
    env_example = project.root / ENV_EXAMPLE
    try:
        await run.import_all(references)
    finally:
        added = add_to_env_example(env_example, [*existing.variables, *run.variables])
        stored = store_secrets(run.secrets, project, access)
    return ImportResult(
        files=tuple(sorted(run.files, key=lambda file: (file.organization, file.organization_id))),
        diagnostics=(*run.diagnostics, *stored.diagnostics, *_warn_of_ignored_folder(run.created, project)),
        variables=added,
        variables_file=display_path(env_example, project.directory),
        unmanaged_secrets=run.unmanaged_secrets,
        stored_secrets=stored.count,
        secret_files=stored.files,
    )


class ManifestFolder:
    """A folder for new manifests; files that exist are kept, also where the file system ignores case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken = {path.name.casefold() for path in folder.iterdir()} if folder.is_dir() else set()

    def path_to(self, file: Path) -> str:
        """Return the path from a manifest of this folder to a file, if there is one."""
        return Path(os.path.relpath(file, self._folder)).as_posix() if file.is_file() else ""

    def create_file(self, organization: Organization, manifest: WrittenManifest) -> Path:
        """Write a manifest into a new file, and return its path.

        Raises:
            UsageError: the folder cannot be written to, or both names for the file are taken.
        """
        names = organization.slug, organization.organization_id
        for stem in (file_stem(*names), unique_stem(*names)):
            path = self._folder / f"{stem}.yaml"
            if path.name not in self._taken and create_atomically(path, manifest.text):
                self._taken.add(path.name)
                return path
        raise UsageError(
            f"{self._folder / unique_stem(*names)}.yaml exists, but does not declare organization "
            f"{organization.organization_id}: move it away"
        )


def why_not_importable(text: str, live: LiveOrganization, project: Project) -> str | None:
    """Return why a manifest must not be written: it is not valid, or a plan of it has changes.

    The plan resolves the manifest's secret references to the live secrets.
    """
    desired = reparse(text, project)
    if isinstance(desired, str):
        return f"its manifest would not be valid: {desired}"
    plan = plan_organization(desired, live, Choices(secrets=_live_secrets(desired, live)))
    if plan.is_refused:
        return f"its manifest would be refused: {plan.diagnostics[0].summary}"
    if plan.changes:
        return f"its manifest would change {plan.changes[0].address}"
    return None


@dataclass(slots=True, kw_only=True)
class _Import:
    directory: Directory
    project: Project
    existing: ExistingManifests
    folder: ManifestFolder
    variable_names: VariableNames
    progress: Progress
    organization_names: OrganizationNames = field(default_factory=OrganizationNames)
    files: list[ImportedFile] = field(default_factory=list)
    created: list[Path] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    secrets: list[LiveSecret] = field(default_factory=list)
    unmanaged_secrets: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    handled: int = 0

    async def import_all(self, references: Sequence[str] | None) -> None:
        """Write new manifests, then compare the existing ones."""
        self.diagnostics += self.existing.errors
        if references is None and self.existing.unknown:
            return
        organizations = self._without_broken(await self._find_organizations(references))
        self.organization_names = OrganizationNames.among(organizations, self.existing)
        new = [organization for organization in organizations if not self.existing.declaring(organization)]
        declared = [organization for organization in organizations if self.existing.declaring(organization)]
        await self._read_each(new, self._create)
        await self._read_each(declared, self._compare)

    def _without_broken(self, organizations: Iterable[Organization]) -> list[Organization]:
        """Return the organizations without those that a file with errors declares; these are named."""
        kept: list[Organization] = []
        for organization in organizations:
            if manifest := self.existing.declared_with_errors(organization):
                place = manifest.location.path
                self._fail(organization, f"its manifest {place} has errors, which have to be corrected first")
            else:
                kept.append(organization)
        return kept

    async def _find_organizations(self, references: Sequence[str] | None) -> list[Organization]:
        """Return the organizations to import, each once and in the order of their names."""
        by_id: dict[str, Organization] = {}
        if references is None:
            async for organization in self.directory.list_organizations():
                by_id[organization.organization_id] = organization
        else:
            for reference, result in (await self.directory.find_organizations(references)).items():
                if isinstance(result, ProviderError):
                    hint = LIST_ALL if isinstance(result, OrganizationNotFound) else ""
                    self.diagnostics.append(_failure(reference, str(result), hint))
                else:
                    by_id[result.organization_id] = result
        return sorted(
            by_id.values(), key=lambda organization: (organization.slug, organization.organization_id)
        )

    async def _read_each(
        self, organizations: Sequence[Organization], handle: Callable[[LiveOrganization], None]
    ) -> None:
        """Read organizations in parallel, and handle them in their order."""
        read: dict[int, LiveState] = {}
        handled = 0

        async def read_one(index: int) -> None:
            nonlocal handled
            read[index] = await read_organization(organizations[index], self.directory)
            while handled in read:
                self._handle(organizations[handled], read.pop(handled), handle)
                handled += 1

        await gather_bounded(read_one, range(len(organizations)), concurrency=self.project.limits.concurrency)

    def _handle(
        self, organization: Organization, live: LiveState, handle: Callable[[LiveOrganization], None]
    ) -> None:
        if isinstance(live, ProviderError):
            self._fail(organization, f"it could not be read: {live}")
        else:
            handle(live)
        self.handled += 1
        self.progress.advanced(self.handled)

    def _create(self, live: LiveOrganization) -> None:
        """Write a new manifest, if a plan of it has no changes."""
        organization = live.organization
        reference = self.organization_names.choose(organization)
        prunes = self.project.defaults.prune
        schema = self.folder.path_to(self.project.root / ORGANIZATION_SCHEMA)
        manifest = write_manifest(live, reference, self.variable_names, prunes=prunes, schema=schema)
        reason = why_not_importable(manifest.text, live, self.project)
        if reason is not None:
            self._fail(organization, reason)
            return
        path = self.folder.create_file(organization, manifest)
        self.created.append(path)
        self.variables += manifest.variables
        self.secrets += manifest.secrets
        self.unmanaged_secrets += manifest.unmanaged_secrets
        self.files.append(
            ImportedFile(
                organization=reference,
                organization_id=organization.organization_id,
                path=display_path(path, self.project.directory),
                status=FileStatus.CREATED,
                connections=manifest.connections,
                remarks=manifest.remarks,
            )
        )

    def _compare(self, live: LiveOrganization) -> None:
        """Note how an existing manifest differs from its organization."""
        manifest = self.existing.declaring(live.organization)
        assert manifest is not None
        comparison = compare_existing_manifest(manifest, live, self.variable_names)
        self.files.append(
            ImportedFile(
                organization=manifest.reference,
                organization_id=live.organization.organization_id,
                path=manifest.location.path,
                status=FileStatus.KEPT,
                connections=len(manifest.connections),
                remarks=comparison.remarks,
                suggestion=comparison.suggestion,
            )
        )

    def _fail(self, organization: Organization, reason: str) -> None:
        self.diagnostics.append(_failure(organization.slug or organization.organization_id, reason))


def _live_secrets(desired: DesiredOrganization, live: LiveOrganization) -> dict[SecretReference, Secret]:
    secrets: dict[SecretReference, Secret] = {}
    for declared in desired.connections:
        reference = declared.connection.client_secret
        connection = live.connection(declared.connection.connection_id or "")
        secret = connection.client_secret if connection else None
        if isinstance(reference, SecretReference) and isinstance(secret, Secret):
            secrets[reference] = secret
    return secrets


def _failure(organization: str, reason: str, hint: str = "") -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "not-imported",
        f"organization {organization} was not imported: {reason}",
        detail="other organizations are unaffected; a second import continues from here",
        hint=hint,
        address=organization,
    )


def add_to_env_example(file: Path, variables: Iterable[Variable]) -> tuple[str, ...]:
    """Add the variables that ``.env.example`` does not list, and return their names.

    Raises:
        UsageError: the file cannot be read or written.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}, so no variable was added to it: {error}") from error
    names = listed_variables(text)
    missing: dict[str, Variable] = {}
    for variable in variables:
        if variable.name not in names:
            missing.setdefault(variable.name, variable)
    added = tuple(missing.values())
    if added and (text or not create_atomically(file, add_variables("", added))):
        write_atomically(file, add_variables(text, added))
    return tuple(missing)


def _warn_of_ignored_folder(created: Sequence[Path], project: Project) -> tuple[Diagnostic, ...]:
    """Warn if a plan without paths would not read the new manifests."""
    manifests = {Path(path).resolve() for path in find_manifests((), project).files} if created else set()
    if all(path.resolve() in manifests for path in created):
        return ()
    folder = display_path(created[0].parent, project.directory)
    return (
        Diagnostic(
            Severity.WARNING,
            "manifests-not-found",
            f"`reconciler plan` does not look for manifests in {folder}",
            detail=f"add {folder}/**/*.yaml to `organizations` in the project file, or run "
            f"`reconciler plan {shell_word(folder)}`",
        ),
    )
