"""``reconciler schema``: print JSON Schemas."""

from __future__ import annotations

import click

from reconciler.manifests.json_schema import SCHEMA_NAMES, schema_text
from reconciler.reports.json_schemas import DOCUMENTS, document_schema

NAMES = (*SCHEMA_NAMES, *DOCUMENTS)


@click.command("schema")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema of NAME.

    NAME is organization (a manifest), project (reconciler.yaml) or approvals, or a document that
    --format json prints: plan, drift, verify, apply, validate, import, pin, list, output,
    secrets-check, explain, or failure (a run without a result).
    """
    if name is None:
        raise click.UsageError(f"name one of {', '.join(NAMES)}")
    click.echo(document_schema(name) if name in DOCUMENTS else schema_text(name), nl=False)
