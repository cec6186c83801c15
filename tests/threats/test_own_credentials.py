"""The tool's own credentials, and those of the machine that runs it, are out of a manifest's reach."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from reconciler.secrets.reserved_variables import OWN_VARIABLES
from tests.threats.conftest import CANARY

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

TOKENS = (
    "SYSTEM_ACCESSTOKEN", "CIRCLE_OIDC_TOKEN", "BUILDKITE_AGENT_ACCESS_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN",
    "JENKINS_API_TOKEN", "VAULT_TOKEN", "VAULT_SECRET_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "HTTPS_PROXY",
    "https_proxy", "NPM_TOKEN", "GITHUB_TOKEN", "CI_JOB_TOKEN", "STYTCH_SECRET", "STYTCH_STAGING_SECRET",
    "STYTCH_CLIENT_SECRET", "RECONCILER_WEBHOOK_SECRET",
)  # fmt: skip


def assert_refused(place: Workplace, reference: str) -> None:
    place.declare("acme", client_secret=reference)
    for verb in ("validate", "plan"):
        run = place.run(verb, "--format", "json")
        assert run.code == 1
        assert run.codes == ["secret-not-allowed"], run.output
        assert CANARY not in run.output


@pytest.mark.parametrize("allowed", ["", "secrets: {env: {allow: ['*']}}\n"])
@pytest.mark.parametrize("name", TOKENS)
def test_a_manifest_cannot_name_them(place: Workplace, name: str, allowed: str) -> None:
    place.setenv(name, CANARY)
    place.write("reconciler.yaml", f"version: 1\n{allowed}")
    assert_refused(place, f"${{env:{name}}}")


def test_a_part_of_a_value_cannot_either(place: Workplace) -> None:
    assert_refused(place, "x${env:STYTCH_STAGING_SECRET}y")


def test_a_variable_of_the_project_that_leads_there_cannot_either(place: Workplace) -> None:
    """`vars` are texts: no reference arises from them."""
    place.write("reconciler.yaml", "vars: {stage: STYTCH_SECRET}\n")
    place.declare("acme", client_secret="${env:${var:stage}}")
    assert place.run("plan", "--format", "json").codes == ["malformed-reference"]


@pytest.mark.parametrize("name", ["HARMLESS", "COPY_CLIENT_SECRET"])
@pytest.mark.parametrize("own", ["STYTCH_STAGING_SECRET", "SYSTEM_ACCESSTOKEN", "VAULT_TOKEN"])
def test_a_copy_under_another_name_is_the_same_credential(place: Workplace, name: str, own: str) -> None:
    place.write("reconciler.yaml", "secrets: {env: {allow: ['*']}}\n")
    place.setenv(own, CANARY)
    place.setenv(name, CANARY)
    place.declare("acme", client_secret=f"${{env:{name}}}")
    run = place.run("plan", "--format", "json")
    assert run.codes == ["secret-unavailable"]
    assert CANARY not in run.output


@pytest.mark.parametrize(
    "spelling",
    ["keys/stytch", "./keys/stytch", "keys/../keys/stytch", "keys//stytch", "KEYLINK", "linked/stytch"],
)
@pytest.mark.parametrize("declared", ["keys/stytch", "./keys/stytch", "keys/./stytch"])
def test_the_file_of_the_target_by_any_spelling(place: Workplace, spelling: str, declared: str) -> None:
    place.write("keys/stytch", CANARY)
    (place.root / "KEYLINK").symlink_to("keys/stytch")
    (place.root / "linked").symlink_to("keys")
    place.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", f"file:{declared}")
    place.write("reconciler.yaml", f"target: {{secret: '${{file:{declared}}}'}}\n")
    assert_refused(place, f"${{file:{spelling}}}")


def test_a_hard_link_to_the_file_of_the_target(place: Workplace) -> None:
    os.link(place.write("keys/stytch", CANARY), place.root / "other")
    place.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "file:*")
    place.write("reconciler.yaml", "target: {secret: '${file:keys/stytch}'}\n")
    assert_refused(place, "${file:other}")


def test_a_copy_of_the_file_of_the_target(place: Workplace) -> None:
    shutil.copy(place.write("keys/stytch", CANARY), place.root / "other")
    place.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "file:*")
    place.write("reconciler.yaml", "target: {secret: '${file:keys/stytch}'}\n")
    place.declare("acme", client_secret="${file:other}")
    run = place.run("plan", "--format", "json")
    assert run.codes == ["secret-unavailable"]
    assert CANARY not in run.output


def test_the_table_names_them_all() -> None:
    assert set(TOKENS) - OWN_VARIABLES == {"STYTCH_STAGING_SECRET", "STYTCH_CLIENT_SECRET"}
