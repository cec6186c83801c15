"""Types and settings that the pydantic models share, and the look-up of their fields at a path."""

from __future__ import annotations

import re
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, InstanceOf, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import is_typeddict

from reconciler.core.secret import SecretReference
from reconciler.manifests.text_patterns import ENDPOINT, PLACEHOLDER, TRIMMED
from reconciler.manifests.yaml_reader import YamlScalarKind
from reconciler.secrets import SCHEMES

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from reconciler.manifests.yaml_reader import Path


STRICT: Final = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
"""No other keys, no converted values, and no values in error messages."""

EXCLUDED_PATTERN: Final = "excluded_pattern"
"""The type of pydantic's error about text that `without` rejects."""

COMMAS_IN_SCOPES: Final = "commas_in_scopes"
"""The type of pydantic's error about scopes that are separated by commas."""

LONGEST_TEXT: Final = 2048

ONE_ID: Final = "\0one ID"
BY_ENVIRONMENT: Final = "\0by environment"
"""The two forms of a pin, as pydantic's locations of errors name them; no YAML holds such a key."""

_REFERENCE: Final = r"\$\{[a-z][a-z0-9-]*:[^{}]+\}"
_SECRET: Final = rf"(?:^|[^$])\$\{{(?:{'|'.join(SCHEMES)}):[^{{}}]+\}}"


class AcceptsReference:
    """Says in the JSON Schema that the text may contain a reference, which is replaced before validation."""

    def __init__(self, text_format: str = "", excluded: str = "") -> None:
        self._format = {"format": text_format} if text_format else {}
        self._excluded = {"not": {"pattern": excluded}} if excluded else {}

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of the value or of a reference."""
        schema = {**handler(core_schema), **self._format, **self._excluded}
        return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "string", "pattern": _REFERENCE}]}


def is_endpoint(url: str) -> bool:
    """Tell whether a manifest could declare a URL as an endpoint, so that a file can say what is live."""
    is_complete = len(url) <= LONGEST_TEXT and re.fullmatch(ENDPOINT, url)
    return bool(is_complete) and not re.search(PLACEHOLDER, url)


def without(pattern: str) -> AfterValidator:
    """Return a validator that rejects text in which ``pattern`` is found."""

    def check(value: str) -> str:
        if re.search(pattern, value):
            raise PydanticCustomError(EXCLUDED_PATTERN, "excluded pattern", {"pattern": pattern})
        return value

    return AfterValidator(check)


def kind_of_ids(value: object) -> str:
    """Return which of the two forms of a pin a value has."""
    return BY_ENVIRONMENT if isinstance(value, dict) else ONE_ID


def read_off(value: object) -> object:
    """Return ``off`` for a bare ``off``, which YAML 1.1 takes for a boolean."""
    return "off" if value is YamlScalarKind.OFF else value


Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=TRIMMED)]
SecretField: TypeAlias = Annotated[
    InstanceOf[SecretReference], WithJsonSchema({"type": "string", "pattern": _SECRET})
]
DiscoveryMode: TypeAlias = Annotated[Literal["off", "report", "enforce"], BeforeValidator(read_off)]


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
