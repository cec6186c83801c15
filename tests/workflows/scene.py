"""A repository on a fake GitHub, with an emulator behind it: pull requests, merges and nights."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.publishers.fake_github import REPOSITORY, TOKEN, FakeGitHub

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.workflows.conftest import Repository
    from tests.workflows.runner import JobResult, Runner

Jobs = dict[str, "JobResult"]

OPTIONAL_JOBS = {"adopt", "notify", "pins"}
"""The jobs that a variable of the repository turns on."""


class Scene:
    """Runs the workflows that `init` wrote, each on the event that starts it."""

    def __init__(
        self, runner: Runner, repository: Repository, running: RunningEmulator, github: FakeGitHub
    ) -> None:
        self.runner = runner
        self.repository = repository
        self.emulator = running.emulator
        self.github = github
        self.records = runner.records
        runner.environment["GITHUB_API_URL"] = github.api_url
        runner.granted = self._grant

    @property
    def comments(self) -> list[str]:
        """The comments on the pull request."""
        return [comment["body"] for comment in self.github.pull_request.comments]

    def make_live(self, *slugs: str) -> None:
        """Create what the manifests of these organizations declare, without a workflow."""
        for slug in slugs:
            origin = f"https://{slug}.okta.com"
            self.emulator.add_connection(
                slug,
                display_name=f"{slug} Okta",
                issuer=origin,
                client_id=f"client-of-{slug}",
                client_secret=self.runner.secrets["EXAMPLE_OKTA_CLIENT_SECRET"],
                authorization_url=f"{origin}/authorize",
                token_url=f"{origin}/token",
                userinfo_url=f"{origin}/userinfo",
                jwks_url=f"{origin}/keys",
            )

    def branch(self) -> None:
        """Begin a pull request."""
        self.repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.repository.git("checkout", "-q", "-b", "topic")

    def push(self, *, of: str = REPOSITORY, without: tuple[str, ...] = ("validate",)) -> Jobs:
        """Push what has changed to the pull request."""
        self.repository.commit("change")
        request = {"number": 7, "head": {"repo": {"full_name": of}}, "base": {"ref": "main"}}
        self._event("pull_request", {"pull_request": request}, has_secrets=of == REPOSITORY)
        return self._run("plan", without)

    def merge(self) -> Jobs:
        """Merge the pull request, or push what has changed to the branch main."""
        self.repository.commit("merge")
        self.repository.git("update-ref", "refs/heads/main", "HEAD")
        self.github.record_merge(7, self.repository.head())
        self._event("push", {})
        return self._run("apply")

    def dispatch(self, **inputs: str) -> Jobs:
        """Start the workflow `apply` by hand, with values of its form."""
        self.runner.inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
        self._event("workflow_dispatch", {"inputs": self.runner.inputs})
        return self._run("apply")

    def night(self) -> Jobs:
        """Let the schedule start the workflow `drift`."""
        self._event("schedule", {})
        return self._run("drift")

    def live(self, slug: str) -> dict[str, Any]:
        """Return the only connection of an organization."""
        (connection,) = self.emulator.oidc_connections(slug)
        return dict(connection)

    def writes(self) -> list[str]:
        """Return the operations that have changed something."""
        operations = [request.operation for request in self.emulator.request_log]
        return [name for name in operations if name.startswith(("create", "update", "delete"))]

    def leaks(self) -> list[str]:
        """Return where a secret appears, in any of its usual forms."""
        secrets = {TOKEN, *(value for name, value in self.runner.secrets.items() if "SECRET" in name)}
        forms = {form for secret in secrets for form in _forms(secret)}
        return [place for place, text in self.left_behind() if any(form in text for form in forms)]

    def left_behind(self) -> list[tuple[str, str]]:
        """Return all that the workflows left behind: logs, outputs, summaries, files, calls of GitHub."""
        steps = [
            (f"step {number}", f"{step.out}\n{step.outputs}\n{step.summary}")
            for number, step in enumerate(self.records)
        ]
        files = [(str(path), _text(path)) for path in self.runner.home.rglob("*") if path.is_file()]
        calls = [(f"{call.method} {call.path}", json.dumps(call.body)) for call in self.github.calls]
        return steps + files + calls

    def _event(self, name: str, event: dict[str, Any], *, has_secrets: bool = True) -> None:
        self.runner.github = {
            "repository": REPOSITORY,
            "event_name": name,
            "event": event,
            "sha": self.repository.head(),
            "token": TOKEN,
            "has_secrets": has_secrets,
        }

    def _run(self, name: str, without: tuple[str, ...] = ()) -> Jobs:
        file = self.repository.folder / f".github/workflows/reconciler-{name}.yml"
        return self.runner.run_workflow(file, without=without)

    def _grant(self, permissions: dict[str, str]) -> None:
        """Give the job's token its permissions."""
        self.github.is_read_only = "write" not in permissions.values()


def results(jobs: Jobs) -> dict[str, str]:
    """Return how each job ended, without those that a variable turns on and that were off."""
    return {
        name: job.result
        for name, job in jobs.items()
        if not (name in OPTIONAL_JOBS and job.result == "skipped")
    }


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, encoded, quote(secret), json.dumps(secret)[1:-1]}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
