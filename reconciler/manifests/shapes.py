"""What a definition allows at a path: the known keys, the choices."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from reconciler.manifests.events import Path

_NOTHING: Final = type(None)


def known_keys(definition: type, path: Path) -> tuple[str, ...]:
    """Return the keys that a mapping at ``path`` may have; none if it is free, or no mapping."""
    shape = _shape(definition, path)
    return tuple(_hints(shape)) if is_record(shape) else ()


def holds_keys(definition: type, path: Path) -> bool:
    """Tell whether the value at ``path`` is a mapping."""
    shape = _shape(definition, path)
    return is_record(shape) or get_origin(shape) is dict


def choices(definition: type, path: Path) -> tuple[str, ...]:
    """Return the values of which the one at ``path`` has to be one, in order."""
    shape = _shape(definition, path)
    return tuple(map(str, get_args(shape))) if get_origin(shape) is Literal else ()


def is_record(form: object) -> TypeGuard[type]:
    """Tell whether a type is a `TypedDict`, of whichever library."""
    return isinstance(form, type) and issubclass(form, dict) and hasattr(form, "__required_keys__")


def required_keys(definition: type) -> frozenset[str]:
    """Return the keys that a mapping of this definition cannot lack."""
    required: frozenset[str] = vars(definition)["__required_keys__"]
    return required


def _shape(definition: type, path: Path) -> Any:  # noqa: ANN401 - type forms have no common type
    shape: Any = definition
    for step in path:
        if is_record(shape):
            shape = _hints(shape).get(str(step), _NOTHING)
        else:
            shape = get_args(shape)[-1] if get_args(shape) else _NOTHING
    return shape


@lru_cache(maxsize=32)
def _hints(definition: type) -> dict[str, Any]:
    return get_type_hints(definition)
