"""The event stream of PyYAML: on libyaml where it is there, on the pure parser elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

Event: TypeAlias = Any
"""An event of PyYAML; which fields it carries depends on its class."""

Value: TypeAlias = Any
"""What YAML can hold: text, numbers, dates, lists, mappings, nothing."""

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys and indices from the root of its document."""


class Mark(Protocol):
    """A place in the text: all counts from 0, in characters."""

    @property
    def index(self) -> int:
        """Characters before it in the text."""
        ...

    @property
    def line(self) -> int:
        """Lines before it."""
        ...

    @property
    def column(self) -> int:
        """Characters before it in its line."""
        ...


class Parser(Protocol):
    """Whichever parser makes the events."""

    def get_event(self) -> Event:
        """Return the next event, or raise `yaml.YAMLError`."""
        ...


PARSER: Callable[[str], Parser] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def name_of(path: Path) -> str:
    """Return what people call the value at a path: the keys below the connection, or the last one."""
    match path:
        case ("connections", _, _, *_):
            below = path[2:]
        case _:
            below = path
    return ".".join(str(step)[:80] for step in below if isinstance(step, str))
