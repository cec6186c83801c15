"""Groups findings by connection and rule, so that every format shows a cause once.

A moved issuer is one finding: its moved endpoints and its kept secret follow from it, and are shown
below it. What a rule finds at several connections is one group with a line for each. Missing secrets
with the same problem are one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Severity
from reconciler.reports.explanations import code_title
from reconciler.reports.report import Cell, Column, Counter, Entry, FindingGroup, Table, errors_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan
    from reconciler.reports.report import Word

_APPROVAL_CODES: Final = ("approval-expired", "approval-not-needed")
"""Findings about approvals, which reports list with the others."""

_MOST_SNIPPETS: Final = 5
"""Findings of one rule that each show their line of the file; of more than that, only their place."""

_MOVE: Final = (
    "issuer-host-change",
    "issuer-change",
    "jwks-url-host-change",
    "token-url-host-change",
    "authorization-url-host-change",
    "userinfo-url-host-change",
    "endpoint-off-site",
    "secret-kept",
    "client-id-change",
)
"""The rules about a connection that moves to another identity provider, the cause before what follows."""


_MISSING_SECRETS_HINT: Final = (
    "give them values, or correct the references; only the organizations that need them are refused. "
    "`reconciler secrets check` lists every place"
)


def group_findings(
    diagnostics: Iterable[Diagnostic], *, error_word: Word = "error"
) -> tuple[FindingGroup, ...]:
    """Return the findings in groups, at the place of the first of each; ``error_word`` is for errors.

    Findings of risk rules have a fingerprint.
    """
    groups: dict[object, list[tuple[Diagnostic, ...]]] = {}
    for same_cause in _causes(diagnostics):
        first = same_cause[0]
        problem = first.missing_secret.problem if first.missing_secret else ""
        groups.setdefault((_word(same_cause, error_word), first.code, problem), []).append(same_cause)
    return tuple(
        _missing_secrets(part, error_word)
        if part[0][0].missing_secret and len(part) > 1
        else make_group(_word(part[0], error_word), [_entry(*cause) for cause in part])
        for group in groups.values()
        for part in _parts(group)
    )


def plan_findings(plan: Plan) -> tuple[FindingGroup, ...]:
    """Return the findings in groups, without lowered guards and notes on approvals."""
    findings = plan.findings[len(plan.guards or ()) :]
    return group_findings(
        errors_first(finding for finding in findings if finding.code not in _APPROVAL_CODES),
        error_word="refused",
    )


def make_group(word: Word, entries: Sequence[Entry]) -> FindingGroup:
    """Return the group of findings with one code."""
    first = entries[0]
    notes = [note for note in (first.why, first.fix) if note and all(map(_has_note(note), entries))]
    is_uniform = len({entry.sentence for entry in entries}) == 1
    title = first.sentence if is_uniform else code_title(first.code)
    return FindingGroup(
        word=word,
        code=first.code,
        title=first.summary if len(entries) == 1 else f"{title} ({len(entries)})",
        entries=tuple(entries),
        notes=tuple(dict.fromkeys(notes)),
        is_uniform=is_uniform,
    )


def count_findings(groups: Iterable[FindingGroup], word: Word) -> int:
    """Return how many findings of one word there are; what follows from a finding is not counted."""
    return sum(len(group.entries) for group in groups if group.word == word)


def finding_counters(groups: Sequence[FindingGroup], *words: Word) -> Iterator[Counter]:
    """Yield how many findings there are of each word, without those that there are none of."""
    for word in words:
        if number := count_findings(groups, word):
            name = word if number == 1 or word in {"refused", "failed"} else f"{word}s"
            yield Counter(number=number, words=name, key=word)


def _has_note(note: str) -> Callable[[Entry], bool]:
    return lambda entry: note in (entry.why, entry.fix)


def _causes(diagnostics: Iterable[Diagnostic]) -> Iterator[tuple[Diagnostic, ...]]:
    """Yield the findings with one cause together, the cause first."""
    causes: dict[object, list[Diagnostic]] = {}
    for index, diagnostic in enumerate(diagnostics):
        is_move = diagnostic.fingerprint and diagnostic.address and diagnostic.code in _MOVE
        causes.setdefault(diagnostic.address if is_move else index, []).append(diagnostic)
    for cause in causes.values():
        yield tuple(sorted(cause, key=lambda item: _MOVE.index(item.code))) if len(cause) > 1 else (cause[0],)


def _parts(group: Sequence[tuple[Diagnostic, ...]]) -> Iterator[Sequence[tuple[Diagnostic, ...]]]:
    """Yield a group as a whole, or, if there are few and each shows its line, one by one."""
    if len(group) <= _MOST_SNIPPETS and any(cause[0].snippet for cause in group):
        yield from ([cause] for cause in group)
    else:
        yield group


def _missing_secrets(group: Sequence[tuple[Diagnostic, ...]], error_word: Word) -> FindingGroup:
    """Return missing secrets as a table: each reference, what needs it, and the first place that has it."""
    diagnostics = [diagnostic for cause in group for diagnostic in cause]
    problem = next(item.missing_secret.problem for item in diagnostics if item.missing_secret)
    columns = Column(name="secret"), Column(name="needed by"), Column(name="at")
    rows = tuple(row for diagnostic in diagnostics for row in _missing_secret_row(diagnostic))
    return FindingGroup(
        word=_word(diagnostics, error_word),
        code=diagnostics[0].code,
        title=f"{len(rows)} secrets cannot be resolved: {problem}",
        entries=tuple(map(_entry, diagnostics)),
        notes=(_MISSING_SECRETS_HINT,),
        table=Table(columns=columns, rows=rows, noun="secret"),
    )


def _missing_secret_row(diagnostic: Diagnostic) -> Iterator[tuple[Cell, ...]]:
    missing = diagnostic.missing_secret
    if missing:
        more = len(missing.needed_by) - 1
        needed_by = f"{diagnostic.address} and {more} more" if more > 0 else diagnostic.address
        yield Cell(missing.reference), Cell(needed_by), Cell(str(diagnostic.location or ""))


def _word(cause: Sequence[Diagnostic], error_word: Word) -> Word:
    errors = [diagnostic for diagnostic in cause if diagnostic.is_error]
    if not errors:
        is_note = all(diagnostic.severity is Severity.INFO for diagnostic in cause)
        return "note" if is_note else "warning"
    return "risk" if any(error.fingerprint for error in errors) else error_word


def _entry(diagnostic: Diagnostic, *consequences: Diagnostic) -> Entry:
    return Entry(
        summary=diagnostic.summary,
        code=diagnostic.code,
        why=diagnostic.detail,
        fix=diagnostic.hint,
        address=diagnostic.address,
        location=diagnostic.location,
        snippet=diagnostic.snippet,
        consequences=tuple(map(_entry, consequences)),
    )
