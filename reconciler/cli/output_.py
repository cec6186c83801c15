"""``reconciler output``: print the values of one connection, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.list_ import inventory_of
from reconciler.cli.options import ADDRESS, NonEmptyString, offer, variable_option
from reconciler.core.connection import SENSITIVE_FIELDS
from reconciler.core.errors import UsageError, did_you_mean
from reconciler.reports.inventory import OUTPUT_FIELDS, output_text, values_of
from reconciler.reports.json_documents import output_json
from reconciler.reports.text_style import render_diagnostics
from reconciler.workflow.inventory import InventoryRequest, find_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

    from reconciler.cli.context import CommandContext


def _complete_field(_context: click.Context, incomplete: str) -> list[CompletionItem]:
    return offer(OUTPUT_FIELDS, incomplete)


@click.command("output")
@click.argument("address", type=ADDRESS, metavar="ADDRESS")
@click.argument("field", type=NonEmptyString(_complete_field), metavar="[FIELD]", required=False)
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True,
              help="The format of the values.")  # fmt: skip
@variable_option()
@click.pass_obj
def command(
    context: CommandContext, /, address: str, field: str | None, format_: str, variables: Mapping[str, str]
) -> None:
    """Print one live value of a connection, such as redirect_url; without FIELD, all of them.

    ADDRESS is organization/connection; for a connection that no manifest declares, its connection_id
    stands in place of its name. FIELD is any field but client_secret, which is never shown.
    """
    organization, slash, name = address.partition("/")
    if not (organization and slash and name):
        raise UsageError(f"{address!r} is not an address; addresses look like acme/okta")
    if field is not None and field not in OUTPUT_FIELDS:
        raise UsageError(_unknown_field(field))
    inventory = inventory_of(context, InventoryRequest(references=(organization,)), (), variables)
    if inventory.has_errors:
        context.console.error(render_diagnostics(inventory.diagnostics, style=context.console.stderr_style))
    item = find_item(inventory, address)
    values = values_of(item)
    if field is not None:
        values = {field: values[field]}
    if field is not None and values[field] is None:
        raise UsageError(f"{address} has no {field}: it is {item.management}, and nothing sets the field yet")
    click.echo(output_json(item.address, values) if format_ == "json" else output_text(values), nl=False)


def _unknown_field(field: str) -> str:
    if field in SENSITIVE_FIELDS:
        return f"{field} is never shown; known fields: {', '.join(OUTPUT_FIELDS)}"
    hint = did_you_mean(field, OUTPUT_FIELDS, f"known: {', '.join(OUTPUT_FIELDS)}")
    return f"unknown field {field!r}: {hint}"
