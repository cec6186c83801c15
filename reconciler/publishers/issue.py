"""Maintains one issue for each environment, with one part for drift and one for `verify`.

A hidden line before each part holds its kind, its state, and the time of its report. A run without a newer
report for a part keeps that part, so that neither part hides or closes the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.publishers.sticky import TIME, has_marker, until_known, with_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.publishers.forge import Forge, Issue


class PartKind(StrEnum):
    """The command whose report a part shows, in the order of the issue."""

    DRIFT = "drift"
    VERIFY = "verify"


class PartState(StrEnum):
    """Whether a part needs the issue: it does, it is unknown, or it does not."""

    OPEN = "open"
    UNKNOWN = "unknown"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePart:
    """The part of one report in the issue. ``made_at`` is RFC 3339 in UTC, or empty if it is not known.

    ``news`` is worth a comment; ``announcement`` is, if the issue was opened for another part.
    """

    kind: PartKind
    body: str
    state: PartState
    made_at: str = ""
    news: str = ""
    announcement: str = ""


_LINE: Final = re.compile(
    rf"<!-- reconciler:part:({'|'.join(PartKind)}):({'|'.join(PartState)}):({TIME.pattern}|) -->", re.ASCII
)
_OWN_LINE: Final = re.compile(r"^(\s*)<!--(?=\s*reconciler:)", re.MULTILINE)
_KEPT: Final = re.compile(r"^[^\n]*<!-- reconciler:kept -->\n*", re.MULTILINE)
_HEADING: Final = re.compile(r"\A(?:## [^\n]*\n+)?")

_TITLES: Final[Mapping[frozenset[PartKind], str]] = {
    frozenset({PartKind.DRIFT}): "Drift in",
    frozenset({PartKind.VERIFY}): "Login problems in",
    frozenset(PartKind): "Drift and login problems in",
}


def publish_issue(forge: Forge, line: str, name: str, parts: Sequence[IssuePart]) -> tuple[str, str]:
    """Open, update or close the issue with the marker; return the action and the issue's URL.

    ``name`` is that of the environment.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    return until_known(lambda: _publish(forge, line, name, parts))


def _publish(forge: Forge, line: str, name: str, parts: Sequence[IssuePart]) -> tuple[str, str]:
    author = forge.author()
    own = (issue for issue in forge.open_issues() if issue.author == author and has_marker(issue.body, line))
    issue = next(own, None)
    if issue is None:
        return _open(forge, line, name, parts)
    recorded = _read(issue.body)
    current = _merge(recorded, parts)
    text, title = _body(line, current.values()), _title(name, current.values()) or issue.title
    if issue.body != text or issue.title != title:
        forge.edit_issue(issue, title, text)
    if all(part.state is PartState.OVER for part in current.values()):
        forge.close_issue(issue)
        return "closed", issue.url
    _comment(forge, issue, recorded, current.values())
    return "updated", issue.url


def _open(forge: Forge, line: str, name: str, parts: Sequence[IssuePart]) -> tuple[str, str]:
    if not any(part.state is PartState.OPEN for part in parts):
        return "not needed", ""
    return "opened", forge.create_issue(_title(name, parts), _body(line, _ordered(parts))).url


def _comment(
    forge: Forge, issue: Issue, recorded: Mapping[PartKind, IssuePart], parts: Iterable[IssuePart]
) -> None:
    """Announce new findings in one comment, unless the issue has the report already."""
    texts = [text for part in parts if (text := _news(part, recorded.get(part.kind)))]
    if texts:
        forge.comment_on_issue(issue, "\n\n".join(texts))


def _news(part: IssuePart, before: IssuePart | None) -> str:
    if before is not None and part.made_at and part.made_at == before.made_at:
        return ""
    is_new_here = before is None or before.state is not PartState.OPEN
    announcement = part.announcement if part.state is PartState.OPEN and is_new_here else ""
    return part.news or announcement


def _merge(recorded: Mapping[PartKind, IssuePart], parts: Sequence[IssuePart]) -> dict[PartKind, IssuePart]:
    """Return the latest report of each part, with a note on parts without a new report."""
    newer = {
        part.kind: part
        for part in parts
        if part.kind not in recorded or not part.made_at or part.made_at >= recorded[part.kind].made_at
    }
    has_news = any(
        part.kind not in recorded or part.made_at != recorded[part.kind].made_at for part in newer.values()
    )
    merged = {}
    for part in _ordered({**recorded, **newer}.values()):
        before = recorded.get(part.kind)
        is_kept = before is not None and part.made_at == before.made_at and bool(part.made_at)
        merged[part.kind] = _with_note(part) if is_kept and has_news else part
    return merged


def _with_note(part: IssuePart) -> IssuePart:
    when = part.made_at.replace("T", " ")[:16]
    note = f"*As of {when} UTC; there is no newer report.* <!-- reconciler:kept -->"
    body = _HEADING.sub(lambda heading: f"{heading[0]}{note}\n\n", part.body, count=1)
    return replace(part, body=body)


def _ordered(parts: Iterable[IssuePart]) -> list[IssuePart]:
    return sorted(parts, key=lambda part: list(PartKind).index(part.kind))


def _title(name: str, parts: Iterable[IssuePart]) -> str:
    title = _TITLES.get(frozenset(part.kind for part in parts if part.state is PartState.OPEN))
    return f"{title} {name}" if title else ""


def _body(line: str, parts: Iterable[IssuePart]) -> str:
    texts = (f"{_part_line(part)}\n{_inert(part.body)}".strip() for part in parts)
    return with_marker(line, "\n\n".join(texts))


def _part_line(part: IssuePart) -> str:
    made_at = part.made_at if TIME.fullmatch(part.made_at) else ""
    return f"<!-- reconciler:part:{part.kind}:{part.state}:{made_at} -->"


def _inert(body: str) -> str:
    """Return a body in which no line looks like the hidden line before a part."""
    return _OWN_LINE.sub(r"\1<!- -", body)


def _read(body: str) -> dict[PartKind, IssuePart]:
    """Return the parts of an issue; an issue of an earlier version is a drift part."""
    return {part.kind: part for part in _parts(body)}


def _parts(body: str) -> Iterator[IssuePart]:
    kind, state, made_at = PartKind.DRIFT, PartState.OPEN, ""
    lines: list[str] = []
    for line in [*re.split(r"\r?\n", body)[1:], None]:
        match = _LINE.fullmatch(line.rstrip()) if line is not None else None
        if line is not None and match is None:
            lines.append(line)
            continue
        if text := "\n".join(lines).strip():
            kept = _KEPT.sub("", text)
            yield IssuePart(kind=kind, body=kept, state=state, made_at=made_at)
        if match:
            kind, state, made_at = PartKind(match[1]), PartState(match[2]), match[3]
        lines = []
