"""``reconciler init``: a commented starter project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString

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
}
"""What is written, and what it is a copy of."""


@click.command("init")
@click.argument("directory", default=".", type=NonEmptyString(), metavar="[DIR]")
def command(directory: str) -> int:
    """Write a commented starter project to DIR: project file, one organization, CI workflows.

    Nothing that exists is overwritten: if any of the files is there, none is written.
    """
    root = Path(directory)
    _refuse_to_overwrite(root)
    for name, original in FILES.items():
        _write(root / name, find_original(original).read_text(encoding="utf-8"))
        click.echo(f"wrote {root / name}")
    click.echo(
        "\nNext: edit organizations/example.yaml, then run `reconciler validate` and `reconciler plan`."
    )
    return ExitCode.SUCCESS


def find_original(name: str) -> Path:
    """Return a starter file; what is an example too is in the wheel, but not twice in a checkout."""
    packed = _STARTER / name
    return packed if packed.exists() else _CHECKOUT / name


def _refuse_to_overwrite(root: Path) -> None:
    for path in (root / name for name in FILES):
        if path.exists() or path.is_symlink():
            raise click.ClickException(f"{path} exists already; nothing was written")


def _write(path: Path, text: str) -> None:
    from reconciler.storage.files import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot create {path.parent}: {error.strerror}") from error
    write_atomically(path, text)
