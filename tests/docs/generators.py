"""What is written into the pages by machine: help texts, tables of keys, of rules, of backends."""

from __future__ import annotations

import json
from typing import Any

import click

from reconciler.cli.main import group
from reconciler.manifests.json_schema import schema_text
from reconciler.policies.rules import RULES

WIDTH = 100


def generate(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return {"help": help_text, "keys": key_table, "rules": rule_table}[kind](rest)


def help_text(words: str) -> str:
    """The `--help` of a command, at a fixed width."""
    command: click.Command = group
    context = click.Context(group, info_name="reconciler", terminal_width=WIDTH, **group.context_settings)
    for word in words.split():
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None, word
        command = found
        context = click.Context(command, parent=context, info_name=word, terminal_width=WIDTH)
    text = command.get_help(context)
    return f"```text\n{text}\n```\n"


def key_table(words: str) -> str:
    """The keys of a schema, or of one of its parts, with what the schema says of them."""
    schema, _, part = words.partition(" ")
    document = json.loads(schema_text(schema))
    described = document["$defs"][part] if part else document
    rows = [_row(key, value, document, described) for key, value in described["properties"].items()]
    return "\n".join(["| key | meaning | example |", "|---|---|---|", *rows]) + "\n"


def rule_table(_: str) -> str:
    """The risk rules, in the order in which they are shown."""
    rows = [f"| `{one.id}` | {one.why} |" for one in RULES]
    return "\n".join(["| rule | why it matters |", "|---|---|", *rows]) + "\n"


def _row(key: str, value: dict[str, Any], document: dict[str, Any], described: dict[str, Any]) -> str:
    if "$ref" in value:
        value = document["$defs"][value["$ref"].rpartition("/")[2]] | value
    required = " **(required)**" if key in described.get("required", ()) else ""
    example = ", ".join(f"`{_shown(one)}`" for one in value.get("examples", ())[:2])
    return f"| `{key}` | {value['description']}{required} | {example} |"


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example)
