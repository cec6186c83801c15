"""Looks up the fields of a pydantic model: keys, choices and types at a path of a document."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict

if TYPE_CHECKING:
    from reconciler.manifests.yaml_reader import Path


def has_field(model: type, path: Path) -> bool:
    """Whether a model has a value at ``path``, so that no key on the way to it is unknown."""
    return _type_at(model, path) is not None


def known_keys(model: type, path: Path) -> tuple[str, ...]:
    """Return the keys of the mapping at ``path``; none if it has free keys, or is no mapping."""
    form = _type_at(model, path)
    return tuple(_hints(form)) if is_typeddict(form) else ()


def is_mapping(model: type, path: Path) -> bool:
    """Whether the value at ``path`` is a mapping."""
    form = _type_at(model, path)
    return is_typeddict(form) or get_origin(_mapping_of(form)) is dict


def choices(model: type, path: Path) -> tuple[str, ...]:
    """Return the values that are allowed at ``path``, in order; none if it is not a choice."""
    form = _type_at(model, path)
    return tuple(map(str, get_args(form))) if get_origin(form) is Literal else ()


def _type_at(model: type, path: Path) -> Any:  # noqa: ANN401 - types have no common type
    form: Any = model
    for step in path:
        form = _hints(form).get(str(step)) if is_typeddict(form) else _element(_mapping_of(form))
    return form


def _element(form: object) -> object:
    return get_args(form)[-1] if get_args(form) else None


def _mapping_of(form: object) -> object:
    """Return the mapping among the alternatives of a union; other types are returned as they are."""
    if get_origin(form) not in {Union, UnionType}:
        return form
    return next((item for item in get_args(form) if get_origin(item) is dict), None)


@cache
def _hints(model: type) -> dict[str, Any]:
    return get_type_hints(model)
