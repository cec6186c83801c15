"""Maintains one comment with labels on a pull request, for each environment.

A hidden first line identifies the comment. Only those of this token's own account count.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from reconciler.core.plan import Plan, Scope
    from reconciler.publishers.forge import Comment, Forge

_MAX_ATTEMPTS: Final = 3
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._]|-(?!-)){0,23}")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,15}(?:Z|\+00:00)", re.ASCII)
_MADE_AT: Final = re.compile(rf"[^\n]*\n<!-- made ({TIME.pattern}) -->", re.ASCII)
_UNKNOWN: Final = "?"
"""The identity of a run that does not know its project; no environment has this name."""

_LABEL_KINDS: Final = ("destroys", "risks", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class StickyComment:
    """What one comment says, and which one it is: of its kind, for an environment.

    ``identity`` is empty if a run failed before its project was known. ``made_at`` is when the report was
    made (RFC 3339 in UTC), if that is known: of two runs, the later one is shown.
    """

    kind: str
    identity: str
    body: str
    made_at: str = ""


def check_name(name: str) -> str:
    """Return the name that tells the environments that publish in one place apart.

    Raises:
        UsageError: it could end the hidden line, or is too long for a label.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"the name {name!r} is unfit: at most 24 lower-case letters, digits, dots, underscores and "
            "single hyphens, a letter or digit first"
        )
    return name


def default_identity(scope: Scope) -> str:
    """Return the identity of a project that was given no name."""
    digest = hashlib.sha256(f"{scope.base_url}\0{scope.principal}".encode("utf-8", "surrogatepass"))
    return f"{scope.environment.value}-{digest.hexdigest()[:12]}"


def marker(kind: str, identity: str) -> str:
    """Return the hidden line: an HTML comment, which no forge shows."""
    return f"<!-- reconciler:{kind}:{identity} -->"


def with_marker(line: str, body: str) -> str:
    """Return a body that begins with the marker."""
    return f"{line}\n{body}"


def has_marker(body: str, line: str) -> bool:
    """Tell whether a body begins with the marker; further down it may be a quotation."""
    return body.partition("\n")[0].rstrip() == line


def until_known(publish: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Publish again where it is not known what was done: that looks first at what is there."""
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return publish()
        except UnknownPublication:
            continue
    return publish()


def publish_comment(forge: Forge, comment: StickyComment) -> tuple[str, str]:
    """Create or edit the comment; return what was done, and its address.

    Where two runs at once have left two, the older stays, with what the later run says.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    return until_known(lambda: _publish_comment(forge, comment))


def fold_outdated(forge: Forge, kind: str, by: StickyComment, note: str) -> None:
    """Fold the comment of another kind whose report was made before this one, below a note.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    if not by.identity or not TIME.fullmatch(by.made_at):
        return
    outdated = StickyComment(kind=kind, identity=by.identity, body="")
    for comment in _own_comments(forge, outdated)[1]:
        lines, body = comment.body.split("\n", 2)[:2], comment.body.split("\n", 2)[2:]
        if body and "" < _made_at(comment.body) < by.made_at and not body[0].startswith(note):
            folded = f"{note}\n\n<details><summary>Earlier report</summary>\n\n{body[0]}\n\n</details>\n"
            forge.edit_comment(comment, "\n".join([*lines, folded]))


def publish_labels(forge: Forge, kinds: Collection[str], name: str) -> frozenset[str]:
    """Give the pull request the labels of these kinds, and remove the others; return them.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    labels = frozenset(_label(name, kind) for kind in kinds)
    present = forge.labels()
    outdated = {_label(name, kind) for kind in _LABEL_KINDS} - labels
    if (labels - present) or (outdated & present):
        forge.change_labels(add=labels - present, remove=outdated & present)
    return labels


def risk_labels(plan: Plan) -> frozenset[str]:
    """Return the kinds of labels for a plan: it destroys, is risky, or cannot be applied as it is."""
    applies = (plan.summary.destroy > 0, bool(plan.risks), plan.has_errors)
    return frozenset(kind for kind, is_applied in zip(_LABEL_KINDS, applies, strict=True) if is_applied)


def _publish_comment(forge: Forge, sticky: StickyComment) -> tuple[str, str]:
    line, own = _own_comments(forge, sticky)
    text = with_marker(line, _dated(sticky))
    if not own:
        created = forge.create_comment(text)
        line, own = _own_comments(forge, sticky)  # another run may have written in the same moment
        if not own[1:]:
            return "created", created.url
    latest = _latest(text, own)
    first, *duplicates = own
    if first.body != latest:
        forge.edit_comment(first, latest)
    for duplicate in duplicates:
        forge.delete_comment(duplicate)
    if latest != text:
        return "left as it is, because a later run has written it", first.url
    return "unchanged" if first.body == text else "updated", first.url


def _dated(sticky: StickyComment) -> str:
    """Return the body below a hidden line that says when its report was made."""
    is_known = TIME.fullmatch(sticky.made_at)
    return with_marker(f"<!-- made {sticky.made_at} -->", sticky.body) if is_known else sticky.body


def _latest(text: str, own: Sequence[Comment]) -> str:
    """Return what the latest report says; if ours does not say when it was made, no other is later.

    A workflow that a pull request changes can write any time into a comment. So one that says it was made
    after the forge received it counts for nothing.
    """
    made_at = _made_at(text)
    later = [
        comment.body
        for comment in own
        if made_at and _made_at(comment.body) > made_at and _is_credible(comment)
    ]
    return max(later, key=_made_at, default=text)


def _is_credible(comment: Comment) -> bool:
    """Whether the report was made before the comment was written; forges give whole seconds."""
    try:
        made, written = map(datetime.fromisoformat, (_made_at(comment.body), comment.updated_at))
        return made.replace(microsecond=0) <= written
    except (ValueError, TypeError):  # no time, or one without a zone
        return False


def _made_at(body: str) -> str:
    match = _MADE_AT.match(body)
    return match[1] if match else ""


def _own_comments(forge: Forge, sticky: StickyComment) -> tuple[str, list[Comment]]:
    """Return the marker of the comment, and those that have it.

    A run that does not know its project takes the only comment of its kind for its own, and leaves its own
    to the next run that does.
    """
    author = forge.author()
    by_line: dict[str, list[Comment]] = {}
    for comment in forge.comments():
        line = comment.body.partition("\n")[0].rstrip()
        if comment.author == author and line.startswith(marker(sticky.kind, "").removesuffix(" -->")):
            by_line.setdefault(line, []).append(comment)
    unknown = marker(sticky.kind, _UNKNOWN)
    if sticky.identity:
        line = marker(sticky.kind, sticky.identity)
        return line, [*by_line.get(line, []), *by_line.get(unknown, [])]
    line = next(iter(by_line)) if len(by_line) == 1 else unknown
    return line, by_line.get(line, [])


def _label(name: str, kind: str) -> str:
    return f"reconciler {name}: {kind}"
