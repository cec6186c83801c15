"""Turns YAML errors into diagnostics with a location and a hint."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from reconciler.manifests.findings import MASK, make_snippet
from reconciler.manifests.source_file import Source, Span
from reconciler.manifests.text_patterns import UNSAFE
from reconciler.manifests.typing_mistakes import find_typing_mistake

if TYPE_CHECKING:
    from yaml import YAMLError

    from reconciler.manifests.findings import DocumentFindings, Findings
    from reconciler.manifests.yaml_reader import Path, Value, YamlFile, YamlProblem

_PROBLEMS: Final = {
    "duplicate-key": ("the key `{subject}` is defined twice", "keep one of them"),
    "unsupported-tag": ("the tag {subject!r} is not supported", "remove it, and quote text"),
    "merge-key": (
        "merge keys (<<) are not supported",
        "write the values out, or use an alias for a whole value",
    ),
    "complex-key": (
        "a key must be text, not a list, a mapping or an alias",
        "write a plain name before the colon",
    ),
    "unquoted-key": ("YAML does not read the key {subject} as text", "quote it: '{subject}'"),
    "undefined-alias": (
        "the alias *{subject} has no anchor",
        "define it before with &{subject}, or write the value out",
    ),
    "recursive-alias": ("the alias *{subject} is inside its own anchor", "write the value out"),
    "too-deep": (
        "values are nested more than {subject} levels deep",
        "a manifest needs six levels; check the indentation",
    ),
    "too-many-aliases": ("the file uses more than {subject} aliases", "split it, or write the values out"),
    "too-many-nodes": (
        "the file holds more than {subject} values, with aliases expanded",
        "split it: every organization can have its own file",
    ),
}
"""Summary and hint of what YAML allows and manifests do not, by code."""

_ERRORS: Final = (
    (
        r"mapping values are not allowed",
        "a colon where no key is allowed",
        "quote a value that contains ': ', and check the indentation",
    ),
    (
        r"could not find expected ':'",
        "a key without a colon",
        "write 'key: value', and check the indentation",
    ),
    (
        r"cannot start any token",
        "a value cannot begin with this character",
        "quote the value; indent with spaces, not tabs",
    ),
    (
        r"escape|hexdecimal|hexadecimal",
        "unknown escape in double quotes",
        "use single quotes, or double the backslash",
    ),
    (r"unexpected end of stream|quoted scalar", "a quote is not closed", "close the quote"),
    (
        r"expected ',' or|flow (?:sequence|mapping|node)",
        "a bracket is not closed, or a comma is missing",
        "close the bracket",
    ),
    (
        r"expected <?block end|expected key|expected '-'|block (?:mapping|sequence|collection)",
        "the indentation does not match the lines above",
        "align the keys of a mapping in one column",
    ),
    (
        r"(?:special|control) characters are not allowed|unacceptable",
        "a character that YAML does not allow",
        "remove it, or write it as an escape in double quotes",
    ),
    (r"duplicate anchor", "an anchor is defined twice", "give each anchor its own name"),
    (
        r"document start|<document start>",
        "unexpected text after the end of the document",
        "begin a new document with ---",
    ),
    (r"tag|handle", "a malformed tag", "remove it, and quote text"),
    (r"directive|version", "a malformed directive", "remove the line that begins with %"),
    (r"anchor|alias", "a malformed anchor or alias name", "use letters and digits only"),
)
"""Problem and hint for an error of the parser, by its message; the two parsers word them differently."""

_QUOTED: Final = re.compile(r"\s*'.*'|\s*\".*\"")


def report_yaml(yaml_file: YamlFile, findings: Findings) -> None:
    """Report what is wrong with the YAML of a file."""
    for problem in yaml_file.problems:
        _report_problem(problem, findings)
    if yaml_file.error is not None:
        _report_error(yaml_file.error, findings)


def report_unsafe_characters(source: Source, findings: Findings) -> None:
    """Report characters that are invisible or that reorder text, once a line."""
    start = 0
    for line in source.text.split("\n"):
        match = UNSAFE.search(line)
        if match:
            findings.add(
                "unsafe-character",
                Span(start + match.start(), start + match.end()),
                f"invisible character: {name_character(match[0])}",
                hint="remove it: it can hide what the line says",
            )
        start += len(line) + 1


def report_unsafe_escapes(value: Value, path: Path, findings: DocumentFindings) -> None:
    """Report invisible characters that an escape in double quotes puts into a key or a value."""
    if isinstance(value, str):
        _report_unsafe_escape(value, path, findings, is_key=False)
    elif isinstance(value, dict):
        for key, child in value.items():
            _report_unsafe_escape(key, (*path, key), findings, is_key=True)
            report_unsafe_escapes(child, (*path, key), findings)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            report_unsafe_escapes(child, (*path, index), findings)


def name_character(character: str) -> str:
    """Return the Unicode name of a character that cannot be shown."""
    name = unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"


def _report_unsafe_escape(text: str, path: Path, findings: DocumentFindings, *, is_key: bool) -> None:
    match = UNSAFE.search(text)
    if match:
        findings.add(
            "unsafe-character",
            path,
            f"invisible character: {name_character(match[0])}",
            hint="remove the escape: it can hide what the line says",
            at="key" if is_key else "value",
        )


def _report_problem(problem: YamlProblem, findings: Findings) -> None:
    summary, hint = _PROBLEMS[problem.code]
    subject = _subject(problem, findings.source)
    findings.add(
        problem.code,
        problem.span,
        summary.format(subject=subject),
        detail=f"the other one is at {findings.source.location(problem.first.start)}"
        if problem.first
        else "",
        hint=hint.format(subject=subject),
    )


def _subject(problem: YamlProblem, source: Source) -> str:
    """Return the text a problem is about, unless it may be a secret: one may begin with * or !."""
    subject = problem.subject.removeprefix("tag:yaml.org,2002:")[:80]
    snippet = make_snippet(source, problem.span)
    is_shown = problem.code.startswith("too-") or (snippet is not None and subject in snippet.text)
    return subject if is_shown else MASK


def _report_error(error: YAMLError, findings: Findings) -> None:
    source = findings.source
    if isinstance(error, ReaderError) and UNSAFE.search(source.text):
        report_unsafe_characters(source, findings)
        return
    span = _error_span(error, source)
    mistake = find_typing_mistake(source.text, span.start)
    if mistake is not None:
        findings.add(mistake.code, mistake.span, mistake.summary, hint=mistake.hint)
        return
    summary, hint = _sentence(error)
    findings.add("invalid-yaml", span, summary, hint=hint)


def _sentence(error: YAMLError) -> tuple[str, str]:
    problem = getattr(error, "problem", None) or ""
    message = f"{problem}; {getattr(error, 'context', None) or ''}".lower()
    for pattern, known_problem, hint in _ERRORS:
        if re.search(pattern, message):
            return f"invalid YAML: {known_problem}", hint
    harmless = _QUOTED.sub("", problem)  # it may quote a part of a secret
    return f"invalid YAML: {harmless or 'it cannot be parsed'}", "check this line and the one above it"


def _error_span(error: YAMLError, source: Source) -> Span:
    """Return the place of the problem; at the end of the text, where what is not finished begins."""
    if not isinstance(error, MarkedYAMLError):
        return Span(0, 0)
    mark = error.problem_mark or error.context_mark
    if error.context_mark and mark and not source.text[mark.index :].strip():
        mark = error.context_mark
    index = min(mark.index, len(source.text)) if mark else 0
    return Span(index, index)
