"""The text of one file, with the words for its places and stretches."""

from __future__ import annotations

from typing import Final, NamedTuple

from reconciler.core.errors import SourceLocation

BYTE_ORDER_MARK: Final = "\ufeff"


class Span(NamedTuple):
    """A stretch of text: character offsets from 0, ``end`` excluded."""

    start: int
    end: int


class Source(NamedTuple):
    """What a file holds, without its byte order mark; ``path`` is as the user would type it.

    ``offset`` is the length of the byte order mark, in bytes.
    """

    path: str
    text: str
    offset: int = 0
    is_ascii: bool = False

    def location(self, index: int) -> SourceLocation:
        """Return the place of the character at ``index``."""
        start = self.text.rfind("\n", 0, index) + 1
        return SourceLocation(
            self.path,
            line=self.text.count("\n", 0, index) + 1,
            column=index - start + 1,
            byte=self._byte(index) + self.offset,
        )

    def line(self, index: int) -> tuple[str, int]:
        """Return the line around a character, and where in the text it starts."""
        start = self.text.rfind("\n", 0, index) + 1
        end = self.text.find("\n", index)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r"), start

    def _byte(self, index: int) -> int:
        return index if self.is_ascii else len(self.text[:index].encode(errors="surrogatepass"))


def open_source(path: str, content: bytes) -> Source:
    """Return the text of a file.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    offset = len(BYTE_ORDER_MARK.encode()) if content.startswith(BYTE_ORDER_MARK.encode()) else 0
    return Source(path, content[offset:].decode(), offset, is_ascii=content[offset:].isascii())
