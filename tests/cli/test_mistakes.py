"""Mistakes of the command line, of credentials and of the network: the whole message, as a golden file.

Each message has a cause, a place (the option, the variable, the address or the host) and a remedy. Those of
manifests are in `tests/manifests/mistakes`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import CompletedRun, Workplace

MISTAKES = Path(__file__).parent / "mistakes"

COMMAND_LINES = {
    "command-misspelt": "pln",
    "command-of-terraform-fmt": "fmt",
    "command-of-terraform-state": "state list",
    "command-of-terraform-refresh": "refresh",
    "command-of-terraform-destroy": "destroy",
    "command-of-terraform-workspace": "workspace select live",
    "command-that-nobody-knows": "frobnicate",
    "subcommand-misspelt": "secrets checks",
    "option-misspelt": "plan --targt acme/sso",
    "option-with-one-hyphen-auto-approve": "apply -auto-approve",
    "option-with-one-hyphen-out": "plan -out=x",
    "option-with-one-hyphen-target": "plan -target=acme/sso",
    "option-with-one-hyphen-var": "plan -var tenant=acme",
    "option-of-terraform-refresh-only": "plan -refresh-only",
    "option-of-terraform-destroy": "apply -destroy",
    "option-of-terraform-chdir": "-chdir=shop plan",
    "option-of-terraform-no-color": "plan -no-color",
    "option-without-value": "plan --target",
    "format-unknown": "plan --format yaml",
    "argument-missing": "output",
    "choice-missing": "completion",
    "folder-missing": "-C nowhere plan",
    "project-file-missing": "--config nope.yaml plan",
    "path-missing": "plan organisations",
    "saved-plan-missing": "apply plan.jsn",
    "no-terminal": "apply",
}
"""Command lines that fail with exit code 1, and before anything is requested but for the last."""


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_a_command_line(name: str, place: Workplace, matches_golden: Callable[[str, Path], None]) -> None:
    run = place.run(*COMMAND_LINES[name].split())
    assert run.code == 1
    assert name == "no-terminal" or not len(place.emulator.request_log)
    matches_golden(seen(run), MISTAKES / f"{name}.txt")


def no_credentials(place: Workplace) -> None:
    place.delenv("STYTCH_PROJECT_ID")
    place.delenv("STYTCH_SECRET")


def no_secret(place: Workplace) -> None:
    place.delenv("STYTCH_SECRET")


def wrong_secret(place: Workplace) -> None:
    place.setenv("STYTCH_SECRET", "secret-test-2222222222222222222222222222222222222222222")


def swapped(place: Workplace) -> None:
    project, secret = place.emulator.settings.project.project_id, place.emulator.settings.project.secret
    place.setenv("STYTCH_PROJECT_ID", secret)
    place.setenv("STYTCH_SECRET", project)


def wrong_port(place: Workplace) -> None:
    place.setenv("STYTCH_BASE_URL", "http://127.0.0.1:9")


def base_url_with_a_path(place: Workplace) -> None:
    place.setenv("STYTCH_BASE_URL", f"{place.base_url}/v1/b2b")


def expired_session(place: Workplace) -> None:
    no_credentials(place)
    place.setenv("STYTCH_PUBLIC_TOKEN", place.emulator.settings.project.public_token)
    place.setenv("STYTCH_SESSION_TOKEN", "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFhT8ds245v7Q9")


def no_permission(place: Workplace) -> None:
    session = place.emulator.add_session("acme", "stytch_member")
    expired_session(place)
    place.setenv("STYTCH_SESSION_TOKEN", str(session["session_token"]))
    (place.root / "organizations/globex.yaml").unlink()


def missing_variable(place: Workplace) -> None:
    place.delenv("ACME_CLIENT_SECRET")


def missing_folder(place: Workplace) -> None:
    (place.root / "organizations").rename(place.root / "orgs")


SURROUNDINGS = {
    "no-credentials": no_credentials,
    "no-secret": no_secret,
    "wrong-secret": wrong_secret,
    "id-and-secret-swapped": swapped,
    "wrong-port": wrong_port,
    "base-url-with-a-path": base_url_with_a_path,
    "expired-session": expired_session,
    "no-permission": no_permission,
    "missing-variable": missing_variable,
    "missing-folder": missing_folder,
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_surrounding(name: str, place: Workplace, matches_golden: Callable[[str, Path], None]) -> None:
    SURROUNDINGS[name](place)
    run = place.run("plan")
    assert run.code == 1
    for variable in ("STYTCH_SECRET", "STYTCH_SESSION_TOKEN"):
        assert os.environ.get(variable, "\0") not in run.output
    matches_golden(seen(run), MISTAKES / f"{name}.txt")


BAD_INPUT = {
    "output-of-an-unknown-address": "output acme/okta",
    "output-of-an-unknown-organization": "output initech/okta",
    "output-of-no-address": "output acme",
    "output-of-an-unknown-field": "output acme/sso redirect-url",
    "output-of-the-secret": "output acme/sso client_secret",
    "list-of-an-unknown-organization": "list initech",
    "explain-of-an-unknown-code": "explain unpined-organization",
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input(name: str, place: Workplace, matches_golden: Callable[[str, Path], None]) -> None:
    """One clear line each, exit code 1, and nothing written."""
    place.add_organization("unused", "okta")
    before = sorted(place.root.rglob("*"))
    run = place.run(*BAD_INPUT[name].split())
    assert run.code == 1
    assert run.err.count("Error: ") == 1
    assert sorted(place.root.rglob("*")) == before
    assert not place.emulator.request_log.writes
    matches_golden(seen(run), MISTAKES / f"{name}.txt")


def seen(run: CompletedRun) -> str:
    """Return what is printed, without ports, ids of requests and times."""
    text = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:12345", run.err + run.out)
    text = re.sub(r"request-id-test-[0-9a-f-]{36}", "request-id-test-…", text)
    text = re.sub(r"\d+ attempts", "N attempts", re.sub(r"in \d+ s\b", "in N s", text))
    return re.sub(r"^(no connection, retrying in N s\n)+", r"\1", text)
