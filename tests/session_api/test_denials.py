"""Whoever is denied reads what to change: each reason has a sentence of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.session_api.conftest import log_in

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

DEAD_SESSIONS = (
    "session_not_found",
    "unauthorized_credentials",
    "user_unauthenticated",
    "invalid_secret_authentication",
)


@dataclass(frozen=True)
class Denial:
    """How it comes about, and what is said: the API's words are not enough to know what to change."""

    name: str
    login: str
    error_type: str
    sentence: str
    roles: tuple[str, ...] = ()
    organization: str = "acme"
    environment: tuple[tuple[str, str], ...] = ()
    switches: tuple[tuple[str, str], ...] = ()
    fault: str = ""

    def arrange(self, place: Workplace) -> None:
        log_in(place, self.login, *self.roles, organization=self.organization)
        for name, value in self.environment:
            place.setenv(name, value)
        for name, value in self.switches:
            place.emulator.set_switch(name, value)
        if self.fault:
            place.emulator.add_fault(self.fault)


KEYS = "check the project_id and the secret: both are shown in the dashboard, one pair per environment"
DENIALS = (
    Denial(
        "wrong secret",
        "project",
        "unauthorized_credentials",
        KEYS,
        environment=(("STYTCH_SECRET", "secret-test-wrong"),),
    ),
    Denial(
        "unknown project",
        "project",
        "unauthorized_credentials",
        KEYS,
        environment=(("STYTCH_PROJECT_ID", "project-test-unknown"),),
    ),
    Denial(
        "secret of another environment",
        "project",
        "unauthorized_project_id_test",
        "check that project_id, secret and base_url are all test or all live",
        environment=(("STYTCH_SECRET", "secret-live-1"),),
    ),
    Denial(
        "no role, through the backend",
        "member token",
        "session_authorization_error",
        "give the member a role that may do this on the resource stytch.sso, for example stytch_admin",
        roles=("stytch_member",),
    ),
    Denial(
        "no role, through the session",
        "session",
        "session_authorization_error",
        "give the member a role that may do this on the resource stytch.sso, for example stytch_admin",
        roles=("stytch_member",),
    ),
    Denial(
        "a member of another organization",
        "member jwt",
        "session_authorization_tenancy_error",
        "use a session of this organization, or no member session at all",
        organization="globex",
    ),
    Denial(
        "the frontend API is off",
        "session",
        "endpoint_not_authorized_for_sdk",
        "in the dashboard, under Frontend SDK, enable the SDK, SSO in it, and member actions",
        switches=(("frontend-api", "off"),),
    ),
    Denial(
        "an origin that is not listed",
        "session",
        "bad_domain_for_stytch_sdk",
        "in the dashboard, under Frontend SDK, add this origin to the authorized domains",
        fault="*:bad_domain_for_stytch_sdk",
    ),
    Denial(
        "a suspended organization",
        "project",
        "organization_suspended",
        "the organization is suspended; ask support, or leave its manifest out",
        fault="*:organization_suspended",
    ),
    Denial(
        "plain http to the service",
        "project",
        "use_https",
        "base_url must begin with https://",
        fault="*:use_https",
    ),
    Denial(
        "a public token of another project",
        "session",
        "unauthorized_credentials",
        "or check the public_token",
        environment=(("STYTCH_PUBLIC_TOKEN", "public-token-test-unknown"),),
    ),
    *(
        Denial(
            f"a dead session as {error_type}",
            "session",
            error_type,
            "the member session has expired or does not exist; log in again and pass the new session token",
            environment=(("STYTCH_SESSION_TOKEN", "a-session-that-ended"),),
            switches=(("dead-session", error_type),),
        )
        for error_type in DEAD_SESSIONS
    ),
    *(
        Denial(
            f"a dead {login} beside project credentials",
            login,
            "session_not_found",
            "the member session has expired or does not exist; log in again and pass the new session",
            environment=((variable, "a-session-that-ended"),),
        )
        for login, variable in (
            ("member token", "STYTCH_SESSION_TOKEN"),
            ("member jwt", "STYTCH_SESSION_JWT"),
        )
    ),
)


@pytest.mark.parametrize("denial", DENIALS, ids=lambda denial: denial.name)
def test_a_denial_says_what_to_change(place: Workplace, denial: Denial) -> None:
    place.emulator.set_switch("frontend-error-type", "text/plain")  # as one of the SDKs reports
    denial.arrange(place)
    for words in (("plan",), ("apply", "--auto-approve"), ("drift",)):
        ended = place.run(*words)
        assert ended.code == 1
        assert denial.sentence in ended.output
        assert "Traceback" not in ended.err
    answered = {entry.error_type for entry in place.emulator.request_log.entries if entry.error_type}
    assert answered == {denial.error_type}
    assert not [entry for entry in place.emulator.request_log.writes if entry.applied]


def test_the_reasons_of_the_specification_have_sentences_of_their_own() -> None:
    own = {
        "unauthorized_credentials",
        "session_authorization_error",
        "session_authorization_tenancy_error",
        "endpoint_not_authorized_for_sdk",
        "session_not_found",
    }
    sentences: dict[str, str] = {}
    for one in DENIALS:
        sentences.setdefault(one.error_type, one.sentence)
    assert len({sentences[name] for name in own}) == len(own)


def test_a_role_that_may_read_but_not_write_stops_at_the_first_write(place: Workplace) -> None:
    place.emulator.seed(
        {
            "projects": [
                {
                    "project_id": "project-test-roles",
                    "secret": "secret-test-roles",
                    "public_token": "public-token-test-roles",
                    "roles": {"sso_viewer": {"stytch.sso": ["get"]}},
                }
            ],
            "organizations": [
                {
                    "organization_slug": "acme",
                    "organization_id": "organization-test-viewed",
                    "project_id": "project-test-roles",
                    "members": [
                        {"roles": ["sso_viewer"], "sessions": [{"session_token": "session-of-viewer"}]}
                    ],
                }
            ],
        }
    )
    place.setenv("STYTCH_PUBLIC_TOKEN", "public-token-test-roles")
    place.setenv("STYTCH_SESSION_TOKEN", "session-of-viewer")
    assert place.run("plan").code == 0
    ended = place.run("apply", "--auto-approve")
    assert ended.code == 1
    assert "give the member a role that may do this on the resource stytch.sso" in ended.out
    assert "0 added, 0 changed, 0 destroyed. 1 failed, 2 skipped." in ended.out
    assert [entry.status for entry in place.emulator.request_log.writes] == [403]
