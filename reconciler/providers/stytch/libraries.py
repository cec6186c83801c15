"""Imports the libraries of this room without what they would bring along for other uses."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES: Final = ("httpx", "structlog")

_EXTRAS: Final = ("httpx._main", "rich")
"""httpx has a command line of its own, which needs click, rich and pygments; structlog can print
tracebacks by rich. Both do without if these cannot be imported. That saves a plan 100 ms of its
350 ms for imports, and 6 MB."""


def import_lean() -> None:
    """Import the libraries as if their optional parts were not installed.

    Whoever imports these parts later gets them; whoever imported them before has them already.
    """
    with _absent(*(one for one in _EXTRAS if one not in sys.modules)):
        for library in _LIBRARIES:
            import_module(library)


@contextmanager
def _absent(*modules: str) -> Iterator[None]:
    missing: dict[str, None] = dict.fromkeys(modules)
    sys.modules.update(missing)  # type: ignore[arg-type]  # None is how the import system is told "absent"
    try:
        yield
    finally:
        for module in modules:
            del sys.modules[module]
