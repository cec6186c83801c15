"""Reads YAML into values with source locations, in one pass and within limits on size and depth."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from reconciler.manifests.source_file import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.codes import Code

Event: TypeAlias = Any
"""An event of PyYAML; its class decides which attributes it has."""

Value: TypeAlias = Any
"""What YAML can hold: text, numbers, dates, lists, mappings, nothing; or `INVALID`."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of a document to a value."""

LOADER: Final[type[Any]] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

MERGE_KEY: Final = "<<"

_NESTING_ERROR: Final = "exceeded maximum nesting depth"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Bounds for hostile input. ``max_nodes`` counts every value and key, with aliases expanded.

    The first five are per file; the last three are for all files of a run together.
    """

    max_bytes: int = 1024 * 1024
    max_depth: int = 16
    max_aliases: int = 1_000
    max_nodes: int = 200_000
    max_findings: int = 500

    max_files: int = 100_000
    max_total_bytes: int = 256 * 1024 * 1024
    max_all_findings: int = 2_000


class Invalid(Enum):
    """The type of `INVALID`."""

    INVALID = "invalid"


INVALID: Final = Invalid.INVALID
"""Replaces a value about which a finding exists, so that validation does not report it again."""


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A value and its place in the text, with the nodes below it.

    ``text`` is a scalar before YAML gives it a type; ``height`` counts the levels of nesting.
    """

    value: Value
    event: Event
    key: Event | None
    children: Mapping[str | int, Node]
    text: str = ""
    height: int = 0

    @property
    def span(self) -> Span:
        """Where the value is."""
        return _span(self.event)

    @property
    def key_span(self) -> Span | None:
        """Where its key is, if it has one."""
        return None if self.key is None else _span(self.key)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written here."""
        return self.value is None and self.span.start == self.span.end

    def has(self, path: Path) -> bool:
        """Whether there is a value at exactly this path."""
        node: Node | None = self
        for step in path:
            node = node.children.get(step) if node else None
        return node is not None

    def find(self, path: Path) -> Node:
        """Return the node at a path, or its nearest ancestor that exists."""
        node = self
        for step in path:
            child = node.children.get(step)
            if child is None:
                break
            node = child
        return node


_NO_CHILDREN: Final[Mapping[str | int, Node]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlProblem:
    """YAML that can be parsed, but is not accepted in a manifest. ``first`` is the other one of two keys."""

    code: Code
    span: Span
    subject: str = ""
    first: Span | None = None


@dataclass(slots=True)
class YamlFile:
    """The documents of a file, up to the first error."""

    documents: list[Node] = field(default_factory=list)
    problems: list[YamlProblem] = field(default_factory=list)
    error: yaml.YAMLError | None = None


def read_yaml(text: str, limits: ReadLimits, loader: type[Any] = LOADER) -> YamlFile:
    """Read all documents of a text. Never raises for what the text holds."""
    result = _read(text, limits, loader)
    if loader is not yaml.SafeLoader and _NESTING_ERROR in str(result.error):
        # from PyYAML 6.0.4 on, libyaml gives up before it yields the events up to our own limit
        return _read(text, limits, yaml.SafeLoader)
    return result


def _read(text: str, limits: ReadLimits, loader: type[Any]) -> YamlFile:
    result = YamlFile()
    try:
        _Reader(yaml.parse(text, Loader=loader), limits, result).read()
    except _LimitExceeded as stop:
        result.problems.append(stop.problem)
    except yaml.YAMLError as error:
        result.error = error
    except (ValueError, OverflowError) as error:
        # the pure parser: chr() of an escape beyond Unicode
        result.error = yaml.YAMLError(str(error))
    return result


class _LimitExceeded(Exception):
    """A limit is exceeded; reading stops here."""

    def __init__(self, problem: YamlProblem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A node that aliases may repeat, and how many nodes it holds."""

    node: Node
    size: int


class _Reader:
    """Builds the nodes of one file. Its methods take the event that begins what they read."""

    def __init__(self, events: Iterator[Event], limits: ReadLimits, result: YamlFile) -> None:
        self._events = events
        self._limits = limits
        self._result = result
        self._anchors: dict[str, _Anchor | None] = {}
        self._alias_count = 0
        self._node_count = 0

    def read(self) -> None:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors = {}
                self._result.documents.append(self._node(next(self._events), 1))

    def _node(self, event: Event, depth: int, key: Event | None = None) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth, key)
        if event.anchor is None:
            return self._content(event, depth, key)
        self._anchors[event.anchor] = None  # until it is complete, an alias of it would be recursive
        count_before = self._node_count
        node = self._content(event, depth, key)
        self._anchors[event.anchor] = _Anchor(node, 1 + self._node_count - count_before)
        return node

    def _content(self, event: Event, depth: int, key: Event | None) -> Node:
        if event.tag is not None:
            self._report("unsupported-tag", event, event.tag)
        if isinstance(event, ScalarEvent):
            text = sys.intern(
                event.value
            )  # keys, scopes and providers recur: this saves a fifth of the memory
            value = text if event.style else read_plain(text)
            node = Node(value, event, key, _NO_CHILDREN, text=text)
        elif depth > self._limits.max_depth:
            raise self._exceeded("too-deep", event, self._limits.max_depth)
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(event, depth, key)
        else:
            node = self._sequence(event, depth, key)
        if event.tag is not None:
            node.value = INVALID
        return node

    def _mapping(self, event: Event, depth: int, key: Event | None) -> Node:
        values: dict[str, Value] = {}
        children: dict[str | int, Node] = {}
        height = 0
        while not isinstance(key_event := next(self._events), MappingEndEvent):
            self._count(2, key_event)
            name = self._key(key_event, depth)
            child = self._node(next(self._events), depth + 1, key_event)
            height = max(height, child.height)
            if name in children:
                self._report("duplicate-key", key_event, name, first=children[name].key_span)
            elif name is not None:
                values[name] = child.value
                children[name] = child
        return Node(values, event, key, children, height=height + 1)

    def _sequence(self, event: Event, depth: int, key: Event | None) -> Node:
        children: dict[str | int, Node] = {}
        while not isinstance(item := next(self._events), SequenceEndEvent):
            self._count(1, item)
            children[len(children)] = self._node(item, depth + 1)
        values = [child.value for child in children.values()]
        height = max((child.height for child in children.values()), default=0)
        return Node(values, event, key, children, height=height + 1)

    def _key(self, event: Event, depth: int) -> str | None:
        """Return the text of a key, or None after reporting a key that cannot be used."""
        if not isinstance(event, ScalarEvent):
            self._report("complex-key", event)
            self._node(event, depth + 1)
            return None
        text = sys.intern(event.value)
        if event.tag is not None:
            self._report("unsupported-tag", event, event.tag)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(Node(text, event, None, _NO_CHILDREN, text=text), 1)
        if not event.style and text == MERGE_KEY:
            self._report("merge-key", event)
            return None
        if not event.style and not isinstance(read_plain(text), str):
            self._report("unquoted-key", event, text)
        return text

    def _alias(self, event: Event, depth: int, key: Event | None) -> Node:
        self._alias_count += 1
        if self._alias_count > self._limits.max_aliases:
            raise self._exceeded("too-many-aliases", event, self._limits.max_aliases)
        if event.anchor not in self._anchors:
            self._report("undefined-alias", event, event.anchor)
            return Node(INVALID, event, key, _NO_CHILDREN)
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self._report("recursive-alias", event, event.anchor)
            return Node(INVALID, event, key, _NO_CHILDREN)
        node = anchor.node
        if depth - 1 + node.height > self._limits.max_depth:
            raise self._exceeded("too-deep", event, self._limits.max_depth)
        self._count(anchor.size, event)
        return Node(node.value, event, key, node.children, text=node.text, height=node.height)

    def _count(self, nodes: int, event: Event) -> None:
        self._node_count += nodes
        if self._node_count > self._limits.max_nodes:
            raise self._exceeded("too-many-nodes", event, self._limits.max_nodes)

    def _report(self, code: Code, event: Event, subject: str = "", first: Span | None = None) -> None:
        problem = YamlProblem(code=code, span=_span(event), subject=subject, first=first)
        self._result.problems.append(problem)

    def _exceeded(self, code: Code, event: Event, limit: int) -> _LimitExceeded:
        return _LimitExceeded(YamlProblem(code=code, span=_span(event), subject=str(limit)))


def _span(event: Event) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)


class YamlScalarKind(Enum):
    """The kinds of plain scalars that YAML readers take for another type than text, and no field accepts."""

    NUMBER = "a number"
    DATE_AND_TIME = "a date and time"
    DATE = "a date that does not exist"
    OFF = "off"


Scalar: TypeAlias = str | bool | int | float | date | YamlScalarKind | None

WORDS: Final[dict[str, bool | YamlScalarKind | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **{form: True for word in ("true", "yes", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.title(), word.upper())},
    "off": YamlScalarKind.OFF,
}
"""The plain words that are not text in YAML 1.1, which most tools read.

A bare ``off`` is kept apart, since it is also the value of a setting.
"""

NUMERIC_STARTS: Final = frozenset("+-.0123456789")

_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# YAML 1.1 and 1.2 taken together: octal, hexadecimal, binary, sexagesimal, exponents, infinity
_OTHER_NUMBER: Final = re.compile(
    r"[+-]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]*[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?"
    r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_DATE_AND_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*)?"
)


def read_plain(text: str) -> Scalar:
    """Return the value of a plain scalar; text stays text."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in NUMERIC_STARTS:
        return text
    return _read_numeric(text)


def _read_numeric(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        return parse_date(text) or YamlScalarKind.DATE
    if _OTHER_NUMBER.fullmatch(text):
        return YamlScalarKind.NUMBER
    if _DATE_AND_TIME.fullmatch(text):
        return YamlScalarKind.DATE_AND_TIME
    return text


def parse_date(text: str) -> date | None:
    """Return the date written as ``YYYY-MM-DD``, or None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
