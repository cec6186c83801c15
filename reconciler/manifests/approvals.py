"""Finds and reads the files of approvals. An approval with an error approves nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from reconciler.core.approval import Approval
from reconciler.manifests.approval_model import ApprovalManifest, ApprovalsManifest
from reconciler.manifests.document import parse_content, parse_file
from reconciler.manifests.file_selection import find_approval_files
from reconciler.manifests.source_file import display_path
from reconciler.manifests.validation import adapter, validate

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Node, Path, ReadLimits, Value

_PLACEHOLDER: Final = re.compile(r"todo\b", re.IGNORECASE)
"""How the reason of a proposed approval begins."""

_ENTRIES: Final = "approvals"
_ONLY_FOR_RISKS: Final = ("rule", "address", "finding")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedApprovals:
    """The approvals that are valid by themselves, and what is wrong with the others."""

    approvals: tuple[Approval, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def load_approvals(project: Project) -> LoadedApprovals:
    """Read all approvals of a project, in the order of the files. Never raises for what they hold."""
    files = find_approval_files(project)
    approvals: list[Approval] = []
    diagnostics = [*files.diagnostics]
    for file in files.names:
        parsed = parse_file(file, display_path(file, project.directory), project.read_limits)
        approvals += _read(parsed)
        diagnostics += parsed.findings.diagnostics
    return LoadedApprovals(approvals=tuple(approvals), diagnostics=tuple(diagnostics))


def read_approvals(content: bytes, display_path: str, limits: ReadLimits) -> tuple[Approval, ...]:
    """Return the valid approvals in the content of a file, whatever else is in it."""
    return tuple(_read(parse_content(content, display_path, limits)))


def _read(parsed: ParsedFile) -> list[Approval]:
    approvals: list[Approval] = []
    for document in parsed.documents:
        findings = parsed.findings.document(document)
        validate(ApprovalsManifest, document.value, findings)
        for index, value in enumerate(_entries(document.value)):
            approval = _approval(value, (_ENTRIES, index), document, parsed)
            if approval is not None:
                approvals.append(approval)
    return approvals


def _entries(value: Value) -> list[Value]:
    entries = value.get(_ENTRIES) if isinstance(value, dict) else None
    return entries if isinstance(entries, list) else []


def _approval(value: Value, path: Path, document: Node, parsed: ParsedFile) -> Approval | None:
    """Return a valid entry; what is wrong with an invalid one has been reported with its document."""
    try:
        entry: ApprovalManifest = adapter(ApprovalManifest).validate_python(value)
    except ValidationError:
        return None
    if not _is_complete(entry, path, parsed.findings.document(document)):
        return None
    return Approval(
        reason=entry["reason"],
        until=entry["until"],
        location=parsed.source.location(document.find(path).span.start),
        rule=entry.get("rule", ""),
        address=entry.get("address", ""),
        finding=entry.get("finding", ""),
        deletes=entry.get("deletes", 0),
    )


def _is_complete(entry: ApprovalManifest, path: Path, findings: DocumentFindings) -> bool:
    """Report an entry that approves nothing, or two things at once, or that nobody gave a reason."""
    if _PLACEHOLDER.match(entry["reason"]):
        findings.add(
            "approval-incomplete",
            (*path, "reason"),
            "the reason is still to be written",
            hint="say why it is approved, and by which ticket",
        )
        return False
    for_risks = [name for name in _ONLY_FOR_RISKS if name in entry]
    if "deletes" in entry and for_risks:
        problem = f"it has both `deletes` and `{for_risks[0]}`"
    elif "deletes" not in entry and not {"rule", "address"} <= entry.keys():
        problem = "it does not say what is approved"
    else:
        return True
    findings.add(
        "approval-incomplete",
        path,
        f"the approval is incomplete: {problem}",
        hint="write `rule` and `address`, or `deletes`; `reason` and `until` in both",
    )
    return False
