"""`verify` with a member's session: it reads the member's own organization and asks its providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.idp.live import connect
from tests.idp.provider import scripted_provider, write_authority
from tests.session_api.conftest import log_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace

SECRET = "s3cr3t-of-acme"


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider


@pytest.fixture
def site(place: Workplace, provider: ScriptedProvider) -> Workplace:
    """The connection acme/sso, whose provider answers; a session of an administrator of acme."""
    place.write("reconciler.yaml", f"idp: {{ca_file: {write_authority(place.root)}, timeout: 3}}\n")
    provider.publish()
    connect(place, "acme", provider.issuer)
    log_in(place, "session")
    return place


def verify(site: Workplace, *words: str) -> tuple[int, Any]:
    run = site.run("verify", "--format", "json", *words)
    assert SECRET not in run.output
    return run.code, run.document


def test_the_own_organization_is_verified(site: Workplace) -> None:
    code, document = verify(site)
    (connection,) = document["connections"]
    assert (code, connection["live"]) == (0, True)
    assert document["target"]["principal"].startswith("public-token-test-")
    assert [item["purpose"] for item in connection["asked"]] == ["metadata", "keys", "preflight"]
    assert document["complete"]


def test_a_finding_is_an_error_as_with_project_credentials(
    site: Workplace, provider: ScriptedProvider
) -> None:
    provider.publish(issuer=f"{provider.issuer}/")
    code, document = verify(site)
    assert (code, [item["code"] for item in document["findings"]]) == (1, ["issuer-mismatch"])


def test_the_live_secret_is_probed(site: Workplace, provider: ScriptedProvider) -> None:
    provider.answer("/token", {"error": "invalid_client"}, 401)
    code, document = verify(site, "--probe-credentials")
    assert (code, [item["code"] for item in document["findings"]]) == (1, ["secret-wrong"])


def test_other_organizations_are_not_in_reach(site: Workplace) -> None:
    site.declare("globex")
    code, document = verify(site)
    assert (code, document["complete"]) == (1, False)
    assert [item["code"] for item in document["diagnostics"]] == ["organization-not-read"]
    assert "the session belongs to organization 'acme'" in document["diagnostics"][0]["summary"]
    assert len(document["connections"]) == 1
    code, document = verify(site, "--target", "acme/*")
    assert (code, document["complete"]) == (0, True)


def test_a_member_without_a_role_is_told_so(site: Workplace, provider: ScriptedProvider) -> None:
    provider.requests.clear()
    log_in(site, "session", "stytch_member")
    run = site.run("verify")
    assert run.code == 1
    assert "session_authorization_error" in run.err
    assert provider.requests == []
