"""Compares what a Git revision declared with what is declared now: guards, approvals, and attributes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests import PROJECT_FILE, find_manifests
from reconciler.manifests.approvals import load_approvals, read_approvals
from reconciler.manifests.file_selection import approval_sources, find_approval_files, manifest_sources
from reconciler.manifests.past_versions import PastManifests
from reconciler.manifests.project import DEFAULT_APPROVALS, DEFAULT_ORGANIZATIONS
from reconciler.manifests.source_file import display_path, read_bytes
from reconciler.policies.guards import (
    Declaration,
    added_approvals,
    lowered_manifest_guards,
    lowered_project_guards,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reconciler.core.approval import Approval
    from reconciler.manifests import Loaded, Project
    from reconciler.manifests.file_selection import ManifestSource
    from reconciler.storage.revision import Revision

_NOT_COMPARED: Final = "guards-not-compared"
_GONE: Final = "organization-not-declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseComparison:
    """What differs from the base. ``organizations`` are the documents of the base that may differ.

    ``compared`` names the organizations that are declared in a document which may differ.
    """

    guards: tuple[Diagnostic, ...] = ()
    organizations: Mapping[str, Mapping[str, Any]]
    compared: frozenset[str] = frozenset()


def guards_to_report(comparison: BaseComparison, manifests: Loaded) -> tuple[Diagnostic, ...]:
    """Return the lowered guards without organizations that another warning names, or that cannot be read."""
    named = {diagnostic.address for diagnostic in manifests.diagnostics if diagnostic.code == _GONE}
    return tuple(
        guard
        for guard in comparison.guards
        if not guard.summary.startswith(f"{guard.address} is no longer declared: its")
        or not (guard.address in named or manifests.has_errors)
    )


@dataclass(frozen=True, slots=True)
class _File:
    """The content of a file at one time; ``path`` is as the user would type it."""

    path: str
    content: bytes


def compare_with_base(
    paths: Sequence[str | Path], project: Project, variables: Mapping[str, str], revision: Revision
) -> BaseComparison:
    """Read what the revision held, as far as it can be read, and compare it.

    Raises:
        UsageError: Git cannot tell what has changed.
    """
    files = _Comparison(project, revision)
    before_file, now_file = files.project_file()
    past_project = _past_project(project, before_file)
    before, now = files.manifests(paths, past_project, is_whole=before_file != now_file)
    past = _Reader(past_project, variables)
    present = _Reader(project, variables)
    old_documents, new_documents = past.read(before), present.read(now)
    guards = (
        *_lowered_in_project(before_file, now_file, past, present),
        *lowered_manifest_guards(old_documents, new_documents),
        *added_approvals(_past_approvals(past_project, revision), load_approvals(project).approvals),
        *past.unreadable,
    )
    return BaseComparison(
        guards=guards,
        organizations={_name(document): document.values for document in old_documents},
        compared=frozenset(map(_name, new_documents)),
    )


def _lowered_in_project(before: _File, now: _File, past: _Reader, present: _Reader) -> tuple[Diagnostic, ...]:
    if before == now:
        return ()
    empty = Declaration(values={}, locate=lambda _path: SourceLocation(now.path))
    old = next(iter(past.read([before])), empty)
    new = next(iter(present.read([now])), empty)
    return tuple(lowered_project_guards(old, new))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Pairs of files: as the revision held them, and as they are."""

    project: Project
    revision: Revision

    def project_file(self) -> tuple[_File, _File]:
        """Return the project file at the revision and now; without content where there is none."""
        file = self.project.file or self.project.root / PROJECT_FILE
        name = display_path(file, self.project.directory)
        now = _File(name, self._present(file))
        relative = self.revision.relative(Path(os.path.realpath(file)))
        changed = self.revision.changed_paths([relative])
        content = self.revision.contents(changed).get(relative, b"") if changed else now.content
        return _File(name, content), now

    def manifests(
        self, paths: Sequence[str | Path], past_project: Project, *, is_whole: bool
    ) -> tuple[list[_File], list[_File]]:
        """Return the manifests of both times that differ; all of them if ``is_whole``."""
        sources = (*manifest_sources(paths, past_project), *manifest_sources(paths, self.project))
        contents, differing = _past_contents(sources, past_project, self.revision)
        before = [
            _File(display_path(self.revision.top / path, self.project.directory), content)
            for path, content in contents.items()
        ]
        now, unchanged = self._files(find_manifests(paths, self.project).names, differing)
        if not is_whole:
            return before, now
        _, unchanged_then = self._files(find_manifests(paths, past_project).names, differing)
        return before + unchanged_then, now + unchanged

    def _files(self, names: Iterable[str], differing: Collection[str]) -> tuple[list[_File], list[_File]]:
        """Return the files that differ from the revision, and the others, as they are now."""
        files: tuple[list[_File], list[_File]] = ([], [])
        for name in names:
            is_unchanged = self.revision.relative(Path(os.path.realpath(name))) not in differing
            file = _File(display_path(name, self.project.directory), self._present(Path(name)))
            files[is_unchanged].append(file)
        return files

    def _present(self, file: Path) -> bytes:
        try:
            return read_bytes(file, self.project.read_limits.max_bytes)
        except OSError:
            return b""


class _Reader:
    """Reads documents with a project's variables; ``unreadable`` says which files it cannot read."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._manifests = PastManifests({**project.variables, **variables}, project.read_limits)
        self.unreadable: list[Diagnostic] = []

    def read(self, files: Iterable[_File]) -> list[Declaration]:
        documents = []
        for file in files:
            manifest = self._manifests.read(file.content, file.path)
            if manifest.parsed.findings.has_errors:
                self.unreadable.append(_not_compared(file.path))
            documents += [
                Declaration(values=declared.values, locate=declared.locate)
                for declared in manifest.declared()
            ]
        return documents


def organizations_with_changed_approvals(project: Project, revision: Revision) -> frozenset[str]:
    """Return the organizations, by reference, whose approvals differ from those of a revision."""
    before = {_without_place(approval) for approval in _past_approvals(project, revision)}
    now = {_without_place(approval) for approval in load_approvals(project).approvals}
    return frozenset(approval.address.partition("/")[0] for approval in before ^ now if approval.address)


def _past_approvals(project: Project, revision: Revision) -> tuple[Approval, ...]:
    """Return the valid approvals of a revision. ``project`` says which files hold approvals."""
    past, differing = _past_contents(approval_sources(project), project, revision)
    files = {
        revision.relative(Path(os.path.realpath(name))): name for name in find_approval_files(project).names
    }
    unchanged = {
        path: read_bytes(name, project.read_limits.max_bytes)
        for path, name in files.items()
        if path not in differing
    }
    return tuple(
        approval
        for path, content in (past | unchanged).items()
        for approval in read_approvals(content, path, project.read_limits)
    )


def _past_contents(
    sources: Sequence[ManifestSource], project: Project, revision: Revision
) -> tuple[dict[str, bytes], frozenset[str]]:
    """Return, by path, what those files of some sources held that differ now, and all paths that differ."""
    changed = revision.changed_paths(dict.fromkeys(revision.relative(source.real) for source in sources))
    contents = {
        path: content
        for path, content in revision.contents(changed).items()
        if any(source.find(revision.top / path, project) for source in sources)
    }
    return contents, frozenset(change.path for change in changed)


def _without_place(approval: Approval) -> Approval:
    return replace(approval, location=SourceLocation(""))


def _past_project(project: Project, file: _File) -> Project:
    """Return the project with the globs and variables that its file had."""
    manifest = PastManifests({}, project.read_limits).read(file.content, file.path)
    values = next((declared.values for declared in manifest.declared()), {})
    variables = values.get("vars")
    return replace(
        project,
        organizations=_globs(values.get("organizations"), DEFAULT_ORGANIZATIONS),
        approvals=_globs(values.get("approvals"), DEFAULT_APPROVALS),
        variables=variables if isinstance(variables, dict) else {},
    )


def _globs(value: object, default: tuple[str, ...]) -> tuple[str, ...]:
    globs = [glob for glob in value if isinstance(glob, str)] if isinstance(value, list) else []
    return tuple(globs) or default


def _name(document: Declaration) -> str:
    return str(document.get(("organization",)) or "")


def _not_compared(path: str) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        _NOT_COMPARED,
        f"guards of {path} were not compared: its version at the base cannot be read",
        hint="compare it by hand",
        location=SourceLocation(path),
    )
