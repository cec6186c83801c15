"""Checks that the reference lists the environment variables that the program reads, and no others."""

from __future__ import annotations

import re

import pytest

from tests.docs.generators import PACKAGE
from tests.docs.pages import ROOT, read

NOT_READ = (
    "emulator/",
    "cli/demo.py",  # sets those of its example
    "cli/starter/",
    "secrets/reserved_variables.py",  # names what manifests cannot read
    "storage/git.py",  # sets those of Git
)
READ_BY_LIBRARIES = {
    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
    "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED", "PYTHON_KEYRING_BACKEND",
}  # fmt: skip
_PREFIXES = "STYTCH|RECONCILER|GITHUB|GITLAB|GH|CI|JOB|NO|FORCE|VAULT"
_VARIABLE = re.compile(rf'"((?:{_PREFIXES})_[A-Z0-9_]*[A-Z0-9])"')
_LOOKED_UP = re.compile(r'(?:environ|environment)(?:\.get\(|\[)"([A-Z][A-Z0-9_]*)"')
_PARTS = re.compile(r'f"GITHUB_\{name\}".*for name in \((.*)\)')


def variables_read_by(source: str) -> set[str]:
    """Return the variables that a module names, whole or in parts."""
    parts = {f"GITHUB_{part}" for names in _PARTS.findall(source) for part in re.findall(r"\w+", names)}
    return {*_VARIABLE.findall(source), *_LOOKED_UP.findall(source), *parts}


def test_the_page_lists_the_variables_that_are_read_and_no_others() -> None:
    modules = {path.relative_to(PACKAGE).as_posix(): read(path) for path in PACKAGE.rglob("*.py")}
    names = {
        name
        for module, source in modules.items()
        if not module.startswith(NOT_READ)
        for name in variables_read_by(source)
    }
    rows = re.findall(r"^\| (`.*?`) \|", read(ROOT / "docs/reference/environment-variables.md"), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    assert listed == names | READ_BY_LIBRARIES


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('os.environ.get("RECONCILER_NEW")', {"RECONCILER_NEW"}),
        ('X: Final = "CI_API_V5_URL"', {"CI_API_V5_URL"}),
        ('[env(f"GITHUB_{name}") for name in ("JOB", "RUN_ID")]', {"GITHUB_JOB", "GITHUB_RUN_ID"}),
        ('environment["TERM"]', {"TERM"}),
        ('"see RECONCILER_NEW"', set()),
    ],
)
def test_a_variable_that_is_read_is_detected(source: str, names: set[str]) -> None:
    assert variables_read_by(source) == names
