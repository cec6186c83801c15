"""Taking over what is live: a manifest for every organization that has none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.errors import AccessDenied, Diagnostic, ProviderError, Severity
from reconciler.core.import_document import FileStatus, Imported, ImportedFile
from reconciler.core.planner import Choices, plan_organization
from reconciler.core.secret import Secret, SecretReference
from reconciler.core.state import Organization
from reconciler.manifests.importing import write_manifest
from reconciler.manifests.read_back import read_back
from reconciler.manifests.reading import display_path
from reconciler.workflow.estate import References
from reconciler.workflow.kept import compare
from reconciler.workflow.parallel import gather_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.state import DesiredOrganization, LiveOrganization
    from reconciler.manifests import Project
    from reconciler.manifests.names import VariableNames
    from reconciler.providers.base import Directory
    from reconciler.workflow.estate import Declarations
    from reconciler.workflow.live_state import Progress
    from reconciler.workflow.shelf import Shelf


async def import_organizations(
    references: Sequence[str] | None,
    directory: Directory,
    *,
    project: Project,
    declarations: Declarations,
    names: VariableNames,
    shelf: Shelf,
    progress: Progress,
) -> Imported:
    """Write a manifest for each organization that has none; None for ``references`` means all of them.

    What is there already is compared after the new ones are written, and left as it is; so a run that
    is repeated goes on where the last one ended.

    Raises:
        AccessDenied: the credentials are not accepted; what was written until then stays.
        UsageError: a file cannot be written.
    """
    found, diagnostics = await _organizations(references, directory)
    references_of = References.among(found, declarations)
    run = _Import(directory, project, declarations, names, shelf, progress, references_of)
    run.diagnostics += diagnostics
    await run.each([one for one in found if declarations.of(one) is None], run.create)
    await run.each([one for one in found if declarations.of(one) is not None], run.keep)
    return run.result()


async def _organizations(
    references: Sequence[str] | None, directory: Directory
) -> tuple[list[Organization], list[Diagnostic]]:
    """Return the organizations that are meant, each once and in the order of their names."""
    diagnostics: list[Diagnostic] = []
    by_id: dict[str, Organization] = {}
    if references is None:
        async for one in directory.list_organizations():
            by_id[one.organization_id] = one
    else:
        for reference, answer in (await directory.find_organizations(references)).items():
            if isinstance(answer, Organization):
                by_id[answer.organization_id] = answer
            else:
                diagnostics.append(_failure(reference, str(answer)))
    return sorted(by_id.values(), key=lambda one: (one.slug, one.organization_id)), diagnostics


@dataclass(slots=True)
class _Import:
    directory: Directory
    project: Project
    declarations: Declarations
    names: VariableNames
    shelf: Shelf
    progress: Progress
    references: References
    files: list[ImportedFile] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    done: int = 0

    async def each(
        self, organizations: Sequence[Organization], work: Callable[[LiveOrganization], None]
    ) -> None:
        """Read many at once, but work in their order, so that names come out the same in every run."""
        read: dict[int, LiveOrganization | ProviderError] = {}
        following = 0

        async def read_one(item: tuple[int, Organization]) -> None:
            nonlocal following
            index, organization = item
            read[index] = await self._read(organization)
            while following in read:
                self._work(organizations[following], read.pop(following), work)
                following += 1

        await gather_bounded(
            read_one, [*enumerate(organizations)], concurrency=self.project.limits.concurrency
        )

    async def _read(self, organization: Organization) -> LiveOrganization | ProviderError:
        try:
            return await self.directory.read_organization(organization)
        except AccessDenied:
            raise
        except ProviderError as error:
            return error

    def _work(
        self,
        organization: Organization,
        read: LiveOrganization | ProviderError,
        work: Callable[[LiveOrganization], None],
    ) -> None:
        if isinstance(read, ProviderError):
            self._fail(organization, f"it could not be read: {read}")
        else:
            work(read)
        self.done += 1
        self.progress.advanced(self.done)

    def create(self, live: LiveOrganization) -> None:
        """Write a new manifest, after making sure that it says what is live."""
        organization = live.organization
        reference = self.references.choose(organization)
        manifest = write_manifest(live, reference, self.names, prunes=self.project.defaults.prune)
        reason = reason_to_distrust(manifest.text, live, self.project)
        if reason is not None:
            self._fail(organization, reason)
            return
        path = self.shelf.put(organization, manifest)
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

    def keep(self, live: LiveOrganization) -> None:
        """Say what the manifest that is there does not."""
        manifest = self.declarations.of(live.organization)
        assert manifest is not None
        comparison = compare(manifest, live, self.names)
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

    def result(self) -> Imported:
        """Return what was done, in the order of the organizations' names."""
        files = sorted(self.files, key=lambda one: (one.organization, one.organization_id))
        return Imported(files=tuple(files), diagnostics=tuple(self.diagnostics))

    def _fail(self, organization: Organization, reason: str) -> None:
        self.diagnostics.append(_failure(organization.slug or organization.organization_id, reason))


def reason_to_distrust(text: str, live: LiveOrganization, project: Project) -> str | None:
    """Return why a manifest must not be written: it does not read back, or would change something.

    The plan is the one that will follow: the live secrets are what its references will stand for.
    """
    declared = read_back(text, project)
    if isinstance(declared, str):
        return f"its manifest would not be valid: {declared}"
    plan = plan_organization(declared, live, Choices(secrets=_live_secrets(declared, live)))
    if plan.is_refused:
        return f"its manifest would be refused: {plan.diagnostics[0].summary}"
    if plan.changes:
        return f"its manifest would not be what is live, but change {plan.changes[0].address}"
    return None


def _live_secrets(declared: DesiredOrganization, live: LiveOrganization) -> dict[SecretReference, Secret]:
    found: dict[SecretReference, Secret] = {}
    for one in declared.connections:
        reference = one.connection.client_secret
        connection = live.connection(one.connection.connection_id or "")
        secret = connection.client_secret if connection else None
        if isinstance(reference, SecretReference) and isinstance(secret, Secret):
            found[reference] = secret
    return found


def _failure(organization: str, reason: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "not-imported",
        f"organization {organization} was not imported: {reason}",
        detail="the others are not affected; importing again keeps what is there and goes on",
        address=organization,
    )
