"""The action of another repository, by its hash: nothing of it is in the checkout that it works on."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from reconciler import __version__
from reconciler.cli.main import main
from tests.workflows.runner import OWN_ACTION, ROOT
from tests.workflows.scene import results
from tests.workflows.test_installation import install_with_stub
from tests.workflows.test_linting import zizmor_finds_nothing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.workflows.runner import Runner
    from tests.workflows.scene import Scene

HASH = "0123456789abcdef0123456789abcdef01234567"
REFERENCE = f"acme/reconciler@{HASH}"


@pytest.fixture
def downloaded(tmp_path: Path) -> Path:
    """The action's repository where GitHub's runner puts it, and its path below."""
    root = tmp_path / f"_actions/acme/reconciler/{HASH}"
    shutil.copytree(ROOT / OWN_ACTION, root / OWN_ACTION)
    for name in ("pyproject.toml", "reconciler/__main__.py"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def elsewhere(scene: Scene, downloaded: Path) -> Scene:
    """A repository that uses the action by its hash, as `init --action` writes it."""
    folder = scene.repository.folder
    shutil.rmtree(folder / ".github")
    (folder / "reconciler.yaml").rename(folder / "kept.yaml")
    for name in ("schemas", "organizations"):
        (folder / name).rename(folder / f"kept-{name}")
    assert main(["init", str(folder), "--action", REFERENCE]) == 0
    shutil.rmtree(folder / "organizations")
    (folder / "kept-organizations").rename(folder / "organizations")
    assert not (folder / ".github/actions").exists()
    scene.runner.actions[f"acme/reconciler/{OWN_ACTION}@{HASH}"] = downloaded / OWN_ACTION
    return scene


def test_its_workflows_run(elsewhere: Scene) -> None:
    elsewhere.repository.commit("use the action of another repository")
    jobs = elsewhere.merge()
    assert set(results(jobs).values()) == {"success"}
    assert elsewhere.live("acme")["status"] == "active"


def test_it_installs_from_its_own_folder(runner: Runner, downloaded: Path, tmp_path: Path) -> None:
    """The locked dependencies, and the package of the commit that the workflow names."""
    shutil.rmtree(runner.workspace / ".github/actions")
    result, log = install_with_stub(runner, tmp_path, folder=downloaded / OWN_ACTION)
    assert result.code == 0, result.out
    pip = f"{runner.temporary}: -I -m pip --disable-pip-version-check --quiet install --no-deps"
    lock = downloaded / OWN_ACTION / "requirements.lock"
    assert log[2:4] == [
        f"{pip} --require-hashes --only-binary :all: --requirement {lock}",
        f"{pip} --no-build-isolation {downloaded}",
    ]
    assert (runner.temporary / f"reconciler-{__version__}").exists()


def test_zizmor_finds_nothing_in_its_workflows(elsewhere: Scene) -> None:
    assert zizmor_finds_nothing(elsewhere.repository.folder) == {
        "reconciler-plan.yml",
        "reconciler-apply.yml",
        "reconciler-drift.yml",
    }
    text = "".join(file.read_text() for file in (elsewhere.repository.folder / ".github").rglob("*.yml"))
    assert "./.github" not in text
    assert f"{OWN_ACTION}/**" not in text


@pytest.mark.parametrize(
    "action", ["acme/reconciler", "acme/reconciler@v1", "acme/reconciler@" + "g" * 40, ""]
)
def test_a_tag_is_refused(tmp_path: Path, action: str) -> None:
    """A tag can be moved to another commit, which would then see the credentials."""
    assert main(["init", str(tmp_path / "new"), "--action", action]) == 1
    assert not (tmp_path / "new").exists()
