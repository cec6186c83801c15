"""The pages of the documentation: their code blocks, and the parts of them that are generated."""

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


@dataclass(frozen=True)
class Block:
    """A fenced block: what language it is said to be in, its text, and its line (from 1)."""

    language: str
    text: str
    line: int


def blocks(page: Path, language: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = (Block(one[1], one[2], text.count("\n", 0, one.start()) + 1) for one in _BLOCK.finditer(text))
    return [one for one in found if one.language == language]


def links(page: Path) -> list[str]:
    return _LINK.findall(page.read_text(encoding="utf-8"))


def generated(page: Path, generate: Callable[[str], str]) -> str:
    """Return the page as it would be with every generated part written anew."""
    text = page.read_text(encoding="utf-8")
    return _GENERATED.sub(lambda found: f"{found[1]}{generate(found[2])}{found[4]}", text)


def names_of_generated(page: Path) -> list[str]:
    return [one[2] for one in _GENERATED.finditer(page.read_text(encoding="utf-8"))]
