"""Maintains one comment with labels on a pull request, and one drift issue, for each environment.

A hidden first line identifies the comment and the issue. Only those of this token's own account count.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UnknownPublication, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.plan import Plan, Scope
    from reconciler.publishers.forge import Forge

_MAX_ATTEMPTS: Final = 3
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._]|-(?!-)){0,23}")
_LABEL_KINDS: Final = ("destroys", "risks", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNotice:
    """What the issue says.

    ``is_over``: there certainly is no drift. ``news`` is worth a comment of its own, if not empty.
    """

    title: str
    body: str
    news: str = ""
    has_drift: bool = True
    is_over: bool = False


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


def publish_comment(forge: Forge, line: str, body: str) -> tuple[str, str]:
    """Create or edit the comment with the marker; return what was done, and its address.

    Where two runs at once have left two, the older stays.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    return _until_known(lambda: _publish_comment(forge, line, with_marker(line, body)))


def publish_drift(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    """Open, update or close the issue with the marker; return what was done, and its address.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    return _until_known(lambda: _publish_drift(forge, line, notice))


def publish_labels(forge: Forge, plan: Plan, name: str) -> frozenset[str]:
    """Give the pull request the labels of its plan, and remove the others; return them.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    labels = risk_labels(plan, name)
    present = forge.labels()
    outdated = {_label(name, kind) for kind in _LABEL_KINDS} - labels
    if (labels - present) or (outdated & present):
        forge.change_labels(add=labels - present, remove=outdated & present)
    return labels


def risk_labels(plan: Plan, name: str) -> frozenset[str]:
    """Return the labels for a plan: it destroys, is risky, or cannot be applied as it is."""
    applies = (plan.summary.destroy > 0, bool(plan.risks), plan.has_errors)
    return frozenset(
        _label(name, kind) for kind, is_applied in zip(_LABEL_KINDS, applies, strict=True) if is_applied
    )


def _until_known(publish: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Publish again where it is not known what was done: that looks first at what is there."""
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return publish()
        except UnknownPublication:
            continue
    return publish()


def _publish_comment(forge: Forge, line: str, text: str) -> tuple[str, str]:
    author = forge.author()
    own = [
        comment for comment in forge.comments() if comment.author == author and has_marker(comment.body, line)
    ]
    if not own:
        return "created", forge.create_comment(text).url
    first, *duplicates = own
    for duplicate in duplicates:
        forge.delete_comment(duplicate)
    if first.body == text:
        return "unchanged", first.url
    forge.edit_comment(first, text)
    return "updated", first.url


def _publish_drift(forge: Forge, line: str, notice: DriftNotice) -> tuple[str, str]:
    text = with_marker(line, notice.body)
    author = forge.author()
    own = (issue for issue in forge.open_issues() if issue.author == author and has_marker(issue.body, line))
    issue = next(own, None)
    if issue is None:
        if not notice.has_drift:
            return "not needed", ""
        return "opened", forge.create_issue(notice.title, text).url
    if issue.body != text or issue.title != notice.title:
        forge.edit_issue(issue, notice.title, text)
    if notice.is_over:
        forge.close_issue(issue)
        return "closed", issue.url
    if notice.news:
        forge.comment_on_issue(issue, notice.news)
    return "updated", issue.url


def _label(name: str, kind: str) -> str:
    return f"reconciler {name}: {kind}"
