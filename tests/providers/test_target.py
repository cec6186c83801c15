"""Which Stytch project a run is for, and as whom it calls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import InvalidConfiguration, UsageError
from reconciler.core.secret import Secret
from reconciler.manifests import load_project
from reconciler.providers.stytch.credentials import (
    ProjectTarget,
    SessionTarget,
    Target,
    public_token_of,
    resolve_target,
)
from reconciler.secrets import resolve_reference

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "secret-test-canary"
PROJECT = {"STYTCH_PROJECT_ID": "project-test-1", "STYTCH_SECRET": CANARY}
ALLOWED = "RECONCILER_ALLOWED_TARGET_REFERENCES"
SESSION = {"STYTCH_PUBLIC_TOKEN": "public-token-test-1", "STYTCH_SESSION_TOKEN": CANARY}


def resolve(folder: Path, environment: dict[str, str], target: str = "") -> Target:
    if target:
        (folder / "reconciler.yaml").write_text(f"target: {target}\n")
    project = load_project(None, folder)
    access = project.secret_access(environment).without_limits()
    read_secret = partial(resolve_reference, access=access)
    return resolve_target(project.target, environment, read_secret)


def refusal(folder: Path, environment: dict[str, str], target: str = "") -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidConfiguration) as refused:
        resolve(folder, environment, target)
    assert CANARY not in str(refused.value)
    return [
        (diagnostic.code, diagnostic.summary, diagnostic.hint) for diagnostic in refused.value.diagnostics
    ]


def test_the_environment_is_enough(tmp_path: Path) -> None:
    assert resolve(tmp_path, PROJECT) == ProjectTarget(project_id="project-test-1", secret=Secret(CANARY))


@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ({"STYTCH_PROJECT_ID": "project-live-1"}, "https://api.stytch.com"),
        ({"STYTCH_BASE_URL": "https://login.example.com/"}, "https://login.example.com"),
        ({"STYTCH_BASE_URL": "http://127.0.0.1:4000"}, "http://127.0.0.1:4000"),
        ({"STYTCH_BASE_URL": ""}, "https://test.stytch.com"),
    ],
)
def test_the_address_follows_the_project_unless_it_is_given(
    tmp_path: Path, environment: dict[str, str], base_url: str
) -> None:
    assert resolve(tmp_path, PROJECT | environment).address == base_url


@pytest.mark.parametrize("base_url", ["https://test.stytch.com", "https://api.stytch.com/"])
def test_the_hosts_of_the_service_need_no_permission(tmp_path: Path, base_url: str) -> None:
    assert resolve(tmp_path, PROJECT, f"{{base_url: '{base_url}'}}").address == base_url.rstrip("/")


def test_a_member_session_goes_with_the_project(tmp_path: Path) -> None:
    target = resolve(tmp_path, PROJECT | {"STYTCH_SESSION_TOKEN": "session"})
    assert isinstance(target, ProjectTarget)
    assert target.session_token == Secret("session")


def test_the_session_may_be_given_as_a_jwt(tmp_path: Path) -> None:
    target = resolve(tmp_path, PROJECT | {"STYTCH_SESSION_JWT": "header.claims.signature"})
    assert isinstance(target, ProjectTarget)
    assert (target.session_token, target.session_jwt) == (None, Secret("header.claims.signature"))


def test_a_declared_jwt_outweighs_a_token_in_the_environment(tmp_path: Path) -> None:
    environment = PROJECT | {"STYTCH_SESSION_TOKEN": "session", "STYTCH_MEMBER": "header.claims.signature"}
    target = resolve(tmp_path, environment, "{session_jwt: '${env:STYTCH_MEMBER}'}")
    assert isinstance(target, ProjectTarget)
    assert (target.session_token, target.session_jwt) == (None, Secret("header.claims.signature"))


def test_a_token_and_a_jwt_at_once_are_refused(tmp_path: Path) -> None:
    environment = PROJECT | {"STYTCH_SESSION_TOKEN": "session", "STYTCH_SESSION_JWT": "a.b.c"}
    assert refusal(tmp_path, environment) == [
        (
            "target-ambiguous",
            "both a session token and a session JWT are given",
            "keep one of session_token and session_jwt; a JWT expires after five minutes",
        )
    ]


@pytest.mark.parametrize(
    ("other", "summary"),
    [
        ("session_token: '${env:TOKEN}'", "the target has both a session token and a session JWT"),
        ("public_token: public-token-test-1", "the frontend API does not accept a session JWT"),
    ],
)
def test_a_jwt_is_declared_alone(tmp_path: Path, other: str, summary: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(f"target: {{session_jwt: '${{env:JWT}}', {other}}}\n")
    with pytest.raises(InvalidConfiguration) as refused:
        load_project(None, tmp_path)
    findings = [(diagnostic.code, diagnostic.summary) for diagnostic in refused.value.diagnostics]
    assert findings == [("target-ambiguous", summary)]


def test_a_public_token_means_session_mode(tmp_path: Path) -> None:
    assert resolve(tmp_path, SESSION) == SessionTarget(
        public_token="public-token-test-1", session_token=Secret(CANARY)
    )


def test_a_live_public_token_goes_to_live(tmp_path: Path) -> None:
    assert (
        resolve(tmp_path, SESSION | {"STYTCH_PUBLIC_TOKEN": "public-token-live-1"}).address
        == "https://api.stytch.com"
    )


def test_the_project_file_wins_where_it_declares(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    environment = PROJECT | SESSION | {"OTHER": "project-live-2", ALLOWED: "env:OTHER,file:key"}
    target = resolve(tmp_path, environment, "{project_id: '${env:OTHER}', secret: '${file:key}'}")
    assert target == ProjectTarget(
        project_id="project-live-2", secret=Secret("from-file"), session_token=Secret(CANARY)
    )


def test_the_tools_own_variables_may_be_named_in_the_project_file(tmp_path: Path) -> None:
    target = "{project_id: '${env:STYTCH_PROJECT_ID}', secret: '${env:STYTCH_SECRET}'}"
    assert isinstance(resolve(tmp_path, PROJECT, target), ProjectTarget)


def test_session_mode_is_declared_although_the_environment_has_a_project(tmp_path: Path) -> None:
    target = resolve(tmp_path, PROJECT | SESSION, "{public_token: public-token-test-2}")
    assert isinstance(target, SessionTarget)
    assert target.public_token == "public-token-test-2"


def test_nothing_at_all_names_both_variables(tmp_path: Path) -> None:
    assert refusal(tmp_path, {}) == [
        (
            "target-missing",
            f"{name} is missing: {variable} is not set, and the project file has no target.{name}",
            f"set the environment variable {variable}, or add target.{name} to the project file",
        )
        for name, variable in (("project_id", "STYTCH_PROJECT_ID"), ("secret", "STYTCH_SECRET"))
    ]


def test_a_session_without_its_token_is_refused(tmp_path: Path) -> None:
    findings = refusal(tmp_path, {"STYTCH_PUBLIC_TOKEN": "public-token-test-1"})
    assert [code for code, _summary, _hint in findings] == ["target-missing"]
    assert "STYTCH_SESSION_TOKEN" in findings[0][1]


def test_both_ways_to_log_in_are_refused(tmp_path: Path) -> None:
    assert [code for code, _summary, _hint in refusal(tmp_path, PROJECT | SESSION)] == ["target-ambiguous"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STYTCH_PROJECT_ID", CANARY),
        ("STYTCH_PROJECT_ID", "project-production-1"),
        ("STYTCH_BASE_URL", "http://api.example.com"),
        ("STYTCH_BASE_URL", "https://api.example.com/v1"),
        ("STYTCH_BASE_URL", "https://user:" + CANARY + "@example.com"),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    findings = refusal(tmp_path, PROJECT | {name: value})
    assert [code for code, _summary, _hint in findings] == ["target-malformed"]
    assert findings[0][1] == f"the environment variable {name} is not valid"


def test_a_reference_that_leads_nowhere_is_refused_by_name(tmp_path: Path) -> None:
    findings = refusal(tmp_path, {"STYTCH_PROJECT_ID": "project-test-1"}, "{secret: '${env:STYTCH_MISSING}'}")
    assert [(code, summary) for code, summary, _hint in findings] == [
        (
            "target-unavailable",
            "target.secret: the environment variable STYTCH_MISSING is not set; set it, or correct the "
            "reference",
        )
    ]


LOGIN = {"STYTCH_PUBLIC_TOKEN": "public-token-test-1"}


def test_a_public_token_without_a_session_goes_with_the_project(tmp_path: Path) -> None:
    target = resolve(tmp_path, PROJECT | LOGIN)
    assert target == ProjectTarget(project_id="project-test-1", secret=Secret(CANARY))
    assert public_token_of(target, LOGIN) == "public-token-test-1"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "a login needs the project's public token: set STYTCH_PUBLIC_TOKEN"),
        ({"STYTCH_PUBLIC_TOKEN": CANARY}, "STYTCH_PUBLIC_TOKEN is not valid"),
        ({"STYTCH_PUBLIC_TOKEN": "public-token-live-1"}, "STYTCH_PUBLIC_TOKEN is of the live environment"),
    ],
)
def test_a_login_needs_the_public_token(environment: dict[str, str], message: str) -> None:
    target = ProjectTarget(project_id="project-test-1", secret=Secret(CANARY))
    with pytest.raises(UsageError, match=message) as refused:
        public_token_of(target, environment)
    assert CANARY not in str(refused.value)
