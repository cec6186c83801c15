"""Recognises documents that are right, without the validator that explains what is wrong.

Nearly every document is right, and pydantic takes longer to import than a thousand of them to read.
So what a definition says is first held against a document here: the same types, the same constraints.
Whatever is not recognised is left to pydantic, which has the last word.
"""

from __future__ import annotations

import builtins
import re
import typing
from enum import Enum
from typing import TYPE_CHECKING, Final, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from reconciler.core.secret import SecretReference
from reconciler.manifests.constraints import Documented, Fits, NotEmpty, ReadBy, Unless, Within
from reconciler.manifests.shapes import is_record, required_keys
from reconciler.manifests.text import ORIGIN
from reconciler.secrets.references import OPENING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.manifests.events import Value

    Recogniser = Callable[[Value], Value]
    """Returns the value in the shape of its definition, or `UNRECOGNISED`."""

    ReadSecret = Callable[[str], SecretReference | None]
    """Returns the reference that a text is, or None if it is none, or not only that."""


class _Unrecognised(Enum):
    UNRECOGNISED = "unrecognised"


UNRECOGNISED: Final = _Unrecognised.UNRECOGNISED

_NOTHING: Final[set[str]] = set()
_REMEMBERED: Final = 256
_SHORT: Final = 32
"""As many texts of one kind are remembered, of so many characters: scopes and claims recur."""

_KNOWN: Final[WeakKeyDictionary[Recogniser, set[str]]] = WeakKeyDictionary()
"""What each recogniser of texts remembers; lists and mappings of nothing else need no second look."""

_ORIGINS: Final[set[str]] = set()
"""Origins of URLs that were recognised: those of one connection have theirs in common."""

_MOST_ORIGINS: Final = 1024
_SCHEME: Final = len("https://")

_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half a character is no text."""


def recogniser(definition: type, read_secret: ReadSecret | None = None) -> Recogniser:
    """Return what recognises values of a definition.

    With ``read_secret`` they are as they were written: it reads texts where a secret belongs, and no
    other text with a reference in it is recognised.
    """
    return _of(definition, read_secret)


def _of(form: object, read_secret: ReadSecret | None) -> Recogniser:
    arguments = get_args(form)
    match get_origin(form):
        case typing.Annotated:
            return _constrained(arguments[0], arguments[1:], read_secret)
        case typing.Required:
            return _of(arguments[0], read_secret)
        case typing.Literal:
            return _one_of(frozenset(arguments))
        case builtins.list:
            return _list(_of(arguments[0], read_secret))
        case builtins.dict:
            return _mapping(_of(arguments[0], read_secret), _of(arguments[1], read_secret))
        case _:
            return _record(form, read_secret) if is_record(form) else _plain(form, read_secret)


def _constrained(form: object, constraints: tuple[object, ...], read_secret: ReadSecret | None) -> Recogniser:
    recognise = _of(form, read_secret)
    for one in constraints:
        match one:
            case Fits():
                fitting = _fitting(one, may_refer=read_secret is None)
                is_url = one.pattern.startswith(f"^{ORIGIN}")
                recognise = _url(one, fitting) if is_url else fitting
            case Within():
                recognise = _only_if(one.holds, recognise)
            case NotEmpty():
                recognise = _only_if(bool, recognise)
            case ReadBy(function):
                recognise = _read(function, recognise)
            case Unless(kind):
                recognise = _either(_exactly(kind), recognise)
            case Documented():
                pass
            case _:
                raise TypeError(f"a constraint that nothing here knows: {one!r}")
    return recognise


def _record(definition: type, read_secret: ReadSecret | None) -> Recogniser:
    """Recognise a mapping with known keys."""
    hints = get_type_hints(definition, include_extras=True)
    readers = {name: _of(form, read_secret) for name, form in hints.items()}
    required = required_keys(definition)

    def recognise(value: Value) -> Value:
        if value.__class__ is not dict or (required and not required <= value.keys()):
            return UNRECOGNISED
        return _entries(value, readers.get)

    return recognise


def _mapping(key: Recogniser, below: Recogniser) -> Recogniser:
    """Recognise a mapping with any keys of a kind; a key is a text, which is left as it is."""
    known_keys, known = _KNOWN.get(key, _NOTHING), _KNOWN.get(below, _NOTHING)

    def reader_of(name: str) -> Recogniser | None:
        return None if key(name) is UNRECOGNISED else below

    def recognise(value: Value) -> Value:
        if value.__class__ is not dict:
            return UNRECOGNISED
        if known and known_keys.issuperset(value) and _are_among(known, value.values()):
            return value
        return _entries(value, reader_of)

    return recognise


def _entries(values: dict[str, Value], reader_of: Callable[[str], Recogniser | None]) -> Value:
    """Return a mapping with its values read; as it is, if that changes none of them. The hot loop."""
    changed = {}
    for key, given in values.items():
        reader = reader_of(key)
        if reader is None:
            return UNRECOGNISED
        found = reader(given)
        if found is not given:
            if found is UNRECOGNISED:
                return UNRECOGNISED
            changed[key] = found
    return {**values, **changed} if changed else values


def _list(entry: Recogniser) -> Recogniser:
    known = _KNOWN.get(entry, _NOTHING)

    def recognise(value: Value) -> Value:
        if value.__class__ is not list:
            return UNRECOGNISED
        if known and _are_among(known, value):
            return value
        found = [entry(given) for given in value]
        return UNRECOGNISED if UNRECOGNISED in found else found

    return recognise


def _are_among(known: set[str], values: Iterable[Value]) -> bool:
    try:
        return known.issuperset(values)
    except TypeError:  # a list or a mapping, which is no text
        return False


def _fitting(fits: Fits, *, may_refer: bool) -> Recogniser:
    match = re.compile(fits.pattern).fullmatch
    longest = fits.longest
    known: set[str] = set()

    def recognise(value: Value) -> Value:
        if value.__class__ is not str:
            return UNRECOGNISED
        if value in known:
            return value
        if not may_refer and OPENING in value:
            return UNRECOGNISED
        if match(value) is None or (longest is not None and len(value) > longest):
            return UNRECOGNISED
        if not value.isascii() and _HALF.search(value):
            return UNRECOGNISED
        if len(value) <= _SHORT and len(known) < _REMEMBERED:
            known.add(value)
        return value

    _KNOWN[recognise] = known
    return recognise


def _url(fits: Fits, fitting: Recogniser) -> Recogniser:
    """Recognise a URL; behind an origin that is known, only the rest is looked at."""
    is_origin = re.compile(ORIGIN).fullmatch
    is_rest = re.compile(fits.pattern.removeprefix(f"^{ORIGIN}").removesuffix("$")).fullmatch

    def recognise(value: Value) -> Value:
        origin = value[: value.find("/", _SCHEME)] if value.__class__ is str else ""
        if origin in _ORIGINS and is_rest(value, len(origin)) and len(value) <= (fits.longest or len(value)):
            return value
        found = fitting(value)
        if found is not UNRECOGNISED and is_origin(origin):
            if len(_ORIGINS) >= _MOST_ORIGINS:
                _ORIGINS.clear()
            _ORIGINS.add(origin)
        return found

    return recognise


def _one_of(values: frozenset[str]) -> Recogniser:
    return lambda value: value if value.__class__ is str and value in values else UNRECOGNISED


def _plain(kind: object, read_secret: ReadSecret | None) -> Recogniser:
    if kind is SecretReference and read_secret is not None:
        return _secret(read_secret)
    return _float if kind is float else _exactly(kind)


def _secret(read_secret: ReadSecret) -> Recogniser:
    def recognise(value: Value) -> Value:
        found = read_secret(value) if value.__class__ is str else None
        return UNRECOGNISED if found is None else found

    return recognise


def _exactly(kind: object) -> Recogniser:
    return lambda value: value if value.__class__ is kind else UNRECOGNISED


def _float(value: Value) -> Value:
    return float(value) if value.__class__ in {int, float} else UNRECOGNISED


def _only_if(holds: Callable[[Value], bool], recognise: Recogniser) -> Recogniser:
    def checked(value: Value) -> Value:
        found = recognise(value)
        return found if found is UNRECOGNISED or holds(found) else UNRECOGNISED

    return checked


def _read(function: Callable[[object], object], recognise: Recogniser) -> Recogniser:
    def read(value: Value) -> Value:
        try:
            return recognise(function(value))
        except ValueError:
            return UNRECOGNISED

    return read


def _either(first: Recogniser, second: Recogniser) -> Recogniser:
    def recognise(value: Value) -> Value:
        found = first(value)
        return second(value) if found is UNRECOGNISED else found

    return recognise
