"""``reconciler publish``: publish plans, results of applies, and nightly reports on GitHub or GitLab."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import FILE, combine
from reconciler.cli.pull_requests import PullRequests, pull_request_options
from reconciler.core.errors import Diagnostic, PublishingFailed, Severity
from reconciler.publishers.github import DEFAULT_API_URL as GITHUB_URL
from reconciler.publishers.github import GitHub, head_of_event, pull_request_of_event
from reconciler.publishers.github_repository import GitHubRepository
from reconciler.publishers.gitlab import DEFAULT_API_URL as GITLAB_URL
from reconciler.publishers.gitlab import GitLab
from reconciler.publishers.gitlab_repository import GitLabRepository
from reconciler.publishers.webhook import deliver, read_endpoint
from reconciler.reports.text_style import render_diagnostics
from reconciler.reports.webhook import Origin
from reconciler.workflow.publish import load_publication, publish, webhook_bodies, write_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.workflow.publish import Publication

_GITHUB_TOKENS: Final = ("GITHUB_TOKEN", "GH_TOKEN")
_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1000}")
"""A URL that cannot be anything but a link in Markdown."""


def _report_options() -> Callable[[Callable[..., int]], Callable[..., int]]:
    return combine(
        click.option("--plan", "plan_file", type=FILE, metavar="FILE",
                     help="A plan, even a failed one, or a validation in JSON: comment and labels."),
        click.option("--apply", "apply_file", type=FILE, metavar="FILE",
                     help="The result of an apply in JSON: a comment on the pull request that was merged."),
        click.option("--drift", "drift_file", type=FILE, metavar="FILE",
                     help="A drift report in JSON: one issue."),
        click.option("--verify", "verify_file", type=FILE, metavar="FILE",
                     help="A report of verify in JSON: a part of the same issue."),
        click.option("--name", metavar="NAME",
                     help="Distinguishes environments that publish in the same place."),
        click.option("--secrets", "secrets_file", type=FILE, metavar="FILE",
                     help="With --apply: the JSON of `secrets check`, to list missing secrets."),
        click.option("--no-result", is_flag=True,
                     help="Instead of --plan: the plan job wrote no result."),
        click.option("--not-applied", is_flag=True,
                     help="With --plan, after the merge: the apply job wrote no result."),
        click.option("--environment", metavar="NAME",
                     help="The environment whose reviewers are asked after the merge."),
        click.option("--labels/--no-labels", default=True, show_default=True, help="Label the plan's risks."),
        click.option("--details-url", metavar="URL", help="A link below the report; default: to the run."),
    )  # fmt: skip


@click.group("publish")
def command() -> None:
    """Publish a plan, the result of an apply, or nightly reports where code is reviewed.

    Nothing is planned or applied. The token is read from the environment and never shown.
    """


@command.command("github")
@_report_options()
@click.option(
    "--repository", metavar="OWNER/NAME", envvar="GITHUB_REPOSITORY", help="Default: the workflow's."
)
@click.option("--pull-request", type=click.IntRange(min=1), metavar="NUMBER", help="Default: the event's.")
@click.option(
    "--commit",
    metavar="SHA",
    envvar="GITHUB_SHA",
    help="After a merge: the merge commit; default: the workflow's.",
)
@click.option("--api-url", metavar="URL", envvar="GITHUB_API_URL", help="The API of an Enterprise server.")
@click.option(
    "--summary", type=FILE, metavar="FILE", envvar="GITHUB_STEP_SUMMARY", help="Default: the job's summary."
)
@pull_request_options()
@click.pass_obj
def github(context: CommandContext, /, **options: Any) -> int:  # noqa: ANN401 - options
    """One sticky comment, labels, the job summary, one issue, pull requests for manifests.

    Needs GITHUB_TOKEN (or GH_TOKEN) with `pull-requests: write`, `issues: write` for the issue, and
    `contents: write` for --pins and --adopt. In a workflow, all other options have defaults. After a
    merge, the comment stands on the pull request of the merge commit; without a token, only the job
    summary is written.
    """
    pull_request = options["pull_request"] or _event_pull_request()
    head = head_of_event(_event())
    publication = replace(_load(options, _workflow_run_url()), is_merged=pull_request is None)
    publication = replace(publication, workflow_commit=options["commit"] or "", head=head)
    if options["summary"] and publication.has_reports:
        write_summary(Path(options["summary"]), publication)
        click.echo("job summary: written")
    may_comment = pull_request or (options["commit"] and any(map(os.environ.get, _GITHUB_TOKENS)))
    has_no_place = not (may_comment or publication.has_issue or publication.apply)
    if options["summary"] and publication.has_reports and has_no_place:
        click.echo("no pull request to comment on")
        publication = replace(publication, plan=None, failed=None)
    if not (publication.has_reports or options["pins_file"]):
        return ExitCode.SUCCESS
    token, name = _token(*_GITHUB_TOKENS), _required(options, "repository")
    api_url = options["api_url"] or GITHUB_URL
    forge = GitHub(token, name, pull_request, api_url=api_url)
    repository = GitHubRepository(token, name, api_url=api_url)
    return _publish(forge, repository, publication, context, options)


@command.command("gitlab")
@_report_options()
@click.option("--project", metavar="PROJECT", envvar="CI_PROJECT_ID", help="Default: the pipeline's.")
@click.option("--merge-request", type=click.IntRange(min=1), metavar="NUMBER", envvar="CI_MERGE_REQUEST_IID",
              help="Default: the pipeline's.")  # fmt: skip
@click.option(
    "--commit",
    metavar="SHA",
    envvar="CI_COMMIT_SHA",
    help="After a merge: the merge commit; default: the pipeline's.",
)
@click.option("--api-url", metavar="URL", envvar="CI_API_V4_URL", help="Default: the pipeline's.")
@pull_request_options()
@click.pass_obj
def gitlab(context: CommandContext, /, **options: Any) -> int:  # noqa: ANN401 - options
    """One sticky note on the merge request, labels, one issue, merge requests for manifests.

    Needs GITLAB_TOKEN, a project access token with the scope `api`: a job token may not write notes.
    For --pins and --adopt it needs the role of a developer.
    """
    publication = _load(options, os.environ.get("CI_JOB_URL", ""))
    publication = replace(publication, is_merged=options["merge_request"] is None)
    token, project = _token("GITLAB_TOKEN"), _required(options, "project")
    api_url = options["api_url"] or GITLAB_URL
    forge = GitLab(token, project, options["merge_request"], api_url=api_url)
    repository = GitLabRepository(token, project, api_url=api_url)
    return _publish(forge, repository, publication, context, options)


@command.command("webhook")
@click.option("--plan", "plan_file", type=FILE, metavar="FILE",
              help="A plan in JSON, even a failed one.")  # fmt: skip
@click.option("--apply", "apply_file", type=FILE, metavar="FILE", help="The result of an apply in JSON.")
@click.option("--drift", "drift_file", type=FILE, metavar="FILE", help="A drift report in JSON.")
@click.option("--verify", "verify_file", type=FILE, metavar="FILE", help="A report of verify in JSON.")
@click.option("--name", metavar="NAME", help="The environment's name in the message.")
@click.option("--details-url", metavar="URL", help="A link in the message; default: to the run.")
@click.option("--strict", is_flag=True, help="Exit with 1 if the message is not delivered.")
@click.pass_obj
def webhook(context: CommandContext, /, *, strict: bool, **options: str | None) -> int:
    """One signed message with a summary, for a chat, a pager or a service of your own.

    Sent to RECONCILER_WEBHOOK_URL and signed with RECONCILER_WEBHOOK_SECRET, as the Standard Webhooks
    specification describes. A message that cannot be delivered is a warning.
    """
    publication = _load({**options, "labels": False, "environment": None}, _run_url())
    endpoint = read_endpoint(_variable("RECONCILER_WEBHOOK_URL"), _variable("RECONCILER_WEBHOOK_SECRET"))
    origin = Origin(
        name=publication.name, run_url=publication.details_url, pull_request_url=_pull_request_url()
    )
    failures = []
    for body in webhook_bodies(publication, origin):
        try:
            click.echo(f"webhook: sent {asyncio.run(deliver(endpoint, body, clock=context.clock))}")
        except PublishingFailed as error:
            failures.append(error)
    if failures and strict:
        raise failures[0]
    warnings = [Diagnostic(Severity.WARNING, error.code, str(error)) for error in failures]
    if warnings:
        context.console.error(render_diagnostics(warnings, style=context.console.stderr_style))
    return ExitCode.SUCCESS


def _load(options: Mapping[str, Any], run_url: str) -> Publication:
    reports = ("plan_file", "apply_file", "drift_file", "verify_file")
    files = {name: options.get(name) for name in (*reports, "secrets_file")}
    has_other = options.get("pins_file") or options.get("no_result")
    if not any(files[name] for name in reports) and not has_other:
        raise click.UsageError(
            "nothing to publish: give --plan FILE, --apply FILE, --drift FILE or --verify FILE"
        )
    if options.get("no_result") and files["plan_file"]:
        raise click.UsageError("--no-result says that there is no --plan: give one of the two")
    if options.get("adopt") and not options["drift_file"]:
        raise click.UsageError("--adopt takes over what a drift report found: give --drift FILE as well")
    details_url = options["details_url"] or run_url
    if details_url and _PLAIN_URL.fullmatch(details_url) is None:
        raise click.UsageError("--details-url must be a plain http or https URL")
    return load_publication(
        **{name: Path(file) for name, file in files.items() if file},
        no_result=bool(options.get("no_result")),
        not_applied=bool(options.get("not_applied")),
        name=options["name"] or "",
        environment=options["environment"] or "",
        labels=options["labels"],
        details_url=details_url,
    )


def _publish(
    forge: GitHub | GitLab,
    repository: GitHubRepository | GitLabRepository,
    publication: Publication,
    context: CommandContext,
    options: Mapping[str, Any],
) -> ExitCode:
    """Open pull requests first: an issue links to them, and is also written where the forge refuses one."""
    failure = None
    with closing(forge), closing(repository):
        pull_requests = PullRequests(context, options, repository, publication)
        if options["pins_file"]:
            pull_requests.publish_pins(Path(options["pins_file"]))
        if options["adopt"] and publication.drift:
            note, failure = pull_requests.adopt(publication.drift)
            publication = replace(publication, drift_note=note)
        for line in publish(forge, _with_pull_request(forge, publication, options["commit"])):
            click.echo(line)
    if failure is not None:
        raise failure
    return ExitCode.SUCCESS


def _with_pull_request(forge: GitHub | GitLab, publication: Publication, commit: str | None) -> Publication:
    """Find the pull request of a merge commit; without one, the result is not commented."""
    if not publication.has_comment or forge.pull_request is not None or not commit:
        return publication
    forge.pull_request = forge.find_pull_request(commit)
    if forge.pull_request is not None:
        return publication
    click.echo(f"no pull request was merged as {commit}: the result is not commented")
    return replace(publication, plan=None, failed=None, apply=None)


def _token(*names: str) -> str:
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise click.UsageError(f"no token: set {' or '.join(names)}")


def _variable(name: str) -> str:
    """Return the value of an environment variable that has to be set."""
    value = os.environ.get(name, "")
    if not value:
        raise click.UsageError(f"{name} is not set")
    return value


def _required(options: Mapping[str, Any], name: str) -> str:
    value = options[name]
    if not value:
        raise click.UsageError(f"--{name} is required outside of a workflow")
    return str(value)


def _workflow_run_url() -> str:
    """Return the URL of the workflow run, whose job summary shows what does not fit into a comment."""
    parts = [os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _run_url() -> str:
    """Return the URL of the run on either forge."""
    return _workflow_run_url() or os.environ.get("CI_PIPELINE_URL", "")


def _pull_request_url() -> str:
    """Return the URL of the pull or merge request of the run; empty if there is none."""
    number, repository = _event_pull_request(), os.environ.get("GITHUB_REPOSITORY", "")
    project, iid = map(os.environ.get, ("CI_MERGE_REQUEST_PROJECT_URL", "CI_MERGE_REQUEST_IID"))
    url = f"{project}/-/merge_requests/{iid}"
    if number and repository:
        url = f"{os.environ.get('GITHUB_SERVER_URL')}/{repository}/pull/{number}"
    return url if _PLAIN_URL.fullmatch(url) else ""


def _event_pull_request() -> int | None:
    return pull_request_of_event(_event())


def _event() -> str:
    """Return the document of the workflow's event; empty if it cannot be read."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    try:
        return Path(path).read_text(encoding="utf-8-sig") if path else ""
    except (OSError, ValueError):
        return ""
