"""References below `target` name the service's variables, or what the environment allows by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.threats.conftest import CANARY, PROJECT_ID

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

PLAN = ("plan", "--format", "json")


def target(place: Workplace, *lines: str) -> None:
    place.write("reconciler.yaml", "\n".join(["target:", *(f"  {line}" for line in lines), ""]))


def assert_refused(run: CompletedRun, network: list[object], *codes: str) -> None:
    assert run.code == 1
    assert run.codes == list(codes)
    assert network == []
    assert CANARY not in run.output


@pytest.fixture
def tempting(place: Workplace) -> Workplace:
    """The environment and the tree hold secrets of others."""
    for name in ("GITLAB_TOKEN", "NPM_TOKEN", "X", "stytch_secret", "MY_STYTCH_SECRET"):
        place.setenv(name, CANARY)
    place.write("keys/age.txt", CANARY)
    return place


@pytest.mark.parametrize(
    ("line", "locator"),
    [
        ("session_token: ${env:GITLAB_TOKEN}", "env:GITLAB_TOKEN"),
        ("session_jwt: ${env:NPM_TOKEN}", "env:NPM_TOKEN"),
        ("secret: ${env:NPM_TOKEN}", "env:NPM_TOKEN"),
        ("secret: ${env:stytch_secret}", "env:stytch_secret"),
        ("secret: ${env:MY_STYTCH_SECRET}", "env:MY_STYTCH_SECRET"),
        ("secret: ${file:keys/age.txt}", "file:keys/age.txt"),
        ("secret: ${file:STYTCH_SECRET}", "file:STYTCH_SECRET"),
        ("secret: ${file:/etc/hostname}", "file:/etc/hostname"),
        ("project_id: ${env:NPM_TOKEN}", "env:NPM_TOKEN"),
        ("project_id: ${file:keys/age.txt}", "file:keys/age.txt"),
    ],
)
def test_any_other_reference_is_refused(
    tempting: Workplace, network: list[object], line: str, locator: str
) -> None:
    target(tempting, line)
    run = tempting.run(*PLAN)
    assert_refused(run, network, "target-reference-not-allowed")
    (diagnostic,) = run.document["diagnostics"]
    assert locator in diagnostic["summary"]
    assert f"RECONCILER_ALLOWED_TARGET_REFERENCES={locator}" in diagnostic["hint"]
    assert diagnostic["range"]["filename"] == "reconciler.yaml"
    assert diagnostic["range"]["start"]["line"] == 2


@pytest.mark.parametrize("line", ["public_token: ${env:NPM_TOKEN}", "public_token: ${file:keys/age.txt}"])
def test_a_session_refuses_other_references(tempting: Workplace, network: list[object], line: str) -> None:
    target(tempting, line, "session_token: ${env:STYTCH_SESSION_TOKEN}")
    assert_refused(tempting.run(*PLAN), network, "target-reference-not-allowed")


@pytest.mark.parametrize("allowed", ["", "*"])
@pytest.mark.parametrize(
    "line",
    [
        "project_id: project-test-${env:NPM_TOKEN}",
        "project_id: ${env:STYTCH_PROJECT_ID}${env:NPM_TOKEN}",
        "secret: ${env:STYTCH_SECRET}${env:NPM_TOKEN}",
        "secret: x${env:STYTCH_SECRET}",
        "session_token: ${env:STYTCH_SESSION_TOKEN}.${env:GITLAB_TOKEN}",
        "public_token: public-token-test-${env:NPM_TOKEN}",
    ],
)
def test_a_reference_is_the_whole_value(
    tempting: Workplace, network: list[object], line: str, allowed: str
) -> None:
    tempting.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", allowed)
    target(tempting, line)
    assert_refused(tempting.run(*PLAN), network, "target-reference-not-whole")
    assert tempting.run("validate", "--format", "json").codes == ["target-reference-not-whole"]


@pytest.mark.parametrize("allowed", ["", "*"])
@pytest.mark.parametrize(
    "line",
    [
        "base_url: https://${env:X}.example",
        "base_url: ${env:X}",
        "base_url: ${env:STYTCH_BASE_URL}",
        "base_url: ${file:keys/age.txt}",
    ],
)
def test_the_address_holds_no_reference(
    tempting: Workplace, network: list[object], line: str, allowed: str
) -> None:
    tempting.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", allowed)
    target(tempting, line)
    run = tempting.run(*PLAN)
    assert_refused(run, network, "secret-out-of-place")
    assert "STYTCH_BASE_URL" in run.document["diagnostics"][0]["hint"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("project_id: ${env:STYTCH_SECRET}", "target-malformed"),
        ("project_id: ${env:NPM_TOKEN}", "target-malformed"),
        ("public_token: ${env:NPM_TOKEN}", "target-malformed"),
    ],
)
def test_an_id_is_checked_for_its_form_and_not_shown(
    tempting: Workplace, network: list[object], line: str, code: str
) -> None:
    tempting.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "*")
    tempting.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    tempting.setenv("STYTCH_SESSION_TOKEN", "session")
    target(tempting, line)
    run = tempting.run(*PLAN)
    assert_refused(run, network, code)
    assert run.document["diagnostics"][0]["range"]["start"]["line"] == 2


@pytest.mark.parametrize("allowed", ["env:MY_*", "x:y, env:MY_SECRET ,", "env:*"])
def test_the_environment_allows_a_variable_by_name(served: Workplace, allowed: str) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.setenv("MY_SECRET", served.emulator.settings.project.secret)
    target(served, "secret: ${env:MY_SECRET}")
    assert served.run(*PLAN).codes == ["target-reference-not-allowed"]
    assert not list(served.emulator.request_log)
    served.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", allowed)
    assert served.run(*PLAN).code == 0


def test_the_environment_allows_a_file_by_name(served: Workplace) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("keys/stytch", served.emulator.settings.project.secret)
    target(served, "secret: ${file:keys/stytch}")
    served.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "file:keys/*")
    assert served.run(*PLAN).code == 0


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("secret: ${env:NPM_TOKEN}", "NPM_TOKEN"),
        ("secret: ${env:NPM_TOKEN}", "env:npm_token"),
        ("secret: ${env:NPM_TOKEN}", "env:NPM"),
        ("secret: ${file:keys/age.txt}", "env:*"),
        ("secret: ${file:other/../keys/age.txt}", "file:other/*"),
        ("secret: ${file:other/../keys/age.txt}", "*"),
    ],
)
def test_what_no_entry_names_stays_refused(
    tempting: Workplace, network: list[object], line: str, allowed: str
) -> None:
    tempting.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", allowed)
    target(tempting, line)
    assert_refused(tempting.run(*PLAN), network, "target-reference-not-allowed")


def test_all_that_is_refused_is_said_at_once(tempting: Workplace, network: list[object]) -> None:
    target(
        tempting, "project_id: ${env:X}", "secret: ${file:keys/age.txt}", "base_url: https://attacker.example"
    )
    assert_refused(
        tempting.run(*PLAN),
        network,
        "target-reference-not-allowed",
        "target-reference-not-allowed",
        "target-host-not-allowed",
    )


def test_the_documented_variables_need_no_permission(served: Workplace) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    target(served, "project_id: ${env:STYTCH_PROJECT_ID}", "secret: ${env:STYTCH_SECRET}")
    assert served.run(*PLAN).code == 0
    served.setenv("STYTCH_STAGING_SECRET", served.emulator.settings.project.secret)
    target(served, f"project_id: {PROJECT_ID}", "secret: ${env:STYTCH_STAGING_SECRET}")
    assert served.run(*PLAN).code == 0
