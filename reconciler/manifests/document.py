"""Reads one file into YAML documents, and reports all syntax errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.manifests.findings import Findings
from reconciler.manifests.source_file import Source, Span, open_source, read_bytes
from reconciler.manifests.text_patterns import UNSAFE
from reconciler.manifests.yaml_errors import report_unsafe_characters, report_yaml
from reconciler.manifests.yaml_reader import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.codes import Code
    from reconciler.manifests.yaml_reader import Node, ReadLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """A file as far as it could be read. ``documents`` leaves out empty ones.

    ``is_readable`` is off if it could not be opened, decoded or parsed, or exceeds a limit.
    """

    source: Source
    findings: Findings
    documents: tuple[Node, ...] = ()
    is_readable: bool = False


def parse_file(file: Path | str, display_path: str, limits: ReadLimits) -> ParsedFile:
    """Read a file; whatever is wrong with it becomes a finding."""
    try:
        content = read_bytes(file, limits.max_bytes)
    except OSError as error:
        problem = f"cannot read {display_path}: {_reason(error)}"
        return _unreadable(display_path, "unreadable-file", problem)
    if len(content) > limits.max_bytes:
        return _unreadable(
            display_path,
            "file-too-large",
            f"{display_path} is larger than {limits.max_bytes:,} bytes",
            "split it: every organization can have its own file",
        )
    return parse_content(content, display_path, limits)


def parse_content(content: bytes, display_path: str, limits: ReadLimits) -> ParsedFile:
    """Read the content of a file; whatever is wrong with it becomes a finding."""
    try:
        source = open_source(display_path, content)
    except UnicodeDecodeError as error:
        return _undecodable(display_path, content, error.start)
    findings = Findings(source, limits.max_findings)
    if not source.text.isascii() and UNSAFE.search(source.text):  # the parser rejects those of ASCII
        report_unsafe_characters(source, findings)
        return ParsedFile(source=source, findings=findings)
    yaml_file = read_yaml(source.text, limits)
    if yaml_file.problems or yaml_file.error:
        report_yaml(yaml_file, findings)
    documents = tuple(document for document in yaml_file.documents if not document.is_empty)
    return ParsedFile(
        source=source, findings=findings, documents=documents, is_readable=not findings.has_errors
    )


def _unreadable(display_path: str, code: Code, summary: str, hint: str = "") -> ParsedFile:
    source = Source(display_path, "")
    findings = Findings(source, 1)
    findings.add(code, Span(0, 0), summary, hint=hint)
    return ParsedFile(source=source, findings=findings)


def _undecodable(display_path: str, content: bytes, position: int) -> ParsedFile:
    """Report the first byte that is not UTF-8."""
    source = open_source(display_path, content[:position])
    findings = Findings(source, 1)
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]
    findings.add(
        "not-utf-8",
        Span(len(source.text), len(source.text)),
        f"the file is not UTF-8 (byte 0x{content[position]:02x} at offset {position})",
        hint="it looks like UTF-16; save it as UTF-8" if is_utf_16 else "save it as UTF-8",
    )
    return ParsedFile(source=source, findings=findings)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or "unknown error").lower()
