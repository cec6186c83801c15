"""What a value of a manifest has to be like, beyond its type.

These stand in ``Annotated`` types. The recogniser reads their fields; pydantic, which is imported
only to explain what is wrong and to export the JSON Schema, finds its own hooks in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Definition = TypeVar("Definition", bound=type)


class Fits(NamedTuple):
    """A text that a pattern matches as a whole, of 1 to ``longest`` characters if that is given."""

    pattern: str
    longest: int | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Add the bounds to the schema of a text."""
        lengths = {} if self.longest is None else {"min_length": 1, "max_length": self.longest}
        return _with(handler(source), pattern=self.pattern, **lengths)


class Within(NamedTuple):
    """A number within bounds; ``more_than`` excludes its bound, the others include theirs."""

    at_least: int | None = None
    more_than: int | None = None
    at_most: int | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Add the bounds to the schema of a number."""
        bounds = {"ge": self.at_least, "gt": self.more_than, "le": self.at_most}
        return _with(handler(source), **{key: one for key, one in bounds.items() if one is not None})

    def holds(self, number: float) -> bool:
        """Whether the number is within."""
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.more_than is None or number > self.more_than)
            and (self.at_most is None or number <= self.at_most)
        )


class NotEmpty(NamedTuple):
    """A list with at least one entry."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Add the bound to the schema of a list."""
        return _with(handler(source), min_length=1)


class ReadBy(NamedTuple):
    """A value that a function turns into what is meant first; it raises `ValueError` where it cannot."""

    function: Callable[[object], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put the function before the validation."""
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self.function, handler(source))


class Unless(NamedTuple):
    """A value of ``kind`` is left as it is: what it stands for is checked once it is read."""

    kind: type

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put the choice around the validation."""
        from pydantic_core.core_schema import no_info_wrap_validator_function

        def choose(value: object, check: Callable[[object], object]) -> object:
            return value if isinstance(value, self.kind) else check(value)

        return no_info_wrap_validator_function(choose, handler(source))


class Documented(NamedTuple):
    """What people are told of a value; ``schema`` stands for what JSON Schema would say by itself."""

    description: str = ""
    examples: tuple[object, ...] = ()
    schema: dict[str, Any] | None = None

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the words, with the schema."""
        told = {"description": self.description, "examples": list(self.examples)}
        schema = handler(core_schema) if self.schema is None else self.schema
        return {**{key: one for key, one in told.items() if one}, **schema}


def closed(definition: Definition) -> Definition:
    """Make a `TypedDict` admit no other keys, and no value that would have to be converted."""
    configuration = {
        "extra": "forbid",
        "strict": True,
        "hide_input_in_errors": True,
        "arbitrary_types_allowed": True,
    }
    type.__setattr__(definition, "__pydantic_config__", configuration)  # where pydantic looks for it
    return definition


def _with(schema: CoreSchema, **more: object) -> CoreSchema:
    return {**schema, **more}
