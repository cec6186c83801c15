"""The options of ``reconciler publish`` that open pull requests: with pins, and with live values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.options import FILE, combine, variable_option
from reconciler.core.errors import PublishingFailed
from reconciler.reports.escaping import log_line
from reconciler.reports.pull_request_report import failure_note
from reconciler.storage.documents import load_apply_result
from reconciler.workflow.adoption import adopt_drift
from reconciler.workflow.pin import in_environment_of
from reconciler.workflow.pull_requests import RepositoryManifests, Topic, publish_pins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reconciler.cli.context import CommandContext
    from reconciler.core.drift import DriftReport
    from reconciler.core.plan import Scope
    from reconciler.publishers.forge import Repository
    from reconciler.workflow.publish import Publication


def pull_request_options() -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add the options that open pull requests."""
    return combine(
        click.option("--pins", "pins_file", type=FILE, metavar="FILE",
                     help="The result of an apply in JSON: a pull request with the ids of created objects."),
        click.option("--adopt", is_flag=True,
                     help="With --drift: one pull request that declares the live values."),
        variable_option(),
    )  # fmt: skip


class PullRequests:
    """Opens the pull requests of one call of ``publish``."""

    def __init__(
        self,
        context: CommandContext,
        options: Mapping[str, Any],
        repository: Repository,
        publication: Publication,
    ) -> None:
        self._context = context
        self._variables = options["variables"]
        self._repository = repository
        self._name = publication.name
        self._link = f"[Details]({publication.details_url})" if publication.details_url else ""

    def publish_pins(self, file: Path) -> None:
        """Open, update or close the pull request with the pins of an apply.

        Raises:
            ReconcilerError: the file is invalid, or the forge refuses.
        """
        result = load_apply_result(file)
        if result.scope is None:
            self._say("not needed: the apply failed before it could create anything")
            return
        topic, manifests = self._prepare(result.scope, str(file))
        self._say(publish_pins(self._repository, manifests, result, topic).done)

    def adopt(self, report: DriftReport) -> tuple[str, PublishingFailed | None]:
        """Open, update or close the pull request that declares live values.

        Return what the issue says about it, and the error if the forge refuses.
        """
        topic, manifests = self._prepare(report.scope, "the drift report")
        try:
            adopted = adopt_drift(self._repository, manifests, report, topic, wiring.now().date())
        except PublishingFailed as error:
            return failure_note(self._repository.noun, str(error)), error
        self._say(adopted.maintained.done)
        return adopted.note, None

    def _say(self, done: str) -> None:
        click.echo(log_line(f"{self._repository.noun} {done}"))

    def _prepare(self, scope: Scope, file: str) -> tuple[Topic, RepositoryManifests]:
        project = in_environment_of(wiring.project_of(self._context.config), scope, file)
        topic = Topic(scope=scope, name=self._name, link=self._link)
        return topic, RepositoryManifests(project, self._variables, self._repository)
