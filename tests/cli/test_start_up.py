"""What the commands import: --help, --version, validate and show load no HTTP library."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import Workplace

pytestmark = pytest.mark.usefixtures("unmeasured")

SECRET_STORES = {"pyrage", "hvac", "requests", "boto3", "botocore", "keyring", "secretstorage"}
HEAVY = SECRET_STORES | {
    "asyncio",
    "deepdiff",
    "httpx",
    "jinja2",
    "pydantic",
    "rich",
    "starlette",
    "structlog",
    "uvicorn",
    "yaml",
}
_PROGRAM = """
import os, sys
from reconciler.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(" ".join({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported_by(place: Workplace, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        cwd=place.root, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_and_version_import_nothing_heavy(bare: Workplace, words: tuple[str, ...]) -> None:
    assert not imported_by(bare, *words) & HEAVY


def test_validate_imports_no_http_library(place: Workplace) -> None:
    allowed = {"yaml", "pydantic"}
    assert not imported_by(place, "validate") & (HEAVY - allowed)


@pytest.mark.parametrize("words", [("plan",), ("apply", "--auto-approve"), ("secrets", "check")])
def test_a_run_imports_the_library_of_no_secret_store_that_it_does_not_use(
    place: Workplace, words: tuple[str, ...]
) -> None:
    assert not imported_by(place, *words) & SECRET_STORES


@pytest.mark.parametrize("words", [("plan",), ("apply", "--auto-approve"), ("verify", "--help")])
def test_what_reads_the_keys_of_providers_is_loaded_once_there_are_some(
    place: Workplace, words: tuple[str, ...]
) -> None:
    assert not imported_by(place, *words) & {"jwt", "cryptography"}


@pytest.mark.parametrize("words", [("show", "plan.json"), ("schema", "plan"), ("schema", "organization")])
def test_show_and_schema_import_no_http_library(place: Workplace, words: tuple[str, ...]) -> None:
    place.run("plan", "--out", "plan.json")
    allowed = {"yaml", "pydantic", "deepdiff", "asyncio"}  # deepdiff imports asyncio
    assert not imported_by(place, *words) & (HEAVY - allowed)


def test_help_costs_little_more_than_a_bare_start(tmp_path: Path) -> None:
    """The bound is generous, for machines differ; what is imported is held above."""
    bare = cpu_seconds([sys.executable, "-c", "pass"], tmp_path)
    helped = cpu_seconds([sys.executable, "-m", "reconciler", "--help"], tmp_path)
    assert helped - bare < 0.150


def cpu_seconds(command: list[str], folder: Path) -> float:
    """The least of several runs, which is what disturbs nobody else's work the least."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)
