"""Who learns our token: the server at VAULT_ADDR alone, and only from the environment."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import pytest

from tests.openbao.impostor import impostor, response

if TYPE_CHECKING:
    from tests.openbao.conftest import VaultProject

TOKEN: Final = "canary-of-the-token"


STATUSES: Final = ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect")
REDIRECTS: Final = [
    pytest.param(status, target, marks=() if (status[:3], target[0]) == ("307", "{") else pytest.mark.proofs)
    for status in STATUSES
    for target in ("{other}/v1/x", "/v1/x")
]


@pytest.mark.parametrize(("status", "target"), REDIRECTS)
def test_no_redirect_is_followed(project: VaultProject, status: str, target: str) -> None:
    with impostor(response("200 OK", b"{}")) as other:
        location = f"Location: {target.format(other=other.address)}"
        with impostor(response(status, b"", location)) as server:
            project.place.setenv("VAULT_ADDR", server.address)
            project.place.setenv("VAULT_TOKEN", TOKEN)
            project.declare("acme")
            run = project.place.run("secrets", "check")
    assert (run.code, other.received, len(server.received)) == (1, [], 1)
    assert "VAULT_ADDR answers with a redirect, which is not followed" in run.out
    assert TOKEN in server.received[0].decode()


@pytest.mark.parametrize(
    "credentials", [{"VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": TOKEN}, {"VAULT_JWT": TOKEN}]
)
def test_no_login_is_sent_after_a_redirect(project: VaultProject, credentials: dict[str, str]) -> None:
    with impostor(response("200 OK", b"{}")) as other:
        location = f"Location: {other.address}/v1/auth/x/login"
        with impostor(response("307 Temporary Redirect", b"", location)) as server:
            project.place.delenv("VAULT_TOKEN")
            for name, value in {"VAULT_ADDR": server.address, "VAULT_ROLE": "ci", **credentials}.items():
                project.place.setenv(name, value)
            project.declare("acme")
            run = project.place.run("secrets", "check")
    assert (run.code, other.received) == (1, [])
    assert TOKEN not in run.output


def test_nothing_is_taken_from_the_home_folder(project: VaultProject) -> None:
    """Vault's own file of a token, and the passwords that requests would send, are not read."""
    home = project.place.root / "home"
    home.mkdir()
    (home / ".vault-token").write_text(TOKEN, encoding="utf-8")
    (home / ".netrc").write_text(f"machine 127.0.0.1 login x password {TOKEN}\n", encoding="utf-8")
    project.place.setenv("HOME", str(home))
    project.declare("acme")
    with impostor(response("200 OK", b"{}")) as server:
        project.place.setenv("VAULT_ADDR", server.address)
        project.place.setenv("VAULT_TOKEN", "")
        run = project.place.run("secrets", "check")
        assert (run.code, server.received) == (1, [])
        assert "there are no credentials for Vault" in run.out
        project.place.setenv("VAULT_TOKEN", "another")
        project.place.run("secrets", "check")
    (request,) = server.received
    assert b"authorization" not in request.lower()
    assert TOKEN.encode() not in request


def test_a_proxy_sees_no_request_to_loopback_and_only_a_tunnel_to_others(project: VaultProject) -> None:
    project.declare("acme")
    project.store("acme", "s3cret")
    with impostor(response("407 Proxy Authentication Required")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            project.place.setenv(name, proxy.address)
        project.place.setenv("NO_PROXY", "")
        assert project.place.run("secrets", "check").code == 0
        assert proxy.received == []
        project.place.setenv("VAULT_ADDR", "https://vault.example.com:8200")
        run = project.place.run("secrets", "check")
    assert proxy.received[0].startswith(b"CONNECT vault.example.com:8200 ")
    assert os.environ["VAULT_TOKEN"].encode() not in b"".join(proxy.received)
    assert f"the proxy {proxy.address.removeprefix('http://')} " in run.out


def test_no_log_of_a_library_holds_the_token_or_a_value(
    project: VaultProject, caplog: pytest.LogCaptureFixture
) -> None:
    project.declare("acme")
    project.store("acme", "canary-of-the-value")
    with caplog.at_level(logging.DEBUG):
        assert project.place.run("plan", "-v").code == 0
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}
    assert os.environ["VAULT_TOKEN"] not in caplog.text
    assert "canary" not in caplog.text
