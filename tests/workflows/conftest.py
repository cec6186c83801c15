"""Fixtures: a repository that `init` created, with two organizations, an emulator and a workflow runner."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.main import main
from reconciler.emulator import EmulatorSettings, running_emulator
from tests.publishers.fake_github import FakeGitHub
from tests.workflows.runner import Runner
from tests.workflows.scene import Scene
from tests.workflows.warm import warm_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.emulator import RunningEmulator

MANIFEST = """\
organization: {slug}
connections:
  okta:
    display_name: {slug} Okta
    issuer: https://{slug}.okta.com
    client_id: client-of-{slug}
    client_secret: ${{env:EXAMPLE_OKTA_CLIENT_SECRET}}
    authorization_url: https://{slug}.okta.com/authorize
    token_url: https://{slug}.okta.com/token
    userinfo_url: https://{slug}.okta.com/userinfo
    jwks_url: https://{slug}.okta.com/keys
"""
OKTA_CLIENT_SECRET = "canary-of-okta-0f6a"


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(random_seed=1)) as emulator:
        for slug in ("acme", "globex"):
            emulator.emulator.add_organization(slug)
        yield emulator


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "repository"
    assert main(["init", str(folder)]) == 0
    (folder / "organizations/example.yaml").unlink()
    repository = Repository(folder)
    for slug in ("acme", "globex"):
        repository.write(f"organizations/{slug}.yaml", MANIFEST.format(slug=slug))
    repository.git("init", "-q", "-b", "main")
    repository.commit("begin")
    return repository


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a `reconciler` that needs not be imported for each run."""
    with warm_command(tmp_path_factory.mktemp("warm")) as executable:
        yield executable.parent


@pytest.fixture
def runner(repository: Repository, running: RunningEmulator, tmp_path: Path, warm: Path) -> Runner:
    home = tmp_path / "runner"
    home.mkdir()
    project = running.emulator.settings.project
    runner = Runner(
        workspace=repository.folder,
        home=home,
        secrets={
            "STYTCH_PROJECT_ID": project.project_id,
            "STYTCH_SECRET": project.secret,
            "EXAMPLE_OKTA_CLIENT_SECRET": OKTA_CLIENT_SECRET,
        },
        # no workflow sets the API's address; the project's id selects it
        environment={"STYTCH_BASE_URL": running.base_url},
        programs=warm,
    )
    assert runner.run_action({"command": "install"}).code == 0
    return runner


@pytest.fixture
def scene(runner: Runner, repository: Repository, running: RunningEmulator) -> Iterator[Scene]:
    """A repository on GitHub. In the end, no secret is in anything that its workflows left behind."""
    ask_no_other_host(repository)
    with FakeGitHub() as github:
        scene = Scene(runner, repository, running, github)
        yield scene
        assert not scene.leaks()


def ask_no_other_host(repository: Repository) -> None:
    """Let `verify` ask identity providers on this machine only: the issuers of the manifests are real."""
    text = (repository.folder / "reconciler.yaml").read_text(encoding="utf-8")
    repository.write("reconciler.yaml", f"{text}\nidp: {{allow_hosts: [127.0.0.1]}}\n")
    repository.commit("ask providers on this machine only")


def use_provider(repository: Repository, running: RunningEmulator, slug: str, **fields: object) -> None:
    """Declare an organization's connection at an identity provider of the emulator."""
    issuer = f"{running.base_url}{running.emulator.add_identity_provider(slug, **fields)}"
    repository.replace(f"organizations/{slug}.yaml", f"https://{slug}.okta.com/keys", f"{issuer}/jwks")
    repository.replace(f"organizations/{slug}.yaml", f"https://{slug}.okta.com", issuer)


class Repository:
    """A Git repository of manifests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"]
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        process = subprocess.run(
            ["git", *identity, *words],
            cwd=self.folder,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return process.stdout
