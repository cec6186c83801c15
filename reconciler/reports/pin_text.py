"""Pins in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.findings_text import render_diagnostics
from reconciler.reports.style import Style
from reconciler.reports.visible import count, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.pin_document import Pinned


def render_pinned(pinned: Pinned, *, color: bool = False) -> str:
    """Return every pin with its place, and how many there are."""
    style = Style(color)
    lines = [
        f"{visible(str(one.location))}: {visible(one.address)} = {visible(one.id)}" for one in pinned.pins
    ]
    lines += [f"{visible(address)} is not live, so it has no id yet" for address in pinned.not_live]
    verdict = "\n".join(_verdict(pinned, style))
    return (
        "".join(f"{line}\n" for line in lines)
        + render_diagnostics(pinned.diagnostics, color=color)
        + verdict
        + "\n"
    )


def _verdict(pinned: Pinned, style: Style) -> Iterator[str]:
    if pinned.pins:
        words = "Not pinned" if pinned.is_check else "Pinned"
        numbers = f"{count(pinned.connections, 'connection')}, {count(pinned.organizations, 'organization')}."
        yield style.verdict(f"{words}: {numbers}", is_good=not pinned.is_check)
        if pinned.is_check:
            yield "`reconciler pin` writes these ids into the manifests."
    elif pinned.has_errors:
        yield style.verdict("Not everything could be pinned; the errors above say why.", is_good=False)
    else:
        yield style.verdict("Everything that is live is pinned.", is_good=True)
