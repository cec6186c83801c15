"""``reconciler schema``: the JSON Schemas of what users write and read."""

from __future__ import annotations

import click

NAMES = ("organization", "project", "plan", "drift")


@click.command("schema")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema of NAME: organization (a manifest), project (reconciler.yaml), plan or drift."""
    if name is None:
        raise click.UsageError(f"name one of {', '.join(NAMES)}")
    if name == "plan":
        from reconciler.reports.plan_schema import plan_schema

        click.echo(plan_schema(), nl=False)
    elif name == "drift":
        from reconciler.reports.drift_schema import drift_schema

        click.echo(drift_schema(), nl=False)
    else:
        from reconciler.manifests.schema import schema_text

        click.echo(schema_text(name), nl=False)
