"""Hints that are commands are quoted for the shell: threats.md, "5 The same machine"."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import shell_word
from tests.docs.generators import PACKAGE

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

HOSTILE = (
    "$(touch owned)",
    "a;touch owned",
    "it's",
    'say "x"',
    "two words",
    "`id`",
    "a&b",
    "*",
    "~root",
    "-x $Y",
)
_OUR_OWN = {"_COMMIT", "accepted", "summary.destroy"}
"""A constant, and numbers."""

_COMMAND = re.compile(r"(?:--[a-z][a-z-]+|`reconciler [a-z]+)[ =]$")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_word_of_a_command_is_one_word(name: str) -> None:
    """Whatever an address or path holds, the shell reads one word and expands nothing."""
    assert shlex.split(f"apply {shell_word(name)}") == ["apply", name]


def test_the_option_that_accepts_a_risk_is_quoted(connected: Workplace) -> None:
    """An organization is named as a pull request says, and the hint is copied to a terminal."""
    connected.add_organization("pipe", organization_external_id="a|touch~owned")
    document = {"organization": "a|touch~owned", "connections": {"sso": {"issuer": "https://192.0.2.1"}}}
    connected.write("organizations/pipe.yaml", json.dumps(document))
    risks = connected.run("plan", "--format", "json").document["risks"]
    hint = next(risk["hint"] for risk in risks if risk["code"] == "ip-literal-host")
    words = shlex.split(hint.partition("--accept-risk ")[2].partition("`, or add")[0])
    assert words == ["ip-literal-host:a|touch~owned/sso"]
    assert "'ip-literal-host:a|touch~owned/sso'" in hint


def test_no_message_puts_a_value_into_a_command_unquoted() -> None:
    """Every value after an option or a command of ours, in any message, goes through the helper."""
    unquoted = [
        f"{path.name}:{node.lineno}: {ast.unparse(value)}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for before, value in zip(node.values, node.values[1:], strict=False)
        if isinstance(before, ast.Constant)
        and _COMMAND.search(str(before.value))
        and isinstance(value, ast.FormattedValue)
        and not ast.unparse(value.value).startswith(("shell_word(", "word"))
        and ast.unparse(value.value) not in _OUR_OWN
    ]
    assert not unquoted
