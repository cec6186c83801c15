"""Proposes edits of manifests as pull requests: the ids of what an apply created."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import PublishingFailed, UsageError, count
from reconciler.core.outcome import Applied, Unneeded
from reconciler.manifests import load_manifests
from reconciler.manifests.editing import ManifestEditor
from reconciler.manifests.pinning import Pin
from reconciler.publishers.pull_requests import Draft, maintain_pull_request
from reconciler.publishers.sticky import default_identity, marker
from reconciler.reports.escaping import markdown_message
from reconciler.reports.markdown import render_markdown
from reconciler.reports.pull_request_report import WrittenPin, pins_report
from reconciler.storage.git import GitError, find_work_tree, read_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Scope
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import ManifestFile, Project
    from reconciler.publishers.forge import Repository
    from reconciler.publishers.pull_requests import Maintained, Start
    from reconciler.reports.report import Report

_COMMAND: Final = "`reconciler pin`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What the pull requests of one environment are called; ``link`` stands below their text."""

    scope: Scope
    name: str = ""
    link: str = ""

    @property
    def short_name(self) -> str:
        """The name of the environment, or else test or live."""
        return self.name or self.scope.environment.value

    def branch(self, kind: str) -> str:
        """Return the branch of a kind of pull requests."""
        return f"reconciler/{kind}-{self.short_name}"

    def text(self, report: Report) -> str:
        """Return the text of a pull request, which is cut where it would be too long."""
        return render_markdown(report) + (f"\n{self.link}\n" if self.link else "")

    def marker(self, kind: str) -> str:
        """Return the hidden first line of a kind of pull requests."""
        return marker(kind, self.name or default_identity(self.scope))


class RepositoryManifests:
    """The manifests of a checkout, by their paths in the repository, as they are in any commit.

    Only these files are ever written: no other path can be proposed, whatever a report says. Forges take
    no paths but those in UTF-8.

    Raises:
        UsageError: the project is in no checkout of a repository.
    """

    def __init__(self, project: Project, variables: Mapping[str, str], repository: Repository) -> None:
        self.project = replace(project, environment=replace(project.environment, is_lenient=True))
        self.editor = ManifestEditor(self.project, variables)
        self.loaded = load_manifests((), self.project, variables)
        self._repository = repository
        try:
            self._top = find_work_tree(project.root)
        except (GitError, OSError) as error:
            raise UsageError(f"pull requests need a checkout of the repository: {error}") from error
        files = {self._relative(file): file for file in self.loaded.files if not file.has_errors}
        self.files = {path: file for path, file in files.items() if _is_utf8(path)}

    def path_of(self, reference: str) -> str | None:
        """Return the path of the file that declares an organization, or None if no valid one does."""
        for path, file in self.files.items():
            if any(organization.reference == reference for organization in file.organizations):
                return path
        return None

    def read(self, path: str, start: Start) -> bytes | None:
        """Return the content that a file has at the start, from the checkout's objects or the forge."""
        if not start.is_edited and "\n" not in path:
            try:
                return read_objects(self._top, [f"{start.commit}:{path}"])[0]
            except GitError:
                pass  # the checkout is at another commit
        return self._repository.read_file(path, start.commit)

    def executables(self, paths: Iterable[str]) -> frozenset[str]:
        """Return the files that are executable in the checkout."""
        return frozenset(path for path in paths if self._is_executable(path))

    def _is_executable(self, path: str) -> bool:
        try:
            return bool((self._top / path).stat().st_mode & stat.S_IXUSR)
        except OSError:
            return False

    def _relative(self, file: ManifestFile) -> str:
        real = Path(os.path.realpath(file.path))
        try:
            return real.relative_to(self._top).as_posix()
        except ValueError as error:
            raise UsageError(f"{file.display_path} is outside of the repository {self._top}") from error


def _is_utf8(path: str) -> bool:
    """Whether a file's name is text; Python reads other bytes as surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def publish_pins(
    repository: Repository, manifests: RepositoryManifests, result: ApplyResult, topic: Topic
) -> Maintained:
    """Open or update the pull request with the ids of what an apply created, or close it if all are there.

    Ids that the branch already adds stay, so that several runs end up in one pull request.

    Raises:
        PublishingFailed: the forge refuses, or the branch lacks a file to write.
    """
    draft = _PinsDraft(manifests, result, topic)
    return maintain_pull_request(
        repository, topic.branch("pins"), topic.marker("pins"), draft.make, extends_edited=True
    )


Ids = dict[tuple[str, bool], str]
"""Ids by address, and whether it is that of an organization."""


class _PinsDraft:
    def __init__(self, manifests: RepositoryManifests, result: ApplyResult, topic: Topic) -> None:
        self._manifests = manifests
        self._topic = topic
        self._created: Ids = {(pin.address, pin.is_organization): pin.id for pin in result.pins if pin.id}
        self._redirect_urls = {
            str(outcome.address): outcome.connection.redirect_url or ""
            for outcome in result.outcomes
            if isinstance(outcome, Applied | Unneeded) and outcome.connection is not None
        }

    def make(self, start: Start) -> Draft:
        """Return the draft: the created ids and those of the branch, where the manifests lack them."""
        wanted, left = self._wanted(start)
        files: dict[str, bytes] = {}
        pins: list[WrittenPin] = []
        for path, ids in wanted.items():
            content = self._manifests.read(path, start)
            if content is None:
                self._check_edited(start, path)
                left.append(f"{path} is no longer there, so nothing in it is pinned")
                continue
            declared = self._manifests.editor.declared(content, path)
            edits = [*_missing_pins(declared, ids)]
            after, refused = self._manifests.editor.edited(content, path, edits)
            unsafe = [edit for edit in edits if any(refusal.edit == edit for refusal in refused)]
            left += (
                f"the id of {_address(declared, edit)} has no safe place in its block: add it by hand: "
                f"{edit.id}"
                for edit in unsafe
            )
            written = [edit for edit in edits if edit not in unsafe]
            pins += [self._written(declared, edit, path) for edit in written]
            if after != content:
                files[path] = after
        return self._draft(files, pins, left, is_edited=start.is_edited)

    def _draft(
        self, files: Mapping[str, bytes], pins: list[WrittenPin], left: list[str], *, is_edited: bool
    ) -> Draft:
        report = pins_report(self._topic.scope, self._topic.name, pins, left, is_edited=is_edited)
        reason = "; ".join(("all ids that can be added are on the default branch", *left))
        return Draft(
            files=files,
            executables=self._manifests.executables(files),
            subject="\n".join(sorted(f"{pin.address}={pin.id}" for pin in pins)),
            title=f"Pin {count(len(pins), 'id')} in {self._topic.short_name}",
            body=self._topic.text(report),
            reason=reason,
            closing=f"Closed: {markdown_message(reason)}.",
        )

    def _wanted(self, start: Start) -> tuple[dict[str, Ids], list[str]]:
        """Return the ids by file, and what has no file."""
        wanted: dict[str, Ids] = {}
        left: list[str] = []
        for (address, is_organization), identifier in self._created.items():
            path = self._manifests.path_of(address if is_organization else address.rpartition("/")[0])
            if path is None:
                left.append(f"{address} is in no valid manifest, so it is not pinned")
            else:
                wanted.setdefault(path, {})[address, is_organization] = identifier
        for path, content in start.earlier.items():
            known = _declared_ids(self._manifests.editor.declared(content, path))
            wanted[path] = {**known, **wanted.get(path, {})}
        return wanted, left

    def _check_edited(self, start: Start, path: str) -> None:
        if start.is_edited:
            raise PublishingFailed(
                f"the branch {self._topic.branch('pins')} was edited and lacks {path}: bring it up to date "
                f"with the default branch, or merge it, and run this again; {_COMMAND} adds the same ids"
            )

    def _written(self, declared: Iterable[DesiredOrganization], edit: Pin, path: str) -> WrittenPin:
        address = _address(declared, edit)
        return WrittenPin(
            address=address, id=edit.id, path=path, redirect_url=self._redirect_urls.get(address, "")
        )


def _missing_pins(declared: Iterable[DesiredOrganization], ids: Ids) -> Iterator[Pin]:
    """Yield the pins that the manifests lack."""
    for organization in declared:
        identifier = ids.get((organization.reference, True))
        if identifier and organization.organization_id is None and identifier not in organization.names:
            yield Pin(organization.location, identifier)
        for desired in organization.connections:
            identifier = ids.get((str(desired.address), False))
            if identifier and desired.connection.connection_id is None and desired.is_present:
                yield Pin(organization.location, identifier, desired.address.connection)


def _declared_ids(declared: Iterable[DesiredOrganization]) -> Ids:
    ids: Ids = {}
    for organization in declared:
        if organization.organization_id:
            ids[organization.reference, True] = organization.organization_id
        for desired in organization.connections:
            if desired.connection.connection_id:
                ids[str(desired.address), False] = desired.connection.connection_id
    return ids


def _address(declared: Iterable[DesiredOrganization], edit: Pin) -> str:
    reference = next(manifest.reference for manifest in declared if manifest.location == edit.document)
    return reference if edit.connection is None else f"{reference}/{edit.connection}"
