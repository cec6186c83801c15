"""``reconciler schema``: print JSON Schemas."""

from __future__ import annotations

import click

from reconciler.manifests.json_schema import schema_text
from reconciler.reports.json_schemas import drift_schema, plan_schema

NAMES = ("organization", "project", "approvals", "plan", "drift")


@click.command("schema")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema of NAME.

    NAME is organization (a manifest), project (reconciler.yaml), approvals, plan or drift.
    """
    if name is None:
        raise click.UsageError(f"name one of {', '.join(NAMES)}")
    schemas = {"plan": plan_schema, "drift": drift_schema}
    click.echo(schemas[name]() if name in schemas else schema_text(name), nl=False)
