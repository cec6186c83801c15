"""``reconciler init``: write a commented starter project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString
from reconciler.core.errors import UsageError, shell_word
from reconciler.manifests.json_schema import schema_text
from reconciler.reports.escaping import escape_terminal
from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STARTER: Final = Path(__file__).parent / "starter"
_CHECKOUT: Final = Path(__file__).parent.parent.parent

PROJECT_FILES: Final = {
    "reconciler.yaml": "reconciler.yaml",
    "organizations/example.yaml": "organizations/example.yaml",
}
"""The files of a starter project without CI, each with the file that it is a copy of."""

_LOCKS: Final = {
    name: name
    for extra in ("", "-age", "-vault", "-aws")
    for name in [f".github/actions/reconciler/requirements{extra}.lock"]
}
GITHUB_FILES: Final = {
    ".github/workflows/reconciler-plan.yml": "examples/github-actions/plan.yml",
    ".github/workflows/reconciler-apply.yml": "examples/github-actions/apply.yml",
    ".github/workflows/reconciler-drift.yml": "examples/github-actions/drift.yml",
    ".github/actions/reconciler/action.yml": ".github/actions/reconciler/action.yml",
    ".github/actions/reconciler/run.py": ".github/actions/reconciler/run.py",
    ".github/actions/reconciler/install.py": ".github/actions/reconciler/install.py",
    **_LOCKS,
}
GITLAB_FILES: Final = {
    ".gitlab-ci.yml": "examples/gitlab-ci/.gitlab-ci.yml",
    ".github/actions/reconciler/install.py": ".github/actions/reconciler/install.py",
    **_LOCKS,
}
CI_FILES: Final = {"github": GITHUB_FILES, "gitlab": GITLAB_FILES, "none": dict[str, str]()}
"""What is added for each CI system."""

FILES: Final = PROJECT_FILES | GITHUB_FILES
"""All files of a starter project for GitHub."""

SCHEMAS: Final = ("organization", "project", "approvals")
"""The schemas of the files that people write."""

PACKAGE_LOCK: Final = ".github/actions/reconciler/package.lock"
"""The hash of this release, for the action that installs it; only released packages contain it."""


_ACTION_FOLDER: Final = ".github/actions/reconciler/"
_USES_COPY: Final = re.compile(r"uses: \./\.github/actions/reconciler\b.*")
_WATCHES_COPY: Final = f"      - {_ACTION_FOLDER}**\n"
_ACTION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+@[0-9a-f]{40}", re.ASCII)


def _read_action(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the repository and hash of the action to use; empty if it is copied."""
    if value == "copy":
        return ""
    if not _ACTION.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} must be `copy`, or OWNER/REPOSITORY@HASH with the 40 digits of a commit, because a "
            "tag can be moved; `git ls-remote https://github.com/OWNER/REPOSITORY TAG` prints them"
        )
    return value


@click.command("init")
@click.argument("directory", default=".", type=NonEmptyString(), metavar="[DIR]")
@click.option("--ci", type=click.Choice(tuple(CI_FILES)), default="github", show_default=True,
              help="Write the workflows of GitHub, the pipeline of GitLab, or neither.")  # fmt: skip
@click.option("--action", default="copy", show_default=True, metavar="copy|OWNER/REPOSITORY@HASH",
              callback=_read_action,
              help="Write the action that workflows use, or use that of a repository.")  # fmt: skip
def command(directory: str, ci: str, action: str) -> int:
    """Write a starter project to DIR: project file, an example manifest, schemas, CI workflows.

    Asks nothing. The example is commented out, so that a plan of the new project has no changes.
    Nothing is overwritten: if any of the files exists, none is written.
    """
    root = Path(directory)
    if action and ci != "github":
        raise click.UsageError("--action is about the workflows of GitHub: omit it, or use --ci github")
    texts = _texts(PROJECT_FILES | CI_FILES[ci], action)
    _check_writable(root, texts)
    for name, text in texts.items():
        _write(root / name, text)
        click.echo(f"wrote {escape_terminal(str(root / name))}")
    click.echo(_next_steps(directory), nl=False)
    return ExitCode.SUCCESS


def schema_files() -> dict[str, str]:
    """Return the schemas that the first line of a manifest or project file names, for editors."""
    return {f"schemas/{name}.schema.json": schema_text(name) for name in SCHEMAS}


def find_original(name: str) -> Path:
    """Return a starter file; in a checkout, examples and actions are outside of the package."""
    packaged = _STARTER / name
    return packaged if packaged.exists() else _CHECKOUT / name


def _texts(originals: Mapping[str, str], action: str) -> dict[str, str]:
    """Return the text of each file of the project; ``originals`` are the files that they are copies of."""
    has_installer = any(name.startswith(_ACTION_FOLDER) for name in originals)
    if has_installer and find_original(PACKAGE_LOCK).exists():
        originals = {**originals, PACKAGE_LOCK: PACKAGE_LOCK}
    texts = {
        name: find_original(original).read_text(encoding="utf-8")
        for name, original in originals.items()
        if not (action and name.startswith(_ACTION_FOLDER))
    }
    if action:
        texts = {name: _using(action, text) for name, text in texts.items()}
    return texts | schema_files()


def _using(action: str, text: str) -> str:
    """Return a workflow that uses the action of a repository instead of the copy."""
    repository, _, commit = action.partition("@")
    uses = f"uses: {repository}/{_ACTION_FOLDER.rstrip('/')}@{commit}"
    return _USES_COPY.sub(uses, text).replace(_WATCHES_COPY, "")


def _next_steps(directory: str) -> str:
    change_folder = "" if Path(directory) == Path() else f"   cd {escape_terminal(shell_word(directory))}\n"
    return f"""
Next, with the credentials of your Stytch project:

{change_folder}   export STYTCH_PROJECT_ID=project-test-… STYTCH_SECRET=secret-test-…
   reconciler import --all --secrets none   # write a manifest for each organization that exists
   reconciler plan                          # No changes.

To declare a connection that does not exist yet, see organizations/example.yaml.
"""


def _check_writable(root: Path, names: Iterable[str]) -> None:
    """Check that no file exists, and that no folder is something else.

    Raises:
        UsageError: nothing can be written there.
    """
    try:
        for path in (root / name for name in names):
            if path.exists() or path.is_symlink():
                raise UsageError(
                    f"{path} exists already; nothing was written: name a new folder for the project"
                )
            for folder in path.parents:
                if folder.exists() and not folder.is_dir():
                    raise UsageError(f"{folder} is not a folder; nothing was written")
    except OSError as error:
        raise UsageError(f"cannot look into {root}: {error.strerror}; nothing was written") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot create {path.parent}: {error.strerror}") from error
    write_atomically(path, text)
