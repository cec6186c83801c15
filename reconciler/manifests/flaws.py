"""The way a file is written → findings: the sentences for what YAML itself objects to."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from reconciler.manifests.snippets import MASK, make_snippet
from reconciler.manifests.source import Span
from reconciler.manifests.text import UNSAFE

if TYPE_CHECKING:
    from yaml import YAMLError

    from reconciler.manifests.composer import Composed, Flaw
    from reconciler.manifests.findings import Findings
    from reconciler.manifests.source import Source

_SENTENCES: Final = {
    "duplicate-key": ("the key `{subject}` is written twice", "keep one of them"),
    "unsupported-tag": ("the tag {subject!r} is not supported", "remove it, and write text in quotes"),
    "merge-key": (
        "merge keys (<<) are not supported",
        "write the values out, or use an alias for a whole value",
    ),
    "complex-key": (
        "a key has to be text, not a list, a mapping or an alias",
        "write a plain name before the colon",
    ),
    "unquoted-key": ("the key {subject} is no text to YAML", "write it in quotes: '{subject}'"),
    "undefined-alias": (
        "the alias *{subject} has no anchor",
        "define it before with &{subject}, or write the value out",
    ),
    "recursive-alias": ("the alias *{subject} stands inside its own anchor", "write the value out"),
    "too-deep": (
        "values are nested more than {subject} levels deep",
        "a manifest needs six; check the indentation",
    ),
    "too-many-aliases": ("the file uses more than {subject} aliases", "split it, or write the values out"),
    "too-many-nodes": (
        "the file holds more than {subject} values, with aliases written out",
        "split it: every organization can have a file of its own",
    ),
}

_YAML_ERRORS: Final = (
    (
        r"mapping values are not allowed",
        "a colon stands where no key can be",
        "write a value that has ': ' in it in quotes, and check the indentation",
    ),
    (
        r"could not find expected ':'",
        "a key has no colon after it",
        "write 'key: value', and check the indentation",
    ),
    (
        r"cannot start any token",
        "a value cannot begin with this character",
        "write the value in quotes; indent with blanks, not tabs",
    ),
    (
        r"escape|hexdecimal|hexadecimal",
        "the quoted text has an escape that YAML does not know",
        "use single quotes, or write two backslashes for one",
    ),
    (r"unexpected end of stream|quoted scalar", "a quote is opened and not closed", "close the quote"),
    (
        r"expected ',' or|flow (?:sequence|mapping|node)",
        "a bracket is opened and not closed, or a comma is missing",
        "close the bracket",
    ),
    (
        r"expected <?block end|expected key|expected '-'|block (?:mapping|sequence|collection)",
        "the indentation does not fit the lines above",
        "begin the keys of one mapping in one column",
    ),
    (
        r"(?:special|control) characters are not allowed|unacceptable",
        "there is a character that YAML does not allow",
        "remove it, or write it as an escape in double quotes",
    ),
    (r"duplicate anchor", "an anchor is defined twice", "give each anchor a name of its own"),
    (
        r"document start|<document start>",
        "something stands after the end of the document",
        "begin a new one with ---",
    ),
    (r"tag|handle", "there is a tag that cannot be read", "remove it, and write text in quotes"),
    (r"directive|version", "there is a line with % that YAML cannot read", "remove the line"),
    (r"anchor|alias", "the name of an anchor or alias cannot be read", "use letters and digits only"),
)


def report_writing(composed: Composed, source: Source, findings: Findings) -> None:
    """Report what is wrong with the writing of a file."""
    for flaw in composed.flaws:
        _flaw(flaw, source, findings)
    if composed.error is not None:
        _yaml_error(composed.error, source, findings)


def report_unsafe_characters(source: Source, findings: Findings) -> bool:
    """Report characters that cannot be seen or that reorder text, once a line; tell if there are any."""
    start = 0
    for line in source.text.split("\n"):
        found = UNSAFE.search(line)
        if found:
            findings.add(
                "unsafe-character",
                Span(start + found.start(), start + found.end()),
                f"there is an invisible character here: {name_character(found[0])}",
                hint="remove it; it can hide what a line says",
            )
        start += len(line) + 1
    return findings.has_errors


def name_character(character: str) -> str:
    """Return what a character is called, for one that cannot be shown."""
    name = unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"


def _flaw(flaw: Flaw, source: Source, findings: Findings) -> None:
    summary, hint = _SENTENCES[flaw.code]
    span = Span(flaw.start.index, flaw.end.index)
    subject = _subject(flaw, span, source)
    first = findings.places.duplicates.get(span.start) if flaw.code == "duplicate-key" else None
    findings.add(
        flaw.code,
        span,
        summary.format(subject=subject),
        detail=f"the other one is at {source.location(first.start)}" if first else "",
        hint=hint.format(subject=subject),
    )


def _subject(flaw: Flaw, span: Span, source: Source) -> str:
    """Return what a flaw is about, unless its line may hold a secret: one may begin with * or !."""
    subject = flaw.subject.removeprefix("tag:yaml.org,2002:")[:80]
    snippet = make_snippet(source, span)
    is_shown = flaw.code.startswith("too-") or (snippet is not None and subject in snippet.text)
    return subject if is_shown else MASK


def _yaml_error(error: YAMLError, source: Source, findings: Findings) -> None:
    if isinstance(error, ReaderError) and report_unsafe_characters(source, findings):
        return
    span = _error_span(error, source)
    summary, hint = _sentence(error)
    if source.text.startswith("\t", span.start):
        summary, hint = "a tab stands where YAML wants blanks", "indent with blanks"
    findings.add("invalid-yaml", span, summary, hint=hint)


def _sentence(error: YAMLError) -> tuple[str, str]:
    problem = "; ".join(getattr(error, part, None) or "" for part in ("problem", "context")).lower()
    for pattern, summary, hint in _YAML_ERRORS:
        if re.search(pattern, problem):
            return summary, hint
    return "this is no YAML", "check the line and the one above it"


def _error_span(error: YAMLError, source: Source) -> Span:
    """Return the place of the problem; at the end of the text, where what is not finished begins."""
    if not isinstance(error, MarkedYAMLError):
        return Span(0, 0)
    mark = error.problem_mark or error.context_mark
    if error.context_mark and mark and not source.text[mark.index :].strip():
        mark = error.context_mark
    index = min(mark.index, len(source.text)) if mark else 0
    return Span(index, index)
