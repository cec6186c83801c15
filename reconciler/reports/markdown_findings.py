"""Findings as a list in Markdown, errors first, with an honest count of those left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.markdown import code, sentence
from reconciler.reports.page import as_many_as_fit
from reconciler.reports.urgency import most_urgent_findings
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.errors import Diagnostic


def findings_list(findings: Sequence[Diagnostic], most_bytes: int) -> str:
    """Return one item per finding: what, where, and what to do."""
    shown, left = as_many_as_fit(most_urgent_findings(findings), _item, most_bytes)
    if left:
        errors = sum(one.is_error for one in left)
        shown.append(f"- … {more(len(left), 'finding')}, {count(errors, 'error')} among them")
    return "\n".join(shown)


def more(number: int, noun: str) -> str:
    """Return ``1 more finding`` or ``2 more findings``."""
    return f"{number:,} more {noun if number == 1 else noun + 's'}"


def _item(found: Diagnostic) -> str:
    word = "❌ **error**" if found.is_error else "⚠️ **warning**"
    place = f" — {code(str(found.location))}" if found.location else ""
    lines = [f"- {word} {code(found.code)}: {sentence(found.summary)}{place}"]
    lines += [f"  <br>↳ {sentence(text)}" for text in (found.detail, found.hint) if text.strip()]
    return "\n".join(lines)
