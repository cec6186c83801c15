"""``reconciler init``: write a commented starter project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString
from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

_STARTER: Final = Path(__file__).parent / "starter"
_CHECKOUT: Final = Path(__file__).parent.parent.parent

FILES: Final = {
    "reconciler.yaml": "reconciler.yaml",
    "organizations/example.yaml": "organizations/example.yaml",
    ".github/workflows/reconciler-plan.yml": "examples/github-actions/plan.yml",
    ".github/workflows/reconciler-apply.yml": "examples/github-actions/apply.yml",
    ".github/workflows/reconciler-drift.yml": "examples/github-actions/drift.yml",
    ".github/actions/reconciler/action.yml": ".github/actions/reconciler/action.yml",
    ".github/actions/reconciler/run.py": ".github/actions/reconciler/run.py",
    ".github/actions/reconciler/install.py": ".github/actions/reconciler/install.py",
    ".github/actions/reconciler/requirements.lock": ".github/actions/reconciler/requirements.lock",
}
"""The files of a starter project, each with the file that it is a copy of."""

PACKAGE_LOCK: Final = ".github/actions/reconciler/package.lock"
"""The hash of this release, for the action that installs it; only released packages contain it."""


@click.command("init")
@click.argument("directory", default=".", type=NonEmptyString(), metavar="[DIR]")
def command(directory: str) -> int:
    """Write a commented starter project to DIR: project file, one manifest, CI workflows.

    Nothing is overwritten: if any of the files exists, none is written.
    """
    root = Path(directory)
    files = dict(FILES)
    if find_original(PACKAGE_LOCK).exists():
        files[PACKAGE_LOCK] = PACKAGE_LOCK
    _check_absent(root, files)
    for name, original in files.items():
        _write(root / name, find_original(original).read_text(encoding="utf-8"))
        click.echo(f"wrote {root / name}")
    click.echo(
        "\nNext: edit organizations/example.yaml, then run `reconciler validate` and `reconciler plan`."
    )
    return ExitCode.SUCCESS


def find_original(name: str) -> Path:
    """Return a starter file; in a checkout, examples and actions are outside of the package."""
    packaged = _STARTER / name
    return packaged if packaged.exists() else _CHECKOUT / name


def _check_absent(root: Path, names: Iterable[str]) -> None:
    for path in (root / name for name in names):
        if path.exists() or path.is_symlink():
            raise click.ClickException(f"{path} exists already; nothing was written")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot create {path.parent}: {error.strerror}") from error
    write_atomically(path, text)
