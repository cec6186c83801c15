"""Who is trusted is decided by the registrable domain and the tenant: cases 27 to 33."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.policies.trust_domain import is_shared_issuer, open_tenant
from reconciler.policies.urls import is_private

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

T = "11111111-2222-3333-4444-555555555555"
E = "99999999-8888-7777-6666-555555555555"
ENTRA = "https://login.microsoftonline.com"
GOOGLE = {
    "issuer": "https://accounts.google.com",
    "authorization_url": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_url": "https://www.googleapis.com/oauth2/v4/token",
    "userinfo_url": "https://openidconnect.googleapis.com/v1/userinfo",
    "jwks_url": "https://www.googleapis.com/oauth2/v3/certs",
}


def entra(tenant: str, host: str = ENTRA, userinfo: str = "https://graph.microsoft.com") -> dict[str, str]:
    return {
        "issuer": f"{host}/{tenant}/v2.0",
        "authorization_url": f"{host}/{tenant}/oauth2/v2.0/authorize",
        "token_url": f"{host}/{tenant}/oauth2/v2.0/token",
        "userinfo_url": f"{userinfo}/oidc/userinfo",
        "jwks_url": f"{host}/{tenant}/discovery/v2.0/keys",
    }


def risks(place: Workplace, live: dict[str, str] | None = None, **declared: Any) -> dict[str, str]:
    """Plan a connection that is declared so, and return the severity of each risk by its rule."""
    if live:
        place.emulator.add_connection(
            "acme", display_name="sso", client_id="client-of-acme", client_secret="hidden-acme-value", **live
        )
    place.declare("acme", **declared)
    run = place.run("plan", "--format", "json")
    return {risk["code"]: risk["severity"] for risk in run.document["risks"]}


@pytest.fixture
def project(bare: Workplace, running: Any) -> Workplace:
    bare.use(running)
    bare.add_organization("acme")
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    return bare


def created(project: Workplace, **declared: Any) -> dict[str, str]:
    return {rule: severity for rule, severity in risks(project, **declared).items() if rule != UNPINNED}


UNPINNED = "unpinned-organization"


def test_27_another_tenant_of_entra_is_as_grave_as_another_host(project: Workplace) -> None:
    """Case 27: the issuer moves from `…/T/v2.0` to `…/E/v2.0`, and the secret is kept."""
    found = risks(project, live=entra(T), **entra(E))
    assert found["issuer-host-change"] == "error"
    assert found["secret-kept"] == "error"


@pytest.mark.parametrize(
    "suffix", ["herokuapp.com", "github.io", "workers.dev", "azurewebsites.net", "us-central1.run.app"]
)
def test_28_a_sub_host_of_a_hosting_company_is_somebody_else(project: Workplace, suffix: str) -> None:
    """Case 28: issuer and jwks_url are two customers of one hosting company."""
    found = created(project, issuer=f"https://acme-sso.{suffix}", jwks_url=f"https://evil-x.{suffix}/jwks")
    assert found == {"endpoint-off-site": "error"}


def test_29_another_tenant_of_auth0_is_somebody_else(project: Workplace) -> None:
    """Case 29: issuer and token_url are two tenants of one region of Auth0."""
    found = created(
        project, issuer="https://acme.eu.auth0.com/", token_url="https://evil.eu.auth0.com/oauth/token"
    )
    assert found == {"endpoint-off-site": "error"}


def test_30_the_tenant_of_personal_accounts_is_open_to_everybody(project: Workplace) -> None:
    """Case 30: the issuer is Microsoft's tenant of personal accounts."""
    found = created(project, issuer=f"{ENTRA}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")
    assert found == {"multi-tenant-issuer": "error"}


def test_31_storage_on_windows_net_is_not_entra(project: Workplace) -> None:
    """Case 31: an issuer at Entra, and keys in somebody's storage account."""
    for issuer in (f"{ENTRA}/{T}/v2.0", f"https://sts.windows.net/{T}/"):
        found = created(project, issuer=issuer, jwks_url="https://evil.blob.core.windows.net/k/jwks.json")
        assert found == {"endpoint-off-site": "error"}


def test_32_entra_in_china_and_cognito_are_no_risk(project: Workplace) -> None:
    """Case 32: both spread their endpoints over two domains."""
    pool = "https://cognito-idp.us-east-2.amazonaws.com/us-east-2_abc123"
    domain = "https://acme.auth.us-east-2.amazoncognito.com/oauth2"
    china = entra(T, "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn")
    assert created(project, **china, identity_provider="microsoft-entra") == {}
    cognito = {
        "issuer": pool,
        "authorization_url": f"{domain}/authorize",
        "token_url": f"{domain}/token",
        "userinfo_url": f"{domain}/userInfo",
        "jwks_url": f"{pool}/.well-known/jwks.json",
    }
    assert created(project, **cognito) == {}


def test_33_google_moves_between_hosts_of_its_own(project: Workplace) -> None:
    """Case 33: the token endpoint moves from `www.googleapis.com` to `oauth2.googleapis.com`."""
    moved = {**GOOGLE, "token_url": "https://oauth2.googleapis.com/token"}
    assert risks(project, live=GOOGLE, **moved) == {}


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "github", "sarif"])
def test_a_risk_in_a_live_value_is_drift_in_every_format(project: Workplace, form: str) -> None:
    """Threats 2: an administrator moves the keys to their own tenant; no manifest declares them."""
    project.emulator.add_connection(
        "acme",
        display_name="sso",
        client_id="client-of-acme",
        client_secret="hidden-acme-value",
        issuer="https://acme.okta.com",
        authorization_url="https://acme.okta.com/oauth2/v1/authorize",
        token_url="https://acme.okta.com/oauth2/v1/token",
        userinfo_url="https://acme.okta.com/oauth2/v1/userinfo",
        jwks_url="https://evil.okta.com/oauth2/v1/keys",
    )
    project.declare("acme", issuer="https://acme.okta.com")
    run = project.run("drift", "--format", form)
    assert run.code == 2, run.output
    assert "endpoint-off-site" in run.out
    assert "evil.okta.com" in run.out
    if form == "json":
        (finding,) = run.document["findings"]
        assert (finding["kind"], finding["rule"]) == ("risk", "endpoint-off-site")
        assert run.document["summary"]["risk"] == 1
        project.write("last.json", run.out)
        again = project.run("drift", "--previous", "last.json", "--format", "json")
        assert again.document["findings"][0]["standing"] == "known"


def test_a_risk_in_a_live_value_can_be_approved_in_git_or_switched_off(project: Workplace) -> None:
    test_a_risk_in_a_live_value_is_drift_in_every_format(project, "text")
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    approval = {"rule": "endpoint-off-site", "address": "acme/sso", "reason": "CHG-1", "until": until}
    path = project.write("approvals/acme.yaml", json.dumps({"approvals": [approval]}))
    assert project.run("drift").code == 0
    path.unlink()
    project.write("reconciler.yaml", "policies: {endpoint-off-site: 'off'}\n")
    assert project.run("drift").code == 0


@pytest.mark.parametrize(
    "path", ["/./common/v2.0", "//common/v2.0", "/x/../common/v2.0", "/common;a/v2.0", "/common%20/v2.0"]
)
def test_a_path_in_disguise_is_open_to_everybody_all_the_same(path: str) -> None:
    """Case 30, the same kind: readers of a URL drop dots, empty segments and parameters from its path."""
    assert open_tenant(f"https://login.microsoftonline.com{path}") == "common"


@pytest.mark.parametrize("path", ["/./", "//", "/x/.."])
def test_a_shared_issuer_in_disguise_is_shared(path: str) -> None:
    """At Google the client is the customer, however the issuer is written."""
    assert is_shared_issuer(f"https://accounts.google.com{path}")


@pytest.mark.parametrize("name", ["127-0-0-1.traefik.me", "10.0.0.1.xip.io", "lvh.me", "a.localtest.me"])
def test_a_public_name_of_a_private_address_is_private(name: str) -> None:
    """Product 4.4: names that spell an address, or stand for the machine itself."""
    assert is_private(name)
