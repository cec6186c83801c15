"""YAML events → where every value stands; worked out only when there is something to say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.manifests.events import PARSER
from reconciler.manifests.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.manifests.events import Event, Parser, Path


@dataclass(slots=True)
class Place:
    """Where a value stands, where its key stands, and what is below it.

    ``text`` is the scalar as YAML understands it; ``plain`` tells that it has no quotes.
    """

    span: Span
    key: Span | None = None
    text: str = ""
    plain: bool = False
    children: dict[str | int, Place] = field(default_factory=dict)

    def find(self, path: Path) -> Place:
        """Return the place of a value, or of the nearest one above it that exists."""
        place = self
        for step in path:
            below = place.children.get(step)
            if below is None:
                break
            place = below
        return place

    def has(self, path: Path) -> bool:
        """Tell whether there is a value with exactly this path."""
        place: Place | None = self
        for step in path:
            place = place.children.get(step) if place else None
        return place is not None


@dataclass(slots=True)
class Places:
    """One place for each document, as far as the text can be read.

    ``duplicates`` leads from where a key is repeated (an offset) to where it stands first.
    """

    documents: list[Place] = field(default_factory=list)
    duplicates: dict[int, Span] = field(default_factory=dict)


def find_places(text: str, max_depth: int, parser: Callable[[str], Parser] = PARSER) -> Places:
    """Return where everything stands in a text."""
    places = Places()
    # whoever read the values has already said what is wrong
    with suppress(yaml.YAMLError, ValueError, OverflowError, _TooDeep):
        _Walker(parser(text), max_depth, places).documents()
    return places


class _TooDeep(Exception):
    """Nested deeper than values are ever read."""


class _Walker:
    def __init__(self, parser: Parser, max_depth: int, places: Places) -> None:
        self._places = places
        self._get = parser.get_event
        self._max_depth = max_depth
        self._anchors: dict[str, Place] = {}

    def documents(self) -> None:
        while (event := self._get()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                self._anchors = {}
                event = self._get()
                place = _place(event)
                self._places.documents.append(place)
                self._fill(place, event, 1)

    def _fill(self, place: Place, event: Event, depth: int) -> None:
        """Add what is below a place; the place is known before, so that broken files have places too."""
        if event.__class__ is AliasEvent:
            self._follow(place, event)
            return
        if event.anchor is not None:
            self._anchors[event.anchor] = place
        if event.__class__ is ScalarEvent:
            return
        if depth > self._max_depth:
            raise _TooDeep
        if event.__class__ is MappingStartEvent:
            self._mapping(place, depth)
        elif event.__class__ is SequenceStartEvent:
            self._sequence(place, depth)

    def _follow(self, place: Place, event: Event) -> None:
        anchored = self._anchors.get(event.anchor)
        if anchored is not None:
            place.children, place.text, place.plain = anchored.children, anchored.text, anchored.plain

    def _mapping(self, place: Place, depth: int) -> None:
        while (key := self._get()).__class__ is not MappingEndEvent:
            key_place = _place(key)
            self._fill(key_place, key, depth + 1)
            event = self._get()
            value = _place(event, key_place.span)
            if key.__class__ is ScalarEvent:
                first = place.children.setdefault(key.value, value)
                if first is not value and first.key:
                    self._places.duplicates[key_place.span.start] = first.key
            self._fill(value, event, depth + 1)

    def _sequence(self, place: Place, depth: int) -> None:
        while (event := self._get()).__class__ is not SequenceEndEvent:
            item = _place(event)
            place.children[len(place.children)] = item
            self._fill(item, event, depth + 1)


def _place(event: Event, key: Span | None = None) -> Place:
    span = Span(event.start_mark.index, event.end_mark.index)
    if event.__class__ is not ScalarEvent:
        return Place(span, key)
    return Place(span, key, text=event.value, plain=not event.style)
