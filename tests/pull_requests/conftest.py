"""A repository of manifests on a fake forge, an emulator, and the command in a job without credentials."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.publishers import fake_github, fake_gitlab
from tests.publishers.fake_github_pulls import FakeGitHubPulls
from tests.publishers.fake_gitlab_merge_requests import FakeGitLabMergeRequests
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import CompletedRun, Workplace

__all__ = ["bare", "running"]

MANIFEST = """\
# {slug}, by hand
organization: {slug}
connections:
  okta:
    display_name: {slug} Okta   # as the customer calls it
    issuer: https://{slug}.okta.com
    client_id: client-of-{slug}
    client_secret: ${{env:{variable}_CLIENT_SECRET}}
    authorization_url: https://{slug}.okta.com/authorize
    token_url: https://{slug}.okta.com/token
    userinfo_url: https://{slug}.okta.com/userinfo
    jwks_url: https://{slug}.okta.com/keys
"""


class Estate:
    """A checkout of main and its forge; ``publish`` runs the command as a job that has no credentials."""

    def __init__(self, place: Workplace, fake: Any, forge: str) -> None:
        self.place = place
        self.fake = fake
        self.git = fake.git
        self.forge = forge

    def add(self, *slugs: str) -> None:
        """Add organizations with a manifest each."""
        for slug in slugs:
            self.place.emulator.add_organization(slug)
            variable = slug.upper().replace("-", "_")
            self.place.setenv(f"{variable}_CLIENT_SECRET", f"canary-of-{slug}-9c1f")
            self.place.write(f"organizations/{slug}.yaml", MANIFEST.format(slug=slug, variable=variable))

    def push(self) -> None:
        """Make what is in the folder the newest commit of main, here and on the forge."""
        sha = self.place.commit()
        names = self.place.git("ls-files").splitlines()
        files = {name: (self.place.root / name).read_bytes() for name in names}
        self.git.push("main", files, sha=sha)

    def pull(self) -> None:
        """Bring the folder to what main is on the forge."""
        for name, content in self.git.files("main").items():
            (self.place.root / name).write_bytes(content)

    def apply(self, *words: str, folder: str = ".") -> str:
        """Apply, and return the file with its result."""
        file = self.place.root.parent / "apply.json"
        options = ("--auto-approve", "-q", "--output", f"json={file}")
        run = self.place.run("-C", folder, "apply", *options, *words)
        assert run.code == 0, run.output
        return str(file)

    def drift(self, *words: str, code: int = 2) -> str:
        """Detect drift, and return the file with the report."""
        file = self.place.root.parent / "drift.json"
        run = self.place.run("drift", "--no-secrets", "--output", f"json={file}", *words)
        assert run.code == code, run.output
        return str(file)

    @property
    def noun(self) -> str:
        """What the forge calls a pull request."""
        return "pull request" if self.forge == "github" else "merge request"

    def publish(self, *words: str, folder: str = ".") -> CompletedRun:
        """Run ``publish`` with the forge's token alone."""
        return self.without_credentials("-C", folder, "publish", self.forge, *words)

    def without_credentials(self, *words: str) -> CompletedRun:
        """Run the command without any credential of the service, or of a customer."""
        kept = {name: os.environ[name] for name in os.environ if _is_credential(name)}
        for name in kept:
            self.place.delenv(name)
        run = self.place.run(*words)
        for name, value in kept.items():
            self.place.setenv(name, value)
        return run

    def edit_live(self, slug: str, **fields: Any) -> None:
        """Edit the only connection of an organization, as somebody does in the dashboard."""
        (connection,) = self.place.live(slug)
        self.place.emulator.edit_connection(connection["connection_id"], **fields)

    def live_id(self, slug: str) -> str:
        (connection,) = self.place.live(slug)
        return str(connection["connection_id"])

    def on_branch(self, kind: str) -> dict[str, str]:
        """Return what the branch changes, by the lines that it adds to each file."""
        branch = self.git.branches[f"reconciler/{kind}-test"]
        base = self.git.merge_base(self.git.branches["main"], branch)
        before, after = self.git.commits[base].files, self.git.commits[branch].files
        return {path: _added(before[path], after[path]) for path in self.git.changed(base, branch)}

    def requests(self) -> list[Any]:
        """Return all pull requests, as objects with title, body and state."""
        if self.forge == "github":
            return list(self.fake.pulls)
        return [_MergeRequest(request) for request in self.fake.merge_requests]

    def issues(self) -> list[str]:
        """Return the texts of the open issues."""
        if self.forge == "github":
            return [issue.body for issue in self.fake.issues() if issue.state == "open"]
        return [issue["description"] for issue in self.fake.issues if issue["state"] == "opened"]


class _MergeRequest:
    def __init__(self, request: dict[str, Any]) -> None:
        self.title, self.body = request["title"], request["description"]
        self.state = {"opened": "open"}.get(request["state"], request["state"])
        self.comments = request["notes"]


def _added(before: bytes, after: bytes) -> str:
    known = before.decode().splitlines()
    return "\n".join(line.strip() for line in after.decode().splitlines() if line not in known)


def _is_credential(name: str) -> bool:
    return name.startswith("STYTCH_") or name.endswith("_CLIENT_SECRET")


@pytest.fixture(params=["github", "gitlab"])
def estate(
    request: pytest.FixtureRequest, bare: Workplace, running: RunningEmulator, tmp_path: Path
) -> Iterator[Estate]:
    bare.use(running)
    bare.git("init", "-q", "-b", "main")
    fake: Any = FakeGitHubPulls() if request.param == "github" else FakeGitLabMergeRequests()
    with fake:
        _set_environment(bare, fake, request.param, tmp_path)
        estate = Estate(bare, fake, request.param)
        estate.add("acme", "globex")
        yield estate


def _set_environment(place: Workplace, fake: Any, forge: str, folder: Path) -> None:
    if forge == "gitlab":
        place.setenv("GITLAB_TOKEN", fake_gitlab.TOKEN)
        place.setenv("CI_PROJECT_ID", fake_gitlab.PROJECT)
        place.setenv("CI_API_V4_URL", fake.api_url)
        return
    event = folder / "event.json"
    event.write_text(json.dumps({}), encoding="utf-8")
    place.setenv("GITHUB_TOKEN", fake_github.TOKEN)
    place.setenv("GITHUB_REPOSITORY", fake_github.REPOSITORY)
    place.setenv("GITHUB_API_URL", fake.api_url)
    place.setenv("GITHUB_EVENT_PATH", str(event))
