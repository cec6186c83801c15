"""Types and settings that the pydantic models of manifests and project file share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, InstanceOf, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.core.secret import SecretReference
from reconciler.manifests.text_patterns import TRIMMED
from reconciler.manifests.yaml_reader import YamlScalarKind
from reconciler.secrets import SCHEMES

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

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
