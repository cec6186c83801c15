"""Writes the generated parts of the pages: help texts, tables of keys and rules, and the list of modules."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import reconciler
from reconciler.cli.main import group
from reconciler.core.errors import Severity
from reconciler.manifests.json_schema import schema_text
from reconciler.policies.rules import RULES
from reconciler.reports.explanations import explanations_markdown, load_explanations
from reconciler.reports.json_schemas import DOCUMENTS, document_schema
from reconciler.secrets.reserved_variables import RESERVED_VARIABLES

if TYPE_CHECKING:
    from reconciler.policies.rule import Rule

WIDTH = 100
PACKAGE = Path(reconciler.__file__).parent


def generate(name: str) -> str:
    """Return the generated part with this name, for example ``help plan``."""
    kind, _, argument = name.partition(" ")
    tables = {"keys": key_table, "rules": rule_table, "reserved": reserved_table, "codes": code_list}
    tables |= {"fields": field_table, "parts": part_tables}
    return {"help": help_text, "modules": module_list, **tables}[kind](argument)


def help_text(words: str) -> str:
    """The `--help` of a command, at a fixed width."""
    command: click.Command = group
    context = click.Context(group, info_name="reconciler", terminal_width=WIDTH, **group.context_settings)
    for word in words.split():
        assert isinstance(command, click.Group)
        subcommand = command.get_command(context, word)
        assert subcommand is not None, word
        command = subcommand
        context = click.Context(command, parent=context, info_name=word, terminal_width=WIDTH)
    text = command.get_help(context)
    return f"```text\n{text}\n```\n"


def key_table(words: str) -> str:
    """The keys of a schema, or of one of its definitions, with their descriptions."""
    schema, _, definition = words.partition(" ")
    document = json.loads(schema_text(schema))
    described = document["$defs"][definition] if definition else document
    rows = [_row(key, value, document, described) for key, value in described["properties"].items()]
    return "\n".join(["| key | meaning | example |", "|---|---|---|", *rows]) + "\n"


def field_table(name: str) -> str:
    """The fields of a JSON document."""
    schema = json.loads(document_schema(name))
    return _field_table(schema, schema)


def part_tables(_: str) -> str:
    """The parts of all JSON documents, by name, each with its fields or values."""
    parts: dict[str, dict[str, Any]] = {}
    for name in DOCUMENTS:
        parts |= json.loads(document_schema(name)).get("$defs", {})
    return "\n".join(_part(name, parts[name]) for name in sorted(parts, key=_part_name))


def _part(name: str, part: dict[str, Any]) -> str:
    if "enum" in part:
        values = _wrapped(f"One of {', '.join(f'`{value}`' for value in part['enum'])}.")
        return f"### {_part_name(name)}\n\n{values}\n"
    description = _wrapped(part["description"].replace("``", "`"))
    return f"### {_part_name(name)}\n\n{description}\n\n{_field_table(part, part)}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _field_table(schema: dict[str, Any], described: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_type(value)}{'' if key in described.get('required', ()) else ', optional'} | "
        f"{value['description']} |"
        for key, value in schema["properties"].items()
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows]) + "\n"


def _type(value: dict[str, Any]) -> str:
    """The type of a field in words, with links to parts."""
    if "$ref" in value:
        name = _part_name(value["$ref"])
        return f"[{name}](#{name.lower().replace(' ', '-')})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(_type, value["anyOf"])))
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return " or ".join(f"`{json.dumps(item)}`" for item in value["enum"])
    if value["type"] == "array":
        items = value.get("items") or next(iter(value.get("prefixItems", ())), None)
        return f"list of {_type(items)}" if items else "list"
    return "object" if value["type"] == "object" else value["type"]


def _part_name(reference: str) -> str:
    """The name of a part in words: of ``#/$defs/ResourceChangeDocument``, ``Resource change``."""
    name = reference.rpartition("/")[2].removesuffix("Document")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def rule_table(_: str) -> str:
    """The risk rules, in the order in which findings are shown."""
    rows = [f"| `{rule.id}` | {_severity(rule)} | {rule.why} |" for rule in RULES]
    return "\n".join(["| rule | default | why it matters |", "|---|---|---|", *rows]) + "\n"


def _severity(rule: Rule) -> str:
    default = "error" if rule.severity is Severity.ERROR else "warn"
    return f"{default}; error {rule.error_case.description}" if rule.error_case else default


def code_list(_: str) -> str:
    """The explanations of all codes."""
    return explanations_markdown(load_explanations({rule.id: rule.why for rule in RULES}))


def reserved_table(_: str) -> str:
    """The variables that no manifest can use, by their owner."""
    rows = [
        f"| {owner} | {', '.join(f'`{name}`' for name in names)} |"
        for owner, names in RESERVED_VARIABLES.items()
    ]
    return "\n".join(["| owner | variables |", "|---|---|", *rows]) + "\n"


def module_list(_: str) -> str:
    """The first paragraph of each module's docstring, package by package."""
    packages = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)
    return "".join(_package(package) for package in packages)


def _package(package: Path) -> str:
    name = package.relative_to(PACKAGE).as_posix()
    modules = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
    rows = [f"| `{module.stem}` | {_summary(module)} |" for module in modules]
    table = ["| module | responsibility |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"### {name}", "", _summary(package / "__init__.py"), "", *table]) + "\n"


def _summary(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()).replace("``", "`").replace("|", "\\|")


def _row(key: str, value: dict[str, Any], document: dict[str, Any], described: dict[str, Any]) -> str:
    if "$ref" in value:
        value = document["$defs"][value["$ref"].rpartition("/")[2]] | value
    required = " **(required)**" if key in described.get("required", ()) else ""
    examples = ", ".join(f"`{_text(example)}`" for example in value.get("examples", ())[:2])
    return f"| `{key}` | {value['description']}{required} | {examples} |"


def _text(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example)
