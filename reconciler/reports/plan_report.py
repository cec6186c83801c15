"""Builds the report of a plan, ordered by urgency, because a report may be cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, Delete, Update, attribute_changes, is_unchanged
from reconciler.core.diff import element_changes
from reconciler.core.plan import sign_in_changes
from reconciler.reports import wording
from reconciler.reports.escaping import format_value
from reconciler.reports.findings import finding_counters, group_findings, plan_findings
from reconciler.reports.next_steps import approval_steps
from reconciler.reports.report import (
    NOTHING,
    Annotation,
    Card,
    Category,
    Cell,
    Column,
    Counter,
    Difference,
    Group,
    ItemList,
    Line,
    Origin,
    Report,
    Row,
    ScanResult,
    Status,
    Table,
    errors_first,
)
from reconciler.reports.text_plan import render_change
from reconciler.reports.text_style import PLAIN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.core.change import AttributeChange, Change, Value
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan, SignInChange, Unmanaged
    from reconciler.reports.report import Level, Mark

_ACTION_RANK: Final = {Action.DELETE: 0, Action.UPDATE: 1, Action.CREATE: 2, Action.NO_OP: 3}

_ACTION_WORDS: Final = {Action.CREATE: "to add", Action.UPDATE: "to change", Action.DELETE: "to destroy"}

_CATEGORIES: Final = tuple(
    Category(key=action.value, label=label, words=_ACTION_WORDS[action], rank=_ACTION_RANK[action])
    for action, label in ((Action.CREATE, "Create"), (Action.UPDATE, "Update"), (Action.DELETE, "Destroy"))
)

_COLUMNS: Final = (
    Column(name="Organization"),
    Column(name="Add", sum_words=_ACTION_WORDS[Action.CREATE]),
    Column(name="Change", sum_words=_ACTION_WORDS[Action.UPDATE]),
    Column(name="Destroy", sum_words=_ACTION_WORDS[Action.DELETE]),
    Column(name="Findings"),
)


def plan_report(plan: Plan) -> Report:
    """Return the report of a plan, the most urgent organizations first."""
    summaries = _summarize_organizations(plan)
    actions = {change.action.value for change in plan.changes}
    decisive = sign_in_changes(plan)
    return Report(
        title="Plan",
        verdict=wording.plan_verdict(plan),
        status=_status(plan),
        is_complete=plan.is_complete,
        headlines=(
            *wording.plan_headlines(plan),
            *(f"approval {line}" for line in wording.approval_lines(plan)),
        ),
        differences=tuple(map(_difference, decisive)),
        guards=wording.guard_lines(plan.guards or ()),
        approvals=wording.approval_lines(plan),
        decisive=tuple(_sign_in_annotation(change) for change in decisive),
        decisive_results=tuple(_sign_in_result(change) for change in decisive),
        limitations=tuple(wording.plan_limitations(plan)),
        remarks=() if plan.secrets_compared else (wording.SECRETS_NOT_COMPARED,),
        diagnostics=(*(plan.guards or ()), *errors_first(plan.findings[len(plan.guards or ()) :])),
        findings=plan_findings(plan),
        steps=tuple(approval_steps(plan)),
        table=_table(summaries),
        categories=tuple(category for category in _CATEGORIES if category.key in actions),
        groups=tuple(_group(summary) for summary in summaries if summary.changes),
        lists=unmanaged_list(plan.unmanaged, ", left unchanged"),
        annotations=tuple(_annotation(change) for change in _urgent_changes(summaries)),
        results=tuple(_destroy(change) for change in plan.changes if isinstance(change, Delete)),
        origin=Origin(scope=plan.scope, commit=plan.commit, created_at=plan.created_at),
        counters=tuple(_counters(plan)),
    )


def _counters(plan: Plan) -> Iterator[Counter]:
    """Yield the numbers of the text format: of each kind of change, and of what else there is."""
    summary = plan.summary
    numbers = zip(_ACTION_WORDS, (summary.add, summary.change, summary.destroy), strict=True)
    for action, number in numbers if plan.has_changes else ():
        yield Counter(number=number, words=_ACTION_WORDS[action], key=action.value)
    yield from finding_counters(plan_findings(plan), "risk")
    others = ((summary.refused, "refused"), (summary.unmanaged, "unmanaged"))
    yield from (Counter(number=number, words=word, key=word) for number, word in others if number)
    yield from finding_counters(plan_findings(plan), "warning", "note")


def unmanaged_list(unmanaged: Sequence[Unmanaged], consequence: str) -> tuple[ItemList, ...]:
    """Return the list of unmanaged connections, if there are any."""
    if not unmanaged:
        return ()
    items = tuple(
        (
            connection.organization,
            connection.connection.display_name or "",
            connection.connection.connection_id or "",
        )
        for connection in unmanaged
    )
    title = wording.unmanaged_heading(len(items)) + consequence
    return (ItemList(title=title, items=items, noun="connection"),)


def _status(plan: Plan) -> Status:
    if plan.has_errors or not plan.is_complete:
        return Status.BAD
    if plan.summary.destroy or plan.findings or any(item.matters for item in plan.ignored):
        return Status.ATTENTION
    return Status.PLAIN if plan.has_changes else Status.GOOD


def _table(summaries: Sequence[_OrganizationSummary]) -> Table | None:
    if not summaries:
        return None
    rows = tuple(
        (
            Cell(summary.reference),
            summary.count(Action.CREATE),
            summary.count(Action.UPDATE),
            summary.count(Action.DELETE),
            Cell(", ".join(_finding_counts(summary)), is_foreign=False),
        )
        for summary in summaries
    )
    return Table(columns=_COLUMNS, rows=rows, noun="organization")


def _finding_counts(summary: _OrganizationSummary) -> Iterator[str]:
    findings = group_findings(summary.diagnostics, error_word="refused")
    for counter in finding_counters(findings, "risk", "refused", "warning", "note"):
        yield f"{counter.number} {counter.words}"


def _group(summary: _OrganizationSummary) -> Group:
    counts = ((summary.count(action), words) for action, words in _ACTION_WORDS.items())
    return Group(
        organization=summary.reference,
        counts=tuple(f"{number:,} {words}" for number, words in counts if number),
        cards=tuple(_card(change) for change in summary.changes),
    )


def _card(change: Change) -> Card:
    _heading, *diff = render_change(change, PLAIN).split("\n")
    return Card(
        address=str(change.address),
        action=change.action.value,
        intention=("will be", wording.participle(change.action)),
        is_destructive=change.action is Action.DELETE,
        reason=wording.change_reason(change),
        note=", ".join(_ids(change)),
        location=change.location,
        make_rows=cache(lambda: tuple(_rows(change))),
        attributes=change.changed if isinstance(change, Update) else (),
        diff=tuple(diff),
    )


def _ids(change: Change) -> Iterator[str]:
    yield wording.organization_note(change)
    if isinstance(change, Update):
        yield f"connection_id: {change.before.connection_id}"


def _rows(change: Change) -> Iterator[Row]:
    uncomparable = change.uncomparable if isinstance(change, Update) else ()
    for attribute in attribute_changes(change):
        unchanged = is_unchanged(change, attribute)
        if attribute.name in uncomparable and attribute.action is Action.NO_OP:
            note = _note(wording.UNCOMPARABLE)
            yield Row(attribute=attribute.name, left=note, right=note)
        elif unchanged or attribute.action is not Action.NO_OP:
            before, after = _before(attribute), _after(attribute)
            yield Row(attribute=attribute.name, left=before, right=after, is_unchanged=unchanged)


def _before(attribute: AttributeChange) -> tuple[Line, ...]:
    if attribute.action is Action.CREATE:
        return NOTHING
    if attribute.is_sensitive:
        return _note(wording.SENSITIVE)
    return tuple(_value_lines(attribute.before, attribute.after, _mark(attribute, "-"))) or NOTHING


def _after(attribute: AttributeChange) -> tuple[Line, ...]:
    if attribute.action is Action.DELETE:
        return NOTHING
    if attribute.is_unknown:
        return (*_note(wording.UNKNOWN), *_metadata_note(attribute))
    if attribute.is_sensitive:
        return _note(f"{wording.SENSITIVE} {wording.secret_note(attribute)}".rstrip())
    lines = tuple(_value_lines(attribute.after, attribute.before, _mark(attribute, "+")))
    return (*lines, *_metadata_note(attribute)) or NOTHING


def _metadata_note(attribute: AttributeChange) -> tuple[Line, ...]:
    words = wording.metadata_note(attribute)
    return _note(words) if words else ()


def _mark(attribute: AttributeChange, mark: Mark) -> Mark:
    return "" if attribute.action is Action.NO_OP else mark


def _value_lines(value: Value | None, other: Value | None, mark: Mark) -> Iterator[Line]:
    """Yield one side of an attribute; what is only on this side, or differs, is marked."""
    if not value:
        return
    if isinstance(value, str):
        yield Line(format_value(value), mark)
        return
    differing = {element.key for element in element_changes(value, other)} if value != other else set()
    for key, text in _elements(value):
        yield Line(text, mark if key in differing else "")


def _elements(value: Iterable[str] | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, text in value.items():
            yield key, f"{format_value(key)} = {format_value(text)}"
    else:
        for element in value:
            yield element, format_value(element)


def _note(words: str) -> tuple[Line, ...]:
    return (Line(words, is_note=True),)


def _annotation(change: Change) -> Annotation:
    """Return a destroy as a warning, since a connection's id cannot be restored; others as a notice."""
    level: Level = "warning" if change.action is Action.DELETE else "notice"
    title = f"{change.address} will be {wording.participle(change.action)}"
    message = (
        f"changes: {', '.join(change.changed)}"
        if isinstance(change, Update)
        else wording.change_reason(change)
    )
    return Annotation(level=level, title=title, message=message or title, location=change.location)


def _difference(change: SignInChange) -> Difference:
    return Difference(
        address=str(change.address),
        attribute=change.attribute,
        before=wording.value_text(change.before),
        after=wording.value_text(change.after),
        already_live=change.already_live,
    )


def _sign_in_annotation(change: SignInChange) -> Annotation:
    title = f"{change.address} changes who can sign in"
    message = wording.sign_in_headline(change)
    return Annotation(level="warning", title=title, message=message, location=change.location)


def _sign_in_result(change: SignInChange) -> ScanResult:
    return ScanResult(
        rule="sign-in-change",
        level="warning",
        message=wording.sign_in_headline(change),
        subject=str(change.address),
        location=change.location,
    )


def _destroy(change: Delete) -> ScanResult:
    """Return a destroy as a result; creates and updates are intended, and no finding."""
    reason = wording.change_reason(change)
    return ScanResult(
        rule="planned-destroy",
        level="note",
        message=f"{change.address} will be {wording.participle(change.action)} {reason}",
        subject=str(change.address),
        location=change.location,
    )


@dataclass(frozen=True, slots=True)
class _OrganizationSummary:
    """What a plan says of one organization; ``reference`` is its name in the manifests."""

    reference: str
    changes: list[Change] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def count(self, action: Action) -> int:
        """Return the number of changes with an action."""
        return sum(change.action is action for change in self.changes)

    @property
    def errors(self) -> int:
        """The number of errors."""
        return sum(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def warnings(self) -> int:
        """The number of warnings."""
        return len(self.diagnostics) - self.errors

    @property
    def urgency(self) -> tuple[int, int, int, int]:
        """Errors count most, then destroys, then warnings, then all changes."""
        return self.errors, self.count(Action.DELETE), self.warnings, len(self.changes)


def _summarize_organizations(plan: Plan) -> list[_OrganizationSummary]:
    """Return the organizations that have a change or a finding, the most urgent first, then by name."""
    summaries: dict[str, _OrganizationSummary] = {}
    for change in plan.changes:
        reference = change.address.organization
        summaries.setdefault(reference, _OrganizationSummary(reference)).changes.append(change)
    for diagnostic in plan.findings:
        if reference := _organization_of(diagnostic.address, summaries):
            summaries.setdefault(reference, _OrganizationSummary(reference)).diagnostics.append(diagnostic)
    return sorted(
        summaries.values(), key=lambda summary: (*(-number for number in summary.urgency), summary.reference)
    )


def _urgent_changes(summaries: Iterable[_OrganizationSummary]) -> list[Change]:
    """Return all changes: destroys first, then by the urgency of their organization."""
    changes = (change for summary in summaries for change in summary.changes)
    return sorted(changes, key=lambda change: _ACTION_RANK[change.action])


def _organization_of(address: str, known: Collection[str]) -> str:
    """Return the organization that an address names; an external id may hold slashes itself."""
    ends = [index for index, character in enumerate(address) if character == "/"]
    prefixes = (address[:end] for end in (*ends, len(address)))
    return next((prefix for prefix in prefixes if prefix in known), address.partition("/")[0])
