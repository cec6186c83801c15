"""Parses the pages: fenced blocks, generated parts, links and anchors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"(<!-- generated: ([^>]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and its line (from 1)."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    """Return the page's path from the root, for test ids and messages."""
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the page's blocks in these languages, in order."""
    text = read(page)
    matches = _BLOCK.finditer(text)
    all_blocks = (Block(match[1], match[2], text.count("\n", 0, match.start()) + 1) for match in matches)
    return [block for block in all_blocks if block.language in languages]


def sections(page: Path) -> list[int]:
    """Return the lines on which the page's second-level sections begin."""
    text = read(page)
    return [text.count("\n", 0, match.start()) + 1 for match in _SECTION.finditer(text)]


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
