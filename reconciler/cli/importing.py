"""From the words of an import to its files."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.cli import wiring
from reconciler.cli.logging import journal_of
from reconciler.cli.progress import reading_progress
from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity, UsageError
from reconciler.core.secret import SecretReference
from reconciler.manifests import find_manifests, read_manifests
from reconciler.manifests.env_example import FILE, listed, with_variables
from reconciler.manifests.importing import Variable
from reconciler.manifests.names import VariableNames
from reconciler.manifests.reading import display_path
from reconciler.providers.stytch.connect import connect
from reconciler.storage.files import create_atomically, write_atomically
from reconciler.workflow.estate import Declarations
from reconciler.workflow.shelf import Shelf
from reconciler.workflow.taking_over import import_organizations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.import_document import Imported
    from reconciler.manifests import Project

_WILD: Final = frozenset("*?[{")


def import_live(
    context: CommandContext, references: Sequence[str] | None, options: Mapping[str, Any]
) -> Imported:
    """Read what is live, write what is missing, and list the variables, even if it ends early.

    Raises:
        ReconcilerError: the manifests that are there have errors, or something cannot be read or written.
    """
    project = wiring.project_of(context.config)
    folder = Path(options["into"]).resolve() if options["into"] else _default_folder(project)
    declarations = _declarations(project, folder, options["variables"])
    shelf = Shelf(folder)
    try:
        imported = asyncio.run(_import(context, project, references, declarations, shelf))
    finally:
        variables = [*_variables_of(declarations), *shelf.variables]
        added = _list_variables(project.root / FILE, variables)
    return replace(
        imported,
        diagnostics=(*imported.diagnostics, *_not_found(shelf, project, options["into"])),
        variables=added,
        variables_file=display_path(project.root / FILE, project.directory),
    )


async def _import(
    context: CommandContext,
    project: Project,
    references: Sequence[str] | None,
    declarations: Declarations,
    shelf: Shelf,
) -> Imported:
    journal = journal_of(context.console)
    taken = [one.name for one in _variables_of(declarations)]
    with reading_progress(context.console) as progress:
        async with connect(wiring.target_of(project), project.limits, journal=journal) as provider:
            return await import_organizations(
                references,
                provider,
                project=project,
                declarations=declarations,
                names=VariableNames(project.secret_policy, taken),
                shelf=shelf,
                progress=progress,
            )


def _default_folder(project: Project) -> Path:
    """Return the folder that the project's first glob begins with."""
    parts = Path(project.organizations[0]).parts[:-1]
    fixed = next((index for index, part in enumerate(parts) if _WILD & set(part)), len(parts))
    return project.root.joinpath(*parts[:fixed])


def _declarations(project: Project, folder: Path, variables: Mapping[str, str]) -> Declarations:
    """Read the manifests that are there.

    Raises:
        InvalidConfiguration: one of them has errors, so that nobody can say what it declares.
    """
    files = {*find_manifests((), project).files}
    if folder.is_dir():
        files |= {*find_manifests((folder,), project).files}
    found = [*read_manifests(sorted(files), project, variables)]
    errors = tuple(one for file in found for one in file.diagnostics if one.is_error)
    if errors:
        raise InvalidConfiguration(errors)
    return Declarations(tuple(one for file in found for one in file.organizations))


def _variables_of(declarations: Declarations) -> Iterable[Variable]:
    for organization in declarations.manifests:
        for one in organization.connections:
            secret = one.connection.client_secret
            for locator in secret.locators if isinstance(secret, SecretReference) else ():
                if locator.scheme == "env":
                    yield Variable(locator.path, one.address)


def _list_variables(file: Path, variables: Iterable[Variable]) -> tuple[str, ...]:
    """Add what is missing to the list of variables, and return what that was.

    Raises:
        UsageError: the file cannot be read or written.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read, so no variable was added to it: {error}") from error
    there = listed(text)
    missing = {one.name: one for one in reversed([*variables]) if one.name not in there}
    added = tuple(reversed(missing.values()))
    if added and not (not text and create_atomically(file, with_variables("", added))):
        write_atomically(file, with_variables(text, added))
    return tuple(one.name for one in added)


def _not_found(shelf: Shelf, project: Project, into: str | None) -> tuple[Diagnostic, ...]:
    """Warn of new files that a plan would not find."""
    found = {one.resolve() for one in find_manifests((), project).files} if shelf.created else set()
    if all(one.resolve() in found for one in shelf.created):
        return ()
    folder = into or display_path(shelf.created[0].parent, project.directory)
    return (
        Diagnostic(
            Severity.WARNING,
            "manifests-not-found",
            f"`reconciler plan` does not look for manifests in {folder}",
            detail=f"add {folder}/**/*.yaml to `organizations` in the project file, or plan with {folder}",
        ),
    )
