"""Secrets in GNOME's keyring through plan, apply, an empty plan and a rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.gnome_keyring import GnomeKeyring
    from tests.support.workplace import Workplace

FIRST, SECOND = "canary-of-the-first~secret", "canary-of-the-second~secret"


@pytest.fixture
def project(place: Workplace) -> Workplace:
    place.write("reconciler.yaml", "secrets: {keyring: {allow: ['sso/{organization}/*']}}\n")
    place.add_organization("acme")
    place.declare("acme", client_secret="${keyring:sso/acme/okta}")
    return place


def test_plan_apply_and_rotate(project: Workplace, keyring: GnomeKeyring) -> None:
    keyring.store("sso/acme", "okta", FIRST)
    plan = project.run("plan", "-v")
    assert (plan.code, "1 to add" in plan.out) == (0, True), plan.output
    project.applied()
    assert project.live("acme")[0]["client_secret"] == FIRST
    assert NO_CHANGES in project.run("plan").out

    keyring.store("sso/acme", "okta", SECOND)
    rotation = project.run("plan", "--out", "plan.json", "-v")
    assert "client_secret     = (sensitive value)" in rotation.out
    applied = project.run("apply", "plan.json", "-v")
    assert applied.code == 0, applied.output
    assert project.live("acme")[0]["client_secret"] == SECOND
    assert NO_CHANGES in project.run("plan").out
    printed = plan.output + rotation.output + applied.output + (project.root / "plan.json").read_text()
    assert "canary" not in printed


def test_a_locked_keyring(project: Workplace, locked: GnomeKeyring) -> None:
    run = project.run("plan")
    assert run.code == 1
    assert "${keyring:sso/acme/okta} cannot be resolved: the keyring is locked: unlock it" in run.output


def test_no_keyring_whatever_the_repository_says(project: Workplace) -> None:
    """A file in the repository chooses no keyring: only the environment and the user's own files do."""
    chosen = "[backend]\ndefault-keyring=keyring.backends.null.Keyring\nkeyring-path=/nonexistent\n"
    for folder in (".", ".config/python_keyring", "python_keyring", "config/python_keyring"):
        project.write(f"{folder}/keyringrc.cfg", chosen)
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        project.delenv(name)
    process = project.start("secrets", "check")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there is no keyring here: run in a session that has one, or choose another scheme" in out, err


def test_without_the_extra(project: Workplace) -> None:
    project.hide_module("keyring")
    run = project.run("plan")
    assert run.code == 1
    assert "the scheme keyring needs an extra: pip install 'oidc-reconciler[keyring]'" in run.output
