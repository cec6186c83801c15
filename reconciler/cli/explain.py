"""``reconciler explain``: say what a code means and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import NonEmptyString, offer
from reconciler.core.errors import UsageError, did_you_mean
from reconciler.policies import RULES
from reconciler.reports.explanations import explanation_text, load_explanations
from reconciler.reports.json_documents import explanation_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

    from reconciler.reports.explanations import Explanation


def _complete_code(_context: click.Context, incomplete: str) -> list[CompletionItem]:
    return offer(_explanations(), incomplete)


@click.command("explain")
@click.argument("code", type=NonEmptyString(_complete_code), metavar="CODE")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True,
              help="The format of the explanation.")  # fmt: skip
def command(code: str, format_: str) -> None:
    """Say what the CODE of a finding means, why it matters, and what to do."""
    explanations = _explanations()
    explanation = explanations.get(code)
    if explanation is None:
        hint = did_you_mean(code, explanations, "a finding ends with its code, in brackets")
        raise UsageError(f"unknown code {code!r}: {hint}")
    render = explanation_json if format_ == "json" else explanation_text
    click.echo(render(explanation), nl=False)


def _explanations() -> Mapping[str, Explanation]:
    return load_explanations({rule.id: rule.why for rule in RULES})
