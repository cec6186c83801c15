"""Imports the libraries of this room without what they would bring along for other uses."""

from __future__ import annotations

import ssl
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_EXTRAS: Final = ("httpx._main", "rich")
"""httpx has a command line of its own, which needs click, rich and pygments; structlog can print
tracebacks by rich. Both do without if these cannot be imported. That saves a plan 100 ms and 6 MB."""


def import_lean(name: str) -> ModuleType:
    """Import a library as if its optional parts were not installed, and without reading certificates.

    Whoever imports these parts later gets them; whoever imported them before has them already.
    """
    with _absent(*(one for one in _EXTRAS if one not in sys.modules)), _trusting_nobody():
        return import_module(name)


@contextmanager
def _absent(*modules: str) -> Iterator[None]:
    missing: dict[str, None] = dict.fromkeys(modules)
    sys.modules.update(missing)  # type: ignore[arg-type]  # None is how the import system is told "absent"
    try:
        yield
    finally:
        for module in modules:
            del sys.modules[module]


@contextmanager
def _trusting_nobody() -> Iterator[None]:
    """Let aiohttp make the context that it keeps for calls without one trust no certificate at all.

    It would read all certificates of the system when it is imported, which takes 45 ms and is for
    nothing: every connection of ours is given a context of its own.
    """
    create = ssl.create_default_context
    vars(ssl)["create_default_context"] = lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        vars(ssl)["create_default_context"] = create
