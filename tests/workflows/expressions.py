"""Evaluates the expressions of workflows, by the rules of GitHub's runner."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Context = dict[str, Any]

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|&&|\|\||==|!=|[!(),]|[\w.-]+")
_STATUS = re.compile(r"\b(?:always|cancelled|success|failure)\(\)")


def expand(text: str, context: Context) -> str:
    """Replace the expressions in a text with their values."""
    return _EXPRESSION.sub(lambda match: as_text(evaluate(match[1], context)), text)


def holds(condition: str, context: Context) -> bool:
    """Evaluate an ``if``: without a function about the status it means that nothing has failed."""
    bare = _EXPRESSION.sub(lambda match: match[1], condition)
    if not _STATUS.search(bare):
        bare = f"success() && ({bare})"
    return bool(evaluate(bare, context))


def evaluate(expression: str, context: Context) -> Any:
    """Return the value of an expression; ``context`` holds ``status``, success or failure."""
    reader = _Reader(_TOKEN.findall(expression), context)
    assert "".join(reader.tokens) == re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", expression), expression
    value = reader.alternative()
    assert not reader.tokens, expression
    return value


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, tokens: list[str], context: Context) -> None:
        self.tokens = tokens
        self.context = context

    def alternative(self) -> Any:
        value = self.conjunction()
        while self.takes("||"):
            right = self.conjunction()
            value = value or right
        return value

    def conjunction(self) -> Any:
        value = self.comparison()
        while self.takes("&&"):
            right = self.comparison()
            value = value and right
        return value

    def comparison(self) -> Any:
        value = self.operand()
        for sign, is_equal in (("==", True), ("!=", False)):
            if self.takes(sign):
                return (_comparable(value) == _comparable(self.operand())) is is_equal
        return value

    def operand(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return not self.operand()
        if token == "(":
            value = self.alternative()
            assert self.takes(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self.takes("("):
            return self.call(token)
        return {"true": True, "false": False, "null": ""}.get(token, self.lookup(token))

    def call(self, name: str) -> Any:
        arguments = []
        while not self.takes(")"):
            arguments.append(self.alternative())
            self.takes(",")
        status = self.context["status"]
        functions: dict[str, Callable[..., Any]] = {
            "always": lambda: True,
            "cancelled": lambda: False,
            "success": lambda: status == "success",
            "failure": lambda: status == "failure",
            "format": lambda text, *values: text.format(*map(as_text, values)),
        }
        return functions[name](*arguments)

    def lookup(self, path: str) -> Any:
        value: Any = self.context
        for name in path.split("."):
            value = value.get(name, "") if isinstance(value, dict) else ""
        return value

    def takes(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True


def _comparable(value: Any) -> Any:
    """Return text without its case; everything else compares as a number, and nothing is 0."""
    if isinstance(value, str) and value:
        return value.casefold()
    return float(value or 0) if not isinstance(value, dict) else math.nan


def as_text(value: Any) -> str:
    """Return a value as it is put into a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
