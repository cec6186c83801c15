"""Credentials and addresses: what is accepted, where it leads, and that nothing shows a secret."""

from __future__ import annotations

from base64 import b64decode

import pytest

from reconciler.core.errors import UsageError
from reconciler.core.secret import Secret
from reconciler.providers.stytch.credentials import ProjectTarget, SessionTarget
from tests.providers.support import CANARIES, SECRET, TOKEN


def project(project_id: str = "project-test-1", base_url: str = "", secret: str = SECRET) -> ProjectTarget:
    return ProjectTarget(project_id=project_id, secret=Secret(secret), base_url=base_url)


def member(
    public_token: str = "public-token-test-1", base_url: str = "", token: str = TOKEN
) -> SessionTarget:
    return SessionTarget(public_token=public_token, session_token=Secret(token), base_url=base_url)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (project("project-test-1"), "https://test.stytch.com"),
        (project("project-live-1"), "https://api.stytch.com"),
        (member("public-token-test-1"), "https://test.stytch.com"),
        (member("public-token-live-1"), "https://api.stytch.com"),
        (project(base_url="https://login.example.com/"), "https://login.example.com"),
        (project("project-live-1", base_url="http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
        (member(base_url="http://[::1]:8080"), "http://[::1]:8080"),
        (project(base_url="http://localhost:8080"), "http://localhost:8080"),
    ],
)
def test_the_address_follows_from_the_prefix_unless_it_is_given(
    target: ProjectTarget | SessionTarget, address: str
) -> None:
    assert target.address == address


@pytest.mark.parametrize(
    "project_id",
    [
        "",
        "project-1",
        "project-prod-1",
        "Project-test-1",
        "project-test-",
        "project-test-1:x",
        " project-test-1",
    ],
)
def test_any_other_project_id_is_refused(project_id: str) -> None:
    with pytest.raises(UsageError, match="project_id"):
        project(project_id)


@pytest.mark.parametrize("public_token", ["", "public-token-1", "secret-test-canary-project"])
def test_any_other_public_token_is_refused_and_not_shown_as_it_may_be_a_mistaken_secret(
    public_token: str,
) -> None:
    with pytest.raises(UsageError, match="public_token") as caught:
        member(public_token)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://login.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://login.example.com",
        "login.example.com",
        "https://",
        "https://user:canary@login.example.com",
        "https://login.example.com/path",
        "https://login.example.com?x=1",
        "https://login.example.com#x",
        "https://login.example.com:99999",
        "https://login .example.com",
        "https://[::1",
    ],
)
def test_credentials_are_sent_to_plain_https_addresses_only(base_url: str) -> None:
    with pytest.raises(UsageError, match="base_url") as caught:
        project(base_url=base_url)
    with pytest.raises(UsageError, match="base_url"):
        member(base_url=base_url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["", " ", "canary\r\nX-Injected: 1", "canary\u00e9", "canary x"])
def test_a_secret_that_no_header_can_carry_is_refused_without_being_shown(value: str) -> None:
    for make in (lambda: project(secret=value), lambda: member(token=value)):
        with pytest.raises(UsageError) as caught:
            make()
        assert "canary" not in str(caught.value)


def test_the_headers_prove_who_calls() -> None:
    target = ProjectTarget(
        project_id="project-test-1",
        secret=Secret(SECRET),
        session_token=Secret(TOKEN),
        session_jwt=Secret("a.b.c"),
    )
    headers = target.headers()
    assert b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == f"project-test-1:{SECRET}"
    assert headers["X-Stytch-Member-Session"] == TOKEN
    assert headers["X-Stytch-Member-SessionJWT"] == "a.b.c"
    assert not any(canary in repr(target) + str(target) for canary in CANARIES)


def test_without_a_member_there_are_no_member_headers() -> None:
    assert set(project().headers()) == {"Authorization"}


@pytest.mark.parametrize("host", ["a..b", "a" * 64, ".".join(["a" * 60] * 5), "1.2.3.4.5", "256.1.1.1"])
def test_a_host_that_cannot_be_looked_up_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="base_url"):
        project(base_url=f"https://{host}")
