"""Writes the text of pull requests with pins, and of those that adopt live values, as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import DriftKind
from reconciler.reports.escaping import format_value, markdown_code, markdown_message
from reconciler.reports.wording import count, target_headline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.change import Value
    from reconciler.core.drift import Finding
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Scope

_MAX_BYTES: Final = 60_000
"""GitHub allows 65,536 characters; the rest is for what surrounds the tables."""

_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1000}")

_LEFT: Final = {
    DriftKind.MISSING: "is declared, and not live",
    DriftKind.UNEXPECTED: "is live, and declared absent",
    DriftKind.UNDECLARED: "is live, and no manifest declares it",
    DriftKind.UNKNOWN_ORGANIZATION: "is live, and no manifest names its organization",
}


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
    connections are not adopted. ``left`` says in sentences what else is not.
    """

    values: tuple[AdoptedValue, ...] = ()
    risks: tuple[Diagnostic, ...] = ()
    blocked: tuple[Diagnostic, ...] = ()
    left: tuple[str, ...] = ()


def pins_body(scope: Scope, pins: Sequence[WrittenPin], left: Sequence[str], link: str) -> str:
    """Return the text of a pull request with pins."""
    rows = [
        (
            markdown_code(pin.address),
            markdown_code(pin.id),
            markdown_code(pin.redirect_url) if pin.redirect_url else "",
            markdown_code(pin.path),
        )
        for pin in pins
    ]
    return _joined(
        f"**{target_headline(scope, markdown_code)}**",
        f"### {count(len(pins), 'id')} of what `reconciler apply` created",
        "Merging this changes nothing live: only `organization_id` and `connection_id` are added, so that "
        "connections are still found when names change.",
        _table(("address", "id", "redirect_url", "file"), rows, "id"),
        "Each redirect_url has to be registered at the customer's identity provider. "
        "`reconciler output ADDRESS redirect_url` prints those of earlier runs.",
        _list("Not pinned", left),
        _maintenance("Commits that you add to the branch stay."),
        link,
    )


def adoption_body(scope: Scope, adoption: Adoption, link: str) -> str:
    """Return the text of a pull request that adopts live values."""
    rows = [
        (
            markdown_code(value.address),
            markdown_code(value.attribute),
            _value(value.declared),
            _value(value.live),
            markdown_code(value.path),
        )
        for value in adoption.values
    ]
    risks = _findings(adoption.risks)
    return _joined(
        f"**{target_headline(scope, markdown_code)}**",
        f"### {count(len(rows), 'live value')} that somebody changed outside Git",
        "Merging this changes nothing live: the manifests declare what is live already. To go back to what "
        "they declare now, close this and run `reconciler apply`.",
        _list("Risks of what is already live: review them before you merge", risks, is_markdown=True),
        _table(("address", "attribute", "declared", "live", "file"), rows, "value"),
        _list(
            "Not adopted, because of findings of severity error",
            _findings(adoption.blocked),
            is_markdown=True,
        ),
        _list("Left as declared", adoption.left),
        _maintenance("Once you add a commit to the branch, it is left alone."),
        link,
    )


def adoption_note(adoption: Adoption, done: str, number: str, url: str) -> str:
    """Return what the drift issue says about the pull request."""
    if url and _PLAIN_URL.fullmatch(url):
        opened = f"**Pull request**: [{markdown_message(f'number {number}')}]({url}) — {_short(done)}"
    else:
        opened = f"**No pull request adopts these live values**: {_short(done)}"
    advice = (
        "Revert these with `reconciler apply`, or approve the finding in Git; after that, "
        "`reconciler import --update ADDRESS` takes them over."
    )
    blocked = _list(
        "Not adopted, because of findings of severity error", _findings(adoption.blocked), is_markdown=True
    )
    return _joined(opened, blocked, advice if blocked else "", _list("Left as declared", adoption.left))


def failure_note(message: str) -> str:
    """Return what the drift issue says where no pull request could be opened."""
    return f"**No pull request adopts these live values**: {markdown_message(message)}\n"


def left_finding(finding: Finding) -> str:
    """Return why a finding is not adopted; empty where that goes without saying."""
    subject = str(finding.address)
    if finding.is_sensitive:
        return f"{finding.attribute} of {subject} differs; secrets are never taken over"
    if finding.kind is DriftKind.CHANGED and not finding.accept_command:
        return f"the default connection of {subject} differs; move the line `default: true` by hand"
    if finding.kind in _LEFT:
        command = f": `{finding.accept_command}`" if finding.accept_command else ""
        return f"{subject} {_LEFT[finding.kind]}{command}"
    return ""


def _findings(findings: Iterable[Diagnostic]) -> Iterator[str]:
    """Yield each finding once, and why a rule matters with its first finding."""
    explained: set[str] = set()
    for code, summary, is_error, detail in dict.fromkeys(map(_finding_parts, findings)):
        word = "❌ **error**" if is_error else "⚠️ **warning**"
        why = f"<br>↳ {markdown_message(detail)}" if detail and code not in explained else ""
        explained |= {code} if why else set()
        yield f"{word} {markdown_code(code)}: {markdown_message(summary)}{why}"


def _finding_parts(finding: Diagnostic) -> tuple[str, str, bool, str]:
    return finding.code, finding.summary, finding.is_error, finding.detail


def _short(done: str) -> str:
    """Return what was done without the address at its end."""
    return markdown_message(re.sub(r":? https?://\S+$", "", done))


def _value(value: Value | None) -> str:
    return "(not declared)" if value is None else markdown_code(format_value(value))


def _maintenance(rule: str) -> str:
    return f"<sub>Maintained by `reconciler publish`, which replaces this text. {rule}</sub>"


def _list(title: str, items: Iterable[str], *, is_markdown: bool = False) -> str:
    show: Callable[[str], str] = (
        (lambda text: text) if is_markdown else (lambda text: f"{markdown_message(text)}")
    )
    lines = [*_fit((f"- {show(item)}" for item in items), _MAX_BYTES // 6, "finding")]
    return "\n".join((f"**{title}**", "", *lines)) if lines else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], noun: str) -> str:
    head = (f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}")
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join((*head, *_fit(lines, _MAX_BYTES // 2, noun)))


def _fit(lines: Iterable[str], max_bytes: int, noun: str) -> Iterator[str]:
    """Yield the lines that fit, and how many do not."""
    left = 0
    for line in lines:
        max_bytes -= len(line.encode()) + 1
        if max_bytes < 0:
            left += 1
        else:
            yield line
    if left:
        yield f"\n… {count(left, f'further {noun}')}"


def _joined(*blocks: str) -> str:
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"
