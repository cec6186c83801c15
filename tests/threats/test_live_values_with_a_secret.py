"""A live value that is, or holds, the client secret is masked wherever it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

SECRET = "hidden-acme-value"
FORMATS = ("text", "json", "markdown", "html")
VALUES = {
    "client_id": SECRET,
    "issuer": f"https://acme.example.com/{SECRET}",
    "token_url": f"https://acme.example.com/token?client_secret={SECRET}",
    "custom_scopes": f"openid {SECRET}",
    "attribute_mapping": {"email": SECRET, SECRET: "groups"},
}


@pytest.fixture
def leaking(connected: Workplace) -> Workplace:
    """Somebody has pasted the secret into other fields, of a declared and of an undeclared connection."""
    for name in ("sso", "undeclared", SECRET):
        connected.emulator.add_connection("acme", **okta(name, client_secret=SECRET, **VALUES))
    base = "https://acme.example.com"
    connected.declare(
        "acme", issuer=base, token_url=f"{base}/token", custom_scopes=["openid"], attribute_mapping={"a": "b"}
    )
    return connected


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_it_is_masked_in_every_format(leaking: Workplace, command: str, format_: str) -> None:
    """Threats 2: a live value equal to a resolved secret is masked."""
    run = leaking.run(command, "--format", format_, *(["--out", "p.json"] if command == "plan" else []))
    assert "client_id" in run.out
    written = (leaking.root / "p.json").read_text() if command == "plan" else ""
    assert SECRET not in run.output + written


def test_what_is_masked_can_be_applied(leaking: Workplace) -> None:
    """Threats 2: the mask is shown, and never written; a saved plan still knows its connection."""
    rules = ("issuer-change", "secret-kept", "issuer-host-change", "token-url-host-change")
    leaking.write("reconciler.yaml", f"policies: {{{': off, '.join(rules)}: off}}\n")
    saved = leaking.run("plan", "--out", "p.json")
    assert saved.code == 0, saved.output
    run = leaking.run("apply", "p.json")
    assert run.code == 0, run.output
    assert SECRET not in run.output
    updated = next(live for live in leaking.live("acme") if live["display_name"] == "sso")
    assert updated["client_id"] == "client-of-acme"
    assert "sensitive" not in str(updated)


def test_it_is_masked_when_it_is_deleted(leaking: Workplace) -> None:
    """Threats 2: so is a connection that goes."""
    leaking.write(
        "organizations/acme.yaml",
        "organization: acme\n"
        "connections: {sso: {state: absent, client_secret: '${env:ACME_CLIENT_SECRET}'}}\n",
    )
    run = leaking.run("plan", "--format", "json")
    assert "delete" in run.out
    assert SECRET not in run.output


def test_an_import_does_not_write_it_down(leaking: Workplace) -> None:
    """Threats 2: a manifest declares no value that is or holds the live secret."""
    (leaking.root / "organizations/acme.yaml").unlink()
    run = leaking.run("import", "acme")
    assert run.code == 0, run.output
    written = "".join(path.read_text() for path in (leaking.root / "organizations").iterdir())
    assert "client_id is not declared" in written
    assert SECRET not in written + run.output
