"""``reconciler publish``: show a saved plan or a drift report where code is reviewed."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cli.publishing import Publication
    from reconciler.publishers.base import Forge


def _common(function: Callable[..., int]) -> Callable[..., int]:
    options = (
        click.option(
            "--plan",
            "plan_file",
            type=NonEmptyString(),
            metavar="FILE",
            help="A saved plan: comment and labels.",
        ),
        click.option(
            "--drift",
            "drift_file",
            type=NonEmptyString(),
            metavar="FILE",
            help="A drift report in JSON: one issue.",
        ),
        click.option("--name", metavar="NAME", help="Sets apart what several environments publish here."),
        click.option("--labels/--no-labels", default=True, show_default=True, help="Label the plan's risks."),
        click.option("--details-url", metavar="URL", help="A link below the report; default: to the run."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group("publish")
def command() -> None:
    """Show a saved plan or a drift report where code is reviewed.

    Nothing is planned or applied. The token is taken from the environment and never shown.
    """


@command.command("github")
@_common
@click.option(
    "--repository", metavar="OWNER/NAME", envvar="GITHUB_REPOSITORY", help="Default: the workflow's."
)
@click.option("--pull-request", type=click.IntRange(min=1), metavar="NUMBER", help="Default: the event's.")
@click.option("--api-url", metavar="URL", envvar="GITHUB_API_URL", help="Of an Enterprise server.")
@click.option(
    "--summary",
    type=NonEmptyString(),
    metavar="FILE",
    envvar="GITHUB_STEP_SUMMARY",
    help="Default: the job's summary.",
)
def github(**options: Any) -> int:  # noqa: ANN401 - options
    """One sticky comment, labels, the job summary; one issue for drift.

    Needs GITHUB_TOKEN (or GH_TOKEN) with `pull-requests: write`, and `issues: write` for drift.
    Within a workflow everything else is known. Where there is no pull request, only the job
    summary is written.
    """
    from reconciler.cli.publishing import publication_of, write_summary
    from reconciler.publishers.github import DEFAULT_API_URL, GitHub

    publication = publication_of(options, _workflow_run())
    summarized = write_summary(publication, options["summary"])
    pull_request = options["pull_request"] or _event_pull_request()
    if publication.needs_review_only and pull_request is None and summarized:
        click.echo("no pull request to comment on")
        return ExitCode.SUCCESS
    forge = GitHub(
        _token("GITHUB_TOKEN", "GH_TOKEN"),
        _required(options, "repository"),
        pull_request,
        api_url=options["api_url"] or DEFAULT_API_URL,
    )
    with closing(forge):
        return _publish(forge, publication)


@command.command("gitlab")
@_common
@click.option("--project", metavar="PROJECT", envvar="CI_PROJECT_ID", help="Default: the pipeline's.")
@click.option("--merge-request", type=click.IntRange(min=1), metavar="NUMBER", envvar="CI_MERGE_REQUEST_IID",
              help="Default: the pipeline's.")  # fmt: skip
@click.option("--api-url", metavar="URL", envvar="CI_API_V4_URL", help="Default: the pipeline's.")
def gitlab(**options: Any) -> int:  # noqa: ANN401 - options
    """One sticky note on the merge request, labels; one issue for drift.

    Needs GITLAB_TOKEN, a project access token with the scope `api`; a job's own token may not write
    notes.
    """
    from reconciler.cli.publishing import publication_of
    from reconciler.publishers.gitlab import DEFAULT_API_URL, GitLab

    publication = publication_of(options, os.environ.get("CI_JOB_URL", ""))
    forge = GitLab(
        _token("GITLAB_TOKEN"),
        _required(options, "project"),
        options["merge_request"],
        api_url=options["api_url"] or DEFAULT_API_URL,
    )
    with closing(forge):
        return _publish(forge, publication)


def _publish(forge: Forge, publication: Publication) -> int:
    from reconciler.cli.publishing import publish

    for line in publish(forge, publication):
        click.echo(line)
    return ExitCode.SUCCESS


def _token(*names: str) -> str:
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise click.UsageError(f"there is no token: set {' or '.join(names)}")


def _required(options: dict[str, Any], name: str) -> str:
    value = options[name]
    if not value:
        raise click.UsageError(f"--{name} is needed outside of a workflow")
    return str(value)


def _workflow_run() -> str:
    """Return the address of the workflow's run, whose summary shows what a comment cannot hold."""
    parts = [os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _event_pull_request() -> int | None:
    from reconciler.publishers.github_event import pull_request_of

    path = os.environ.get("GITHUB_EVENT_PATH")
    try:
        return pull_request_of(Path(path).read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError):
        return None
