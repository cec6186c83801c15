"""Imports the libraries of this room without what they would bring along for other uses."""

from __future__ import annotations

import ssl
import sys
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_EXTRAS: Final = ("rich",)
"""structlog can print tracebacks by rich, and does without if it cannot be imported."""

_READS_CERTIFICATES: Final = "set_default_verify_paths"
_ONE_AT_A_TIME: Final = RLock()


def import_lean(name: str) -> ModuleType:
    """Import a library as if its optional parts were not installed, and without reading certificates.

    Whoever imports these parts later gets them; whoever imported them before has them already.
    """
    if name in sys.modules:
        return import_module(name)
    with _ONE_AT_A_TIME, _absent(*(one for one in _EXTRAS if one not in sys.modules)), _trusting_nobody():
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
    """Let the contexts that aiohttp makes for calls without one of their own trust no certificate at all.

    It would read all certificates of the system twice when it is imported, which takes 45 ms and is for
    nothing: every connection of ours is given a context.
    """
    type.__setattr__(ssl.SSLContext, _READS_CERTIFICATES, lambda _context: None)
    try:
        yield
    finally:
        type.__delattr__(ssl.SSLContext, _READS_CERTIFICATES)  # what it hid is its parent's
