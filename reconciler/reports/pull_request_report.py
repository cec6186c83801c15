"""Builds the descriptions of pull requests with pins and with live values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import DriftKind
from reconciler.core.errors import count
from reconciler.core.plan import SIGN_IN_FIELDS
from reconciler.reports.escaping import markdown_message
from reconciler.reports.findings import group_findings
from reconciler.reports.markdown import render_findings
from reconciler.reports.report import Cell, Column, Difference, Origin, Report, Status, Table
from reconciler.reports.wording import value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.change import Value
    from reconciler.core.drift import Finding
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Scope
    from reconciler.reports.report import FindingGroup

_MOST_LEFT: Final = 20
"""How many sentences about what is left are shown."""

_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1000}")

_MAX_NOTE_BYTES: Final = 10_000

_LEFT: Final = {
    DriftKind.MISSING: "is declared, and not live",
    DriftKind.UNEXPECTED: "is live, and declared absent",
    DriftKind.UNDECLARED: "is live, and no manifest declares it",
    DriftKind.UNKNOWN_ORGANIZATION: "is live, and no manifest names its organization",
}
_MAINTAINED: Final = "`reconciler publish` maintains this branch and replaces this text."
_NOT_DESCRIBED: Final = (
    "This branch has commits of others, which this text does not describe: read the whole diff."
)
_AS_WRITTEN: Final = "Without commits of others, merging this changes nothing live"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPin:
    """An id that the pull request writes; ``redirect_url`` is known of what this apply created."""

    address: str
    id: str
    path: str
    redirect_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedValue:
    """A live value that the pull request declares."""

    address: str
    attribute: str
    declared: Value | None
    live: Value | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What a pull request adopts.

    ``risks`` are findings about the adopted values. ``blocked`` are findings of severity error, whose
    connections are not adopted. ``left`` are sentences about the other values that are not adopted.
    """

    values: tuple[AdoptedValue, ...] = ()
    risks: tuple[Diagnostic, ...] = ()
    blocked: tuple[Diagnostic, ...] = ()
    left: tuple[str, ...] = ()


def pins_report(
    scope: Scope, name: str, pins: Sequence[WrittenPin], left: Sequence[str], *, is_edited: bool
) -> Report:
    """Return the report of a pull request with pins; ``is_edited``: others have added commits to it."""
    created = [pin for pin in pins if pin.redirect_url]
    return Report(
        title="Pins",
        verdict=f"{count(len(pins), 'id')} of what was created",
        status=Status.PLAIN,
        limitations=(*((_NOT_DESCRIBED,) if is_edited else ()), *_sentences(left)),
        remarks=(
            f"{_AS_WRITTEN}: it adds `organization_id` and `connection_id`, so that what "
            "was created is still found when names change.",
            f"{_MAINTAINED} Commits that you add to the branch stay.",
        ),
        outputs=_table(
            ("connection", "redirect_url"), [(pin.address, pin.redirect_url) for pin in created], "connection"
        ),
        table=_table(("address", "id", "file"), [(pin.address, pin.id, pin.path) for pin in pins], "id"),
        origin=Origin(scope=scope, commit="", created_at="", name=name),
    )


def adoption_report(scope: Scope, name: str, adoption: Adoption) -> Report:
    """Return the report of a pull request that declares live values."""
    rows = [
        (value.address, value.attribute, value_text(value.declared), value_text(value.live), value.path)
        for value in adoption.values
    ]
    return Report(
        title="Adoption",
        verdict=f"{count(len(rows), 'live value')} that somebody changed outside Git",
        status=Status.ATTENTION,
        differences=tuple(
            Difference(
                address=value.address,
                attribute=value.attribute,
                before=value_text(value.declared),
                after=value_text(value.live),
            )
            for value in adoption.values
            if value.attribute in SIGN_IN_FIELDS
        ),
        findings=_findings((*adoption.blocked, *adoption.risks)),
        limitations=_sentences((*_not_adopted(adoption), *adoption.left)),
        remarks=(
            f"{_AS_WRITTEN}: the manifests declare what is live already. To go back to "
            "what they declare now, close this and run `reconciler apply`.",
            f"{_MAINTAINED} Once you add a commit to the branch, it is left alone.",
        ),
        table=_table(("address", "attribute", "declared", "live", "file"), rows, "value"),
        columns=("Declared", "Live"),
        origin=Origin(scope=scope, commit="", created_at="", name=name),
    )


def adoption_note(adoption: Adoption, noun: str, done: str, number: str, url: str) -> str:
    """Return what the drift issue says about the pull request, in Markdown."""
    summary = markdown_message(done.removesuffix(url).rstrip(": "))
    if number:
        link = f": <{url}>" if _PLAIN_URL.fullmatch(url) else ""
        opened = f"**{noun.capitalize()} {markdown_message(number)}** declares live values{link} ({summary})"
    else:
        opened = f"**No {noun} declares these live values**: {summary}"
    blocked = render_findings(_findings(adoption.blocked), _MAX_NOTE_BYTES)
    advice = (
        "➡️ Revert these with `reconciler apply`, or approve the finding in Git: the next run then opens a "
        f"{noun}."
    )
    left = _sentences((*_not_adopted(adoption), *adoption.left))
    lines = "\n".join(f"- {markdown_message(sentence)}" for sentence in left)
    blocks = (opened, blocked, advice if blocked else "", lines)
    return "\n\n".join(filter(None, blocks)) + "\n"


def failure_note(noun: str, message: str) -> str:
    """Return what the drift issue says where no pull request could be opened."""
    return f"**No {noun} declares these live values**: {markdown_message(message)}\n"


def left_finding(finding: Finding) -> str:
    """Return why a finding is not adopted; empty where that goes without saying."""
    subject = str(finding.address)
    if finding.kind is DriftKind.FOREIGN_ENDPOINT:
        return f"{finding.attribute} of {subject} is not its identity provider's URL, and is never adopted"
    if finding.is_sensitive:
        return f"{finding.attribute} of {subject} differs; secrets are never taken over"
    if finding.kind is DriftKind.CHANGED and not finding.accept_command:
        return f"the default connection of {subject} differs; move the line `default: true` by hand"
    if finding.kind in _LEFT:
        command = f": `{finding.accept_command}`" if finding.accept_command else ""
        return f"{subject} {_LEFT[finding.kind]}{command}"
    return ""


def _not_adopted(adoption: Adoption) -> tuple[str, ...]:
    addresses = dict.fromkeys(finding.address for finding in adoption.blocked)
    return tuple(f"{address} is not adopted, because of findings of severity error" for address in addresses)


def _findings(findings: Iterable[Diagnostic]) -> tuple[FindingGroup, ...]:
    """Return the findings in groups, each once, whether a change or a live value has shown it."""
    once = {(finding.code, finding.summary): finding for finding in reversed([*findings])}
    return group_findings([replace(finding, location=None) for finding in reversed(once.values())])


def _sentences(sentences: Sequence[str]) -> tuple[str, ...]:
    further = len(sentences) - _MOST_LEFT
    return (*sentences[:_MOST_LEFT], *((f"… {further:,} more",) if further > 0 else ()))


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], noun: str) -> Table | None:
    columns = tuple(Column(name=name) for name in names)
    return (
        Table(columns=columns, rows=tuple(tuple(map(Cell, row)) for row in rows), noun=noun) if rows else None
    )
