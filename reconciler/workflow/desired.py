"""Gathers what a run needs before the first request: manifests, their past versions in Git, and secrets.

What has errors is refused on its own: a document, an organization whose secret is missing, or both of two
that declare the same. A file that cannot be read hides nothing. While there is one, nothing is deleted;
its last readable version in Git stands for it wherever organizations are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity, UsageError
from reconciler.core.run_selection import RunSelection, may_match
from reconciler.manifests import find_manifests, load_manifests
from reconciler.secrets import resolve_secrets, wanted_by
from reconciler.workflow.base import BaseComparison, compare_with_base
from reconciler.workflow.inputs import gather_inputs
from reconciler.workflow.judgement import GatheredApprovals, gather_approvals
from reconciler.workflow.past_manifests import PastManifests, find_past_manifests
from reconciler.workflow.selection import select_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.plan import PlanInputs
    from reconciler.core.planner import Choices
    from reconciler.core.run_selection import Limits, Shard
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Loaded, ManifestFile, Project
    from reconciler.secrets import ResolvedSecrets
    from reconciler.workflow.selection import SelectedManifests

_NOTHING_DECLARED: Final = (
    "The manifests declare no organization yet. To write one for each organization that exists, run "
    "`reconciler import --all --secrets none`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What a run is asked to plan. Without ``paths`` it is the whole project."""

    choices: Choices
    paths: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    changed_since: str | None = None
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What is known before the first request: the manifests, and the secrets that the run compares.

    ``organizations`` are those to plan, ``refused`` those that the run covers and cannot plan. ``past``
    stands for the files with errors. ``diagnostics`` are the findings about all of these.
    """

    project: Project
    request: PlanRequest
    manifests: SelectedManifests
    selection: RunSelection
    organizations: tuple[DesiredOrganization, ...]
    choices: Choices
    refused: tuple[DesiredOrganization, ...] = ()
    past: PastManifests = field(default_factory=PastManifests)
    approvals: GatheredApprovals = field(default_factory=GatheredApprovals)
    inputs: PlanInputs | None = None
    base: BaseComparison | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def limits(self) -> Limits:
        """The limits of the run: a shard has its share of the request rate."""
        shard = self.request.shard
        return self.project.limits.among(shard.count) if shard else self.project.limits

    @property
    def declared(self) -> tuple[DesiredOrganization, ...]:
        """Everything that is declared, with errors and in last readable versions too, the latest last."""
        loaded = self.manifests.loaded
        return (*self.past.organizations, *loaded.refused, *loaded.state.organizations)

    @property
    def blocks(self) -> tuple[Diagnostic, ...]:
        """Errors that let nothing be applied unless it is asked for by a target or a path."""
        if self.request.choices.targets or self.request.paths:
            return ()
        return tuple(_unknown(unknown.file, unknown.reason) for unknown in self.past.unknown)


def gather_desired(
    request: PlanRequest, project: Project, *, environment: Mapping[str, str], remark: Callable[[str], None]
) -> Desired:
    """Read and check all manifests, and resolve the secrets of the connections that the run covers.

    Raises:
        InvalidConfiguration: because of errors, no organization can be planned; all findings are named.
        UsageError: a target, or an address to rotate, matches nothing that is declared.
    """
    manifests = select_manifests(request.paths, project, request.variables, request.changed_since)
    loaded = manifests.loaded
    if manifests.remark:
        remark(manifests.remark)
    elif not (loaded.state.organizations or loaded.refused or loaded.has_errors):
        remark(_NOTHING_DECLARED)
    past = find_past_manifests(loaded.broken_files, project, request.variables)
    selection = _selection(request, manifests)
    findings, others = _manifest_findings(loaded, past, selection)
    if others:
        remark(f"Warnings about manifests of other organizations, which --target leaves out: {others}.")
    _check_patterns((*loaded.state.organizations, *loaded.refused, *past.organizations), request, findings)
    covered = tuple(filter(selection.includes_organization, loaded.state.organizations))
    pinned_twice = tuple(_pinned_twice(covered, past))
    resolved = _resolve(covered, selection, request, project, environment)
    unplannable = {finding.address.partition("/")[0] for finding in pinned_twice}
    unplannable |= {secret.address.organization for secret in resolved.unresolved if secret.address}
    desired = Desired(
        project=project,
        request=request,
        manifests=manifests,
        selection=selection,
        organizations=tuple(_plannable(covered, unplannable, resolved)),
        choices=_choices(request, resolved, loaded),
        refused=(
            *(manifest for manifest in covered if manifest.reference in unplannable),
            *filter(selection.includes_organization, _refused(loaded, past)),
        ),
        past=past,
        inputs=gather_inputs(project, request.paths),
        base=compare_with_base(request.paths, project, request.variables, manifests.revision)
        if manifests.revision
        else None,
        approvals=gather_approvals(project, request.choices.today, loaded if manifests.is_whole else None),
        diagnostics=(*findings, *pinned_twice, *resolved.diagnostics),
    )
    is_plannable = desired.organizations or (request.shard and loaded.state.organizations)
    if not is_plannable and any(finding.is_error for finding in desired.diagnostics):
        raise InvalidConfiguration(desired.diagnostics)
    return desired


def _plannable(
    covered: Iterable[DesiredOrganization], unplannable: set[str], resolved: ResolvedSecrets
) -> Iterator[DesiredOrganization]:
    for manifest in covered:
        if manifest.reference not in unplannable:
            yield manifest.with_stored_expiries(resolved.expires_on)


def gather_declared(project: Project, paths: Sequence[str]) -> tuple[DesiredOrganization, ...]:
    """Return everything that the manifests declare now, as `Desired.declared` does for a run that plans.

    ``paths`` are relative to the project file: manifests that its globs do not find.
    """
    named = [str(project.root / path) for path in paths]
    names = [*find_manifests((), project).names, *named] if named else []
    loaded = load_manifests(names, project, {})
    past = find_past_manifests(loaded.broken_files, project, {})
    return (*past.organizations, *loaded.refused, *loaded.state.organizations)


def _selection(request: PlanRequest, manifests: SelectedManifests) -> RunSelection:
    declared = (*manifests.loaded.state.organizations, *manifests.loaded.refused)
    return RunSelection(
        targets=request.choices.targets,
        organizations=None if manifests.is_whole else frozenset(manifest.reference for manifest in declared),
        shard=request.shard,
    )


def _choices(request: PlanRequest, resolved: ResolvedSecrets, loaded: Loaded) -> Choices:
    unreadable = [file.display_path for file in loaded.unreadable_files]
    return replace(
        request.choices,
        secrets=resolved.secrets,
        deletes_withheld=f"{unreadable[0]} cannot be read" if unreadable else "",
    )


def _resolve(
    covered: Sequence[DesiredOrganization],
    selection: RunSelection,
    request: PlanRequest,
    project: Project,
    environment: Mapping[str, str],
) -> ResolvedSecrets:
    connections = [
        connection
        for organization in covered
        for connection in organization.connections
        if selection.includes(connection.address)
    ]
    wanted = wanted_by(connections) if request.choices.compares_secrets else ()
    return resolve_secrets(wanted, project.secret_access(environment))


def _refused(loaded: Loaded, past: PastManifests) -> Iterator[DesiredOrganization]:
    """Yield what the broken files declare; of one that cannot be read, what it declared."""
    yield from loaded.refused
    for file in loaded.unreadable_files:
        yield from past.of(file)


def _manifest_findings(
    loaded: Loaded, past: PastManifests, selection: RunSelection
) -> tuple[tuple[Diagnostic, ...], int]:
    """Return the findings about manifests, and the number of warnings that no target asks for.

    Errors that no target asks for become one warning a file.
    """
    if not selection.targets:
        return loaded.diagnostics, 0
    unselected = [file for file in loaded.broken_files if not _is_selected(file, past, selection)]
    theirs = {id(diagnostic) for file in unselected for diagnostic in file.diagnostics if diagnostic.is_error}
    findings = [diagnostic for diagnostic in loaded.diagnostics if id(diagnostic) not in theirs]
    organizations = {
        manifest.reference: selection.includes_organization(manifest)
        for manifest in (*loaded.state.organizations, *loaded.refused)
    }
    selected = tuple(
        finding
        for finding in findings
        if finding.is_error or organizations.get(finding.address.partition("/")[0], True)
    )
    return (*selected, *map(_unselected, unselected)), len(findings) - len(selected)


def _is_selected(file: ManifestFile, past: PastManifests, selection: RunSelection) -> bool:
    declared = file.refused if file.is_readable else (*file.refused, *past.of(file))
    return any(map(selection.includes_organization, declared))


def _unselected(file: ManifestFile) -> Diagnostic:
    first = next((diagnostic for diagnostic in file.diagnostics if diagnostic.is_error), None)
    problem = "has errors" if file.is_readable else "cannot be read"
    return Diagnostic(
        Severity.WARNING,
        "manifest-not-selected",
        f"{file.display_path} {problem}; --target leaves it out",
        detail=first.summary if first else "",
        hint="run `reconciler validate`, and correct it: while a file cannot be read, nothing is deleted",
        location=first.location if first else None,
    )


def _check_patterns(
    declared: Iterable[DesiredOrganization], request: PlanRequest, findings: Sequence[Diagnostic]
) -> None:
    organizations = tuple(declared)
    for pattern in (*request.choices.targets, *request.choices.rotate):
        if not any(may_match(pattern, organization) for organization in organizations):
            message = f"no declared connection matches {pattern!r}; addresses look like acme/okta"
            if not findings:
                raise UsageError(message)
            raise InvalidConfiguration((*findings, Diagnostic(Severity.ERROR, "usage-error", message)))


def _pinned_twice(organizations: Iterable[DesiredOrganization], past: PastManifests) -> Iterator[Diagnostic]:
    """Yield an error for each pin that a file with errors had in its last readable version."""
    pins = {
        connection.connection.connection_id: (connection, organization)
        for organization in past.organizations
        for connection in organization.connections
        if connection.connection.connection_id
    }
    for organization in organizations:
        for connection in organization.connections:
            earlier = pins.get(connection.connection.connection_id or "")
            if earlier and earlier[1].location.path != organization.location.path:
                yield Diagnostic(
                    Severity.ERROR,
                    "duplicate-connection-id",
                    f"{connection.connection.connection_id} is pinned twice",
                    detail=f"the other one is at {earlier[0].location} in commit {earlier[1].commit[:12]}; "
                    "the file has errors now",
                    hint="declare a connection once; correct or remove one of the pins",
                    address=str(connection.address),
                    location=connection.location,
                )


def _unknown(file: ManifestFile, reason: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "unreadable-manifest",
        f"{file.display_path} cannot be read, and it is unknown what it declares: {reason}",
        detail="so that it hides nothing, only what a --target or a path asks for is applied",
        hint="correct the file, or apply with --target or paths",
    )
