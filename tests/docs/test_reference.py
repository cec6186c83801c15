"""Checks that the reference lists every environment variable, and the exit codes of every command."""

from __future__ import annotations

import re

from reconciler.cli.commands import VERBS
from tests.docs.generators import PACKAGE
from tests.docs.pages import ROOT, read

READERS = (
    "cli/console.py",
    "cli/options.py",
    "cli/publish.py",
    "providers/stytch/credentials.py",
    "providers/stytch/declared_target.py",
    "secrets/policy.py",
)
_VARIABLE = re.compile(r'"((?:STYTCH|RECONCILER|GITHUB|GITLAB|GH|CI|JOB|NO|FORCE)_[A-Z_]*[A-Z])"')


def test_every_variable_is_on_its_page() -> None:
    page = read(ROOT / "docs/reference/environment-variables.md")
    names = {name for reader in READERS for name in _VARIABLE.findall(read(PACKAGE / reader))}
    assert {"STYTCH_SECRET", "RECONCILER_ALLOWED_HOSTS", "GITLAB_TOKEN", "NO_COLOR"} <= names
    assert not [name for name in sorted(names) if f"`{name}`" not in page]


def test_every_command_has_its_exit_codes() -> None:
    page = read(ROOT / "docs/reference/exit-codes.md")
    table = page.partition("| command | 0 | 1 | 2 |\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(VERBS)
