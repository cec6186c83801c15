"""Colours, column widths and counts for text on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from unicodedata import combining, east_asian_width

_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text with ANSI codes, in Terraform's colours, if ``color`` is set.

    A line that other programs look for is painted as a whole, so that it stays one string.
    """

    color: bool

    def bold(self, text: str) -> str:
        """Return a heading."""
        return self._paint(text, "1")

    def green(self, text: str) -> str:
        """Return what is added, or good."""
        return self._paint(text, "32")

    def yellow(self, text: str) -> str:
        """Return what changes, or deserves attention."""
        return self._paint(text, "33")

    def red(self, text: str) -> str:
        """Return what is removed, or wrong."""
        return self._paint(text, "31")

    def dim(self, text: str) -> str:
        """Return what matters less."""
        return self._paint(text, "90")

    def verdict(self, text: str, *, is_good: bool) -> str:
        """Return the line that says how it went."""
        return self._paint(text, "1;32" if is_good else "1;31")

    def _paint(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}{_RESET}" if self.color and text else text


def width(text: str) -> int:
    """Return how many columns of a terminal escaped text takes."""
    return sum(_columns(character) for character in text)


def count(number: int, noun: str) -> str:
    """Return ``1 connection`` or ``2 connections``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
