"""Parses the pages: fenced blocks, generated parts, links and anchors."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
_BLOCK = re.compile(
    r"(?:^ *<!-- not executed: (?P<reason>[^>]+) -->\n\n?)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_GENERATED = re.compile(r"(<!-- generated: ([^>]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^##+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it says, where it stands, and the reason if it is not executed."""

    language: str
    text: str
    line: int
    section: str
    reason: str
    indent: str
    span: tuple[int, int]

    def replaced(self, page: str, text: str) -> str:
        """Return the page with another text in this block."""
        start, end = self.span
        return page[:start] + textwrap.indent(text, self.indent) + page[end:]


def name_of(page: Path) -> str:
    """Return the page's path from the root, for test ids and messages."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def read(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the page's blocks in these languages, by default all, in order; generated parts have none."""
    text = written(page)
    matches = [match for match in _BLOCK.finditer(text) if not languages or match["language"] in languages]
    return [_block(text, match) for match in matches]


def written(page: Path) -> str:
    """Return the text of a page with blanks in place of generated parts."""
    return _GENERATED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), read(page))


def prose(page: Path) -> list[str]:
    """Return the lines that people write, without blocks and tables."""
    lines = _BLOCK.sub("", written(page)).splitlines()
    return [line for line in lines if not line.startswith("|")]


def _block(text: str, match: re.Match[str]) -> Block:
    before = text[: match.start("indent")]
    return Block(
        language=match["language"],
        text=textwrap.dedent(match["text"]),
        line=before.count("\n") + 1,
        section=(_HEADING.findall(before) or [""])[-1],
        reason=match["reason"] or "",
        indent=match["indent"],
        span=match.span("text"),
    )


def links(page: Path) -> list[str]:
    """Return the targets of the page's links and images."""
    return _LINK.findall(read(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the page's headings."""
    headings = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def generated(page: Path, generate: Callable[[str], str]) -> str:
    """Return the page with each generated part written anew."""
    return _GENERATED.sub(lambda match: f"{match[1]}{generate(match[2])}{match[4]}", read(page))


def generated_names(page: Path) -> list[str]:
    """Return the names of the page's generated parts."""
    return [match[2] for match in _GENERATED.finditer(read(page))]
