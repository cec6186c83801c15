"""YAML events → plain values, within limits, and without keeping places."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.manifests.events import PARSER
from reconciler.manifests.scalars import NUMERIC_STARTS, WORDS, read_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.manifests.events import Event, Mark, Parser, Value
    from reconciler.manifests.limits import ReadLimits

MERGE_KEY: Final = "<<"

_PLAIN_KEYS: Final[set[str]] = set()
"""Keys that were looked at before, and are text in any style; the same few recur in all files."""

_MOST_PLAIN_KEYS: Final = 1024


class Unusable(Enum):
    """Stands where a value was that a flaw already speaks of, so that nothing is said twice."""

    UNUSABLE = "unusable"


UNUSABLE: Final = Unusable.UNUSABLE


class Flaw(NamedTuple):
    """What values cannot show: a finding about the way something is written."""

    code: str
    start: Mark
    end: Mark
    subject: str = ""


class TooMuch(Exception):
    """A limit is exceeded; reading stops here."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.code)
        self.flaw = flaw


@dataclass(slots=True, eq=False, repr=False)
class Document:
    """One YAML document. ``marks`` holds where each key below ``connections`` stands."""

    value: Value
    start: Mark
    is_empty: bool = False
    marks: dict[str, Mark] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class Composed:
    """All documents of a file, as far as they could be read, with what is wrong in the writing."""

    documents: list[Document] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    error: yaml.YAMLError | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.flaws and self.error is None


def compose(text: str, limits: ReadLimits, parser: Callable[[str], Parser] = PARSER) -> Composed:
    """Read all documents of a text. Never raises for what the text holds."""
    composed = Composed()
    try:
        composer = _Composer(parser(text), limits, composed)
        composer.documents()
    except TooMuch as stop:
        composed.flaws.append(stop.flaw)
    except yaml.YAMLError as error:
        composed.error = error
    except (ValueError, OverflowError) as error:
        # the pure parser: chr() of an escape beyond Unicode
        composed.error = yaml.YAMLError(str(error))
    return composed


class _Anchored(NamedTuple):
    """A value with an anchor: how many nodes it has, and how many levels are below it."""

    value: Value
    nodes: int
    height: int


class _Composer:
    """Walks the events of one file. Methods take the event that opens what they read."""

    __slots__ = (
        "_aliases",
        "_anchors",
        "_composed",
        "_deepest",
        "_get",
        "_limits",
        "_marks",
        "_nodes",
    )

    def __init__(self, parser: Parser, limits: ReadLimits, composed: Composed) -> None:
        self._get = parser.get_event
        self._limits = limits
        self._composed = composed
        self._aliases = 0
        self._nodes = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchored | None] = {}
        self._marks: dict[str, Mark] = {}

    def documents(self) -> None:
        while (event := self._get()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                self._document()

    def _document(self) -> None:
        self._anchors = {}
        self._marks = {}
        event = self._get()
        document = Document(None, event.start_mark, is_empty=_is_empty(event), marks=self._marks)
        document.value = self._node(event, 1)
        self._composed.documents.append(document)

    def _node(self, event: Event, depth: int) -> Value:
        if event.__class__ is AliasEvent:
            return self._alias(event, depth)
        if event.anchor is None:
            return self._content(event, depth)
        return self._anchored(event, depth)

    def _anchored(self, event: Event, depth: int) -> Value:
        """Read a value that aliases may repeat, and measure it."""
        self._anchors[event.anchor] = None
        nodes, deepest = self._nodes, self._deepest
        self._deepest = depth
        value = self._content(event, depth)
        self._anchors[event.anchor] = _Anchored(value, self._nodes - nodes, self._deepest - depth)
        self._deepest = max(deepest, self._deepest)
        return value

    def _content(self, event: Event, depth: int) -> Value:
        if event.tag is not None:
            self._flaw("unsupported-tag", event, event.tag)
            self._untagged(event, depth)
            return UNUSABLE
        return self._untagged(event, depth)

    def _untagged(self, event: Event, depth: int) -> Value:
        if event.__class__ is ScalarEvent:
            self._nodes += 1
            return event.value if event.style else read_plain(event.value)
        if depth > self._limits.max_depth:
            raise TooMuch(_flaw("too-deep", event, str(self._limits.max_depth)))
        self._deepest = max(self._deepest, depth)
        if event.__class__ is MappingStartEvent:
            return self._mapping(depth, None)
        return self._sequence(depth)

    def _mapping(self, depth: int, marks: dict[str, Mark] | None) -> dict[str, Value]:
        """Read to the end of a mapping. The hot loop: what is rare is left to other methods."""
        values: dict[str, Value] = {}
        key: str | None
        get, names = self._get, _PLAIN_KEYS
        while (key_event := get()).__class__ is not MappingEndEvent:
            if (
                key_event.__class__ is ScalarEvent
                and key_event.value in names
                and key_event.tag is None
                and key_event.anchor is None
            ):
                key = key_event.value
            else:
                key = self._key(key_event, depth)
            event = get()
            value: Value
            if event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
                value = event.value
                if not event.style and (value in WORDS or value[0] in NUMERIC_STARTS):
                    value = read_plain(value)
            elif depth == 1 and key == "connections" and _is_bare_mapping(event):
                value = self._mapping(2, self._marks)
            else:
                value = self._node(event, depth + 1)
            if key in values:
                self._flaw("duplicate-key", key_event, key)
            elif key is not None:
                values[key] = value
                if marks is not None:
                    marks[key] = key_event.start_mark
        self._count(2 * len(values) + 1, key_event)
        return values

    def _sequence(self, depth: int) -> list[Value]:
        values: list[Value] = []
        value: Value
        while (event := self._get()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
                value = event.value
                if not event.style and (value in WORDS or value[0] in NUMERIC_STARTS):
                    value = read_plain(value)
            else:
                value = self._node(event, depth + 1)
            values.append(value)
        self._count(len(values) + 1, event)
        return values

    def _key(self, event: Event, depth: int) -> str | None:
        """Return the text of a key, or None for a key that is no text at all."""
        if event.__class__ is not ScalarEvent:
            self._flaw("complex-key", event)
            self._node(event, depth + 1)
            return None
        key: str = event.value
        if event.tag is not None:
            self._flaw("unsupported-tag", event, event.tag)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(key, 1, 0)
        if key in WORDS or key[0] in NUMERIC_STARTS or key == MERGE_KEY:
            return key if event.style else self._plain_key(event)
        if len(_PLAIN_KEYS) < _MOST_PLAIN_KEYS:
            _PLAIN_KEYS.add(key)
        return key

    def _plain_key(self, event: Event) -> str | None:
        if event.value == MERGE_KEY:
            self._flaw("merge-key", event)
            return None
        if not isinstance(read_plain(event.value), str):
            self._flaw("unquoted-key", event, event.value)
        return str(event.value)

    def _alias(self, event: Event, depth: int) -> Value:
        self._aliases += 1
        if self._aliases > self._limits.max_aliases:
            raise TooMuch(_flaw("too-many-aliases", event, str(self._limits.max_aliases)))
        if event.anchor not in self._anchors:
            self._flaw("undefined-alias", event, event.anchor)
            return UNUSABLE
        anchored = self._anchors[event.anchor]
        if anchored is None:
            self._flaw("recursive-alias", event, event.anchor)
            return UNUSABLE
        self._deepest = max(self._deepest, depth + anchored.height)
        if self._deepest > self._limits.max_depth:
            raise TooMuch(_flaw("too-deep", event, str(self._limits.max_depth)))
        self._count(anchored.nodes, event)
        return anchored.value

    def _count(self, nodes: int, event: Event) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.max_nodes:
            raise TooMuch(_flaw("too-many-nodes", event, str(self._limits.max_nodes)))

    def _flaw(self, code: str, event: Event, subject: str = "") -> None:
        self._composed.flaws.append(_flaw(code, event, subject))


def _flaw(code: str, event: Event, subject: str = "") -> Flaw:
    return Flaw(code, event.start_mark, event.end_mark, subject)


def _is_empty(event: Event) -> bool:
    return event.__class__ is ScalarEvent and not event.value and not event.style


def _is_bare_mapping(event: Event) -> bool:
    return event.__class__ is MappingStartEvent and event.tag is None and event.anchor is None
