"""Colours of a terminal, Terraform's, or none at all."""

from __future__ import annotations

from typing import Final, NamedTuple

_RESET: Final = "\x1b[0m"


class Style(NamedTuple):
    """Paints text with ANSI codes if ``color`` is set, and leaves it alone otherwise.

    A line that other programs look for is painted as a whole, so that it stays one string.
    """

    color: bool

    def bold(self, text: str) -> str:
        """Return a heading."""
        return self._paint(text, "1")

    def green(self, text: str) -> str:
        """Return what is added, or well."""
        return self._paint(text, "32")

    def yellow(self, text: str) -> str:
        """Return what changes, or deserves attention."""
        return self._paint(text, "33")

    def red(self, text: str) -> str:
        """Return what goes away, or is wrong."""
        return self._paint(text, "31")

    def dim(self, text: str) -> str:
        """Return what matters less."""
        return self._paint(text, "90")

    def verdict(self, text: str, *, is_good: bool) -> str:
        """Return the line that says how it went."""
        return self._paint(text, "1;32" if is_good else "1;31")

    def _paint(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}{_RESET}" if self.color and text else text
