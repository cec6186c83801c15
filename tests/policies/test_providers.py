"""The table of providers, judged by real discovery documents and by the vendors' documented URL forms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from reconciler.core.address import Address
from reconciler.core.change import Create, Update
from reconciler.core.connection import IdentityProvider, OidcConnection
from reconciler.policies import assess, declared_estate
from reconciler.policies.providers import PROVIDERS
from reconciler.policies.trust_domain import is_same_trust_domain, is_shared_issuer

DOCUMENTS = Path(__file__).with_name("idp")
NOTHING = declared_estate((), {})
ENDPOINTS = {
    "issuer": "issuer",
    "authorization_endpoint": "authorization_url",
    "token_endpoint": "token_url",
    "userinfo_endpoint": "userinfo_url",
    "jwks_uri": "jwks_url",
}
T, E = "11111111-2222-3333-4444-555555555555", "99999999-8888-7777-6666-555555555555"


def document(name: str, **replaced: str) -> dict[str, str]:
    """Return the URLs of a stored discovery document; a placeholder is replaced by a value."""
    text = (DOCUMENTS / f"{name}.json").read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(old, new)
    return {ENDPOINTS[key]: value for key, value in json.loads(text).items() if key in ENDPOINTS}


def urls(issuer: str, base: str, **endpoints: str) -> dict[str, str]:
    """Return an issuer, and endpoints below a base; one that begins with https is taken as it is."""
    return {
        "issuer": issuer,
        **{
            f"{name}_url": path if path.startswith("https:") else base + path
            for name, path in endpoints.items()
        },
    }


def entra(base: str, userinfo: str) -> dict[str, str]:
    return urls(
        f"{base}/v2.0",
        base,
        authorization="/oauth2/v2.0/authorize",
        token="/oauth2/v2.0/token",
        userinfo=userinfo,
        jwks="/discovery/v2.0/keys",
    )


def okta(issuer: str, base: str) -> dict[str, str]:
    return urls(
        issuer,
        base,
        authorization="/v1/authorize",
        token="/v1/token",
        userinfo="/v1/userinfo",
        jwks="/v1/keys",
    )


def keycloak(base: str) -> dict[str, str]:
    protocol = f"{base}/protocol/openid-connect"
    return urls(base, protocol, authorization="/auth", token="/token", userinfo="/userinfo", jwks="/certs")


def pingone(base: str) -> dict[str, str]:
    return urls(
        f"{base}/as",
        f"{base}/as",
        authorization="/authorize",
        token="/token",
        userinfo="/userinfo",
        jwks="/jwks",
    )


def auth0(host: str) -> dict[str, str]:
    base = f"https://{host}"
    return urls(
        f"{base}/",
        base,
        authorization="/authorize",
        token="/oauth/token",
        userinfo="/userinfo",
        jwks="/.well-known/jwks.json",
    )


def onelogin(host: str) -> dict[str, str]:
    base = f"https://{host}/oidc/2"
    return urls(base, base, authorization="/auth", token="/token", userinfo="/me", jwks="/certs")


def duo(host: str) -> dict[str, str]:
    base = f"https://{host}/oidc/DIABCDEFGHIJ"
    return urls(base, base, authorization="/authorize", token="/token", userinfo="/userinfo", jwks="/jwks")


def b2c(host: str, directory: str, name: str) -> dict[str, str]:
    base = f"https://{host}/{name}/b2c_1_signin"
    issuer = f"https://{host}/{directory}/v2.0/"
    return urls(
        issuer,
        base,
        authorization="/oauth2/v2.0/authorize",
        token="/oauth2/v2.0/token",
        jwks="/discovery/v2.0/keys",
    )


def cognito(pool: str, domain: str) -> dict[str, str]:
    issuer = f"https://cognito-idp.us-east-2.amazonaws.com/{pool}"
    return urls(
        issuer,
        f"https://{domain}.auth.us-east-2.amazoncognito.com/oauth2",
        authorization="/authorize",
        token="/token",
        userinfo="/userInfo",
        jwks=f"{issuer}/.well-known/jwks.json",
    )


def salesforce(host: str) -> dict[str, str]:
    base = f"https://{host}"
    return urls(
        base,
        f"{base}/services/oauth2",
        authorization="/authorize",
        token="/token",
        userinfo="/userinfo",
        jwks=f"{base}/id/keys",
    )


GRAPH = "https://graph.microsoft.com/oidc/userinfo"
CHINA_GRAPH = "https://microsoftgraph.chinacloudapi.cn/oidc/userinfo"

NORMAL: list[tuple[str, dict[str, str]]] = [
    ("microsoft-entra", document("entra-v2-tenant")),
    ("microsoft-entra", document("entra-v1-tenant")),
    ("microsoft-entra", document("entra-b2c")),
    ("microsoft-entra", b2c("contoso.b2clogin.com", T, "contoso.onmicrosoft.com")),
    ("microsoft-entra", b2c("contoso.b2clogin.com", T, f"tfp/{T}")),
    (
        "microsoft-entra",
        entra(f"https://login.microsoftonline.us/{T}", "https://graph.microsoft.us/oidc/userinfo"),
    ),
    ("microsoft-entra", entra(f"https://login.partner.microsoftonline.cn/{T}", CHINA_GRAPH)),
    (
        "microsoft-entra",
        {
            **entra(f"https://contoso.ciamlogin.com/{T}", GRAPH),
            "issuer": f"https://{T}.ciamlogin.com/{T}/v2.0",
        },
    ),
    ("google-workspace", document("google")),
    (
        "google-workspace",
        {
            **document("google"),
            "authorization_url": "https://accounts.google.com/o/oauth2/auth",
            "token_url": "https://www.googleapis.com/oauth2/v4/token",
            "userinfo_url": "https://www.googleapis.com/oauth2/v3/userinfo",
        },
    ),
    ("okta", document("okta")),
    ("okta", okta("https://acme.okta.com/oauth2/default", "https://acme.okta.com/oauth2/default")),
    ("okta", okta("https://login.acme.com", "https://login.acme.com/oauth2")),
    ("jumpcloud", document("jumpcloud")),
    ("jumpcloud", document("jumpcloud", **{"oauth.id.jumpcloud.com": "oauth.id.eu.jumpcloud.com"})),
    ("duo", document("duo")),
    ("duo", duo("sso-1a2b3c4d.sso.duosecurity.com")),
    ("onelogin", document("onelogin")),
    (
        "onelogin",
        urls(
            "https://openid-connect-eu.onelogin.com/oidc",
            "https://openid-connect-eu.onelogin.com/oidc",
            authorization="/auth",
            token="/token",
            userinfo="/me",
            jwks="/certs",
        ),
    ),
    ("classlink", document("classlink")),
    ("classlink", {"issuer": "https://launchpad.classlink.com"}),
    ("salesforce", document("salesforce")),
    ("salesforce", salesforce("acme.my.salesforce.com")),
    ("salesforce", salesforce("acme--dev.sandbox.my.salesforce.com")),
    ("salesforce", salesforce("acme.my.site.com")),
    ("salesforce", salesforce("acme.force.com")),
    ("keycloak", document("keycloak")),
    ("keycloak", keycloak("https://sso.acme.com/realms/staff")),
    ("keycloak", keycloak("https://sso.acme.com/auth/realms/staff")),
    ("pingfederate", document("pingfederate-public")),
    ("pingfederate", document("pingfederate", **{"localhost:9031": "sso.acme.com:9031"})),
    ("shibboleth", document("shibboleth")),
    ("generic", document("shibboleth")),
    ("generic", document("auth0")),
    ("generic", auth0("acme.eu.auth0.com")),
    ("generic", document("pingone")),
    ("generic", pingone(f"https://auth.pingone.eu/{T}")),
    ("generic", document("cognito")),
    ("generic", document("cognito-no-domain")),
    ("generic", document("adfs")),
    ("generic", document("linkedin")),
    ("generic", document("oracle-access-manager")),
    ("cyberark", okta("https://acme.id.cyberark.cloud/stytch", "https://acme.id.cyberark.cloud/OAuth2")),
    ("miniorange", okta("https://acme.xecurify.com/moas", "https://acme.xecurify.com/moas")),
    ("rippling", okta("https://app.rippling.com", "https://app.rippling.com/api/oidc")),
]


def connection(identity_provider: str, values: dict[str, Any], client_id: str = "client-1") -> OidcConnection:
    usual = OidcConnection(display_name="SSO", identity_provider=identity_provider, client_id=client_id)
    return replace(usual, **values)


def risks(before: OidcConnection | None, after: OidcConnection) -> set[str]:
    """Return the rules that find a risk in a create, or in the update from a connection to another."""
    address, organization = Address("acme", "sso"), "organization-test-1"
    if before is None:
        change: Create | Update = Create(address=address, organization_id=organization, declared=after)
    else:
        changed = tuple(
            name for name in after.declared_fields if getattr(after, name) != getattr(before, name)
        )
        change = Update(
            address=address, organization_id=organization, declared=after, before=before, changed=changed
        )
    return {risk.code for risk in assess((change,), {}, NOTHING)}


@pytest.mark.parametrize(("identity_provider", "values"), NORMAL)
def test_a_normal_set_up_is_no_risk(identity_provider: str, values: dict[str, str]) -> None:
    assert risks(None, connection(identity_provider, values)) == set()
    moved = connection(identity_provider, {**values, "issuer": values["issuer"]})
    inferred = connection(identity_provider, {"issuer": values["issuer"]})
    assert risks(inferred, moved) == set()


def test_every_provider_of_the_service_has_two_normal_set_ups_or_is_marked_generic() -> None:
    generic = {provider.identity_provider for provider in PROVIDERS if provider.is_generic}
    tried = [identity_provider for identity_provider, _ in NORMAL]
    assert generic == {"cyberark", "miniorange", "rippling", "shibboleth"}
    assert {name for name in get_args(IdentityProvider) if tried.count(name) < 2} == generic
    assert generic <= set(tried)


def test_every_entry_cites_a_stored_document_or_a_page_of_the_vendor() -> None:
    documents = {path.name for path in DOCUMENTS.iterdir()}
    for provider in PROVIDERS:
        assert provider.sources, provider.name
        unknown = [
            source
            for source in provider.sources
            if source not in documents and not re.fullmatch(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+/\S+", source)
        ]
        assert unknown == [], provider.name


def test_every_identity_provider_is_in_the_table() -> None:
    named = {provider.identity_provider for provider in PROVIDERS if provider.identity_provider}
    assert named == set(get_args(IdentityProvider)) - {"generic"}


MOVES = {
    "Entra": (
        entra(f"https://login.microsoftonline.com/{T}", f"https://login.microsoftonline.com/{T}/openid/userinfo"),
        entra(f"https://login.microsoftonline.com/{E}", f"https://login.microsoftonline.com/{E}/openid/userinfo"),
    ),
    "PingOne": (pingone(f"https://auth.pingone.com/{T}"), pingone(f"https://auth.pingone.com/{E}")),
    "Keycloak": (keycloak("https://sso.acme.com/realms/a"), keycloak("https://sso.acme.com/realms/b")),
    "Okta": (okta("https://a.okta.com", "https://a.okta.com/oauth2"), okta("https://b.okta.com", "https://b.okta.com/oauth2")),
    "Cognito": (cognito("us-east-2_A", "acme"), cognito("us-east-2_B", "evil")),
    "Auth0": (auth0("acme.eu.auth0.com"), auth0("evil.eu.auth0.com")),
    "Auth0 in another region": (auth0("acme.eu.auth0.com"), auth0("acme.us.auth0.com")),
    "OneLogin": (onelogin("acme.onelogin.com"), onelogin("evil.onelogin.com")),
    "Duo": (duo("sso-1.sso.duosecurity.com"), duo("sso-2.sso.duosecurity.com")),
    "B2C": (
        {**b2c("acme.b2clogin.com", T, T), "userinfo_url": f"https://acme.b2clogin.com/{T}/p/openid/v2.0/userinfo"},
        {**b2c("evil.b2clogin.com", E, E), "userinfo_url": f"https://evil.b2clogin.com/{E}/p/openid/v2.0/userinfo"},
    ),
    "B2C in another directory": (
        {**b2c("acme.b2clogin.com", T, T), "userinfo_url": f"https://acme.b2clogin.com/{T}/p/openid/v2.0/userinfo"},
        {**b2c("acme.b2clogin.com", E, E), "userinfo_url": f"https://acme.b2clogin.com/{E}/p/openid/v2.0/userinfo"},
    ),
    "Salesforce": (salesforce("acme.my.salesforce.com"), salesforce("evil.my.salesforce.com")),
    "Experience Cloud": (salesforce("acme.my.site.com"), salesforce("evil.my.site.com")),
    "Experience Cloud of old": (salesforce("acme.force.com"), salesforce("evil.force.com")),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("field", ENDPOINTS.values())
def test_a_move_to_another_tenant_is_as_grave_as_one_to_another_host(
    before: dict[str, str], after: dict[str, str], field: str
) -> None:
    moved = risks(connection("generic", before), connection("generic", {**before, field: after[field]}))
    assert f"{field.replace('_', '-')}-host-change" in moved
    assert ("secret-kept" in moved) == (field == "token_url")
    whole = risks(connection("generic", before), connection("generic", after))
    assert {f"{name.replace('_', '-')}-host-change" for name in ENDPOINTS.values()} < whole
    assert "endpoint-off-site" not in whole


@pytest.mark.parametrize(("before", "after"), [move for name, move in MOVES.items() if name != "Cognito"])
def test_an_endpoint_of_another_tenant_is_off_site(before: dict[str, str], after: dict[str, str]) -> None:
    for name in ("authorization_url", "token_url", "jwks_url"):
        created = connection("generic", {**before, name: after[name]})
        assert risks(None, created) == {"endpoint-off-site"}


@pytest.mark.parametrize(
    ("issuer", "field", "endpoint"),
    [
        # what other tenants, or other customers of the same company, can publish at hosts of the provider
        (f"https://sts.windows.net/{T}/", "jwks_url", "https://evil.blob.core.windows.net/k/jwks.json"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "userinfo_url", "https://graph.microsoft.com/v1.0/me"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"https://login.microsoftonline.com/{E}/discovery/v2.0/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"https://login.microsoftonline.com/{T}/../{E}/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"https://login.microsoftonline.com/{T}/%2e%2e/{E}/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"https://login.microsoftonline.com/{T}%2f..%2f{E}/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"https://login.microsoftonline.com:444/{T}/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "jwks_url", f"http://login.microsoftonline.com/{T}/keys"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "token_url", "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "token_url", f"https://login.microsoftonline.com.evil.example/{T}/token"),
        ("https://accounts.google.com", "jwks_url", "https://www.googleapis.com/storage/v1/b/evil/o/jwks?alt=media"),
        ("https://accounts.google.com", "jwks_url", "https://www.googleapis.com/robot/v1/metadata/jwk/evil@x.example"),
        ("https://accounts.google.com", "jwks_url", "https://www.googleapis.com/oauth2/../storage/v1/b/evil/o/jwks"),
        ("https://accounts.google.com", "jwks_url", "https://storage.googleapis.com/evil/jwks.json"),
        ("https://acme.okta.com", "token_url", "https://acme.okta.com.evil.example/token"),
        ("https://acme.okta.com", "token_url", "https://acme.oktapreview.com/oauth2/v1/token"),
        ("https://sso.acme.com/realms/a", "token_url", "https://sso.acme.com/realms/a/../b/protocol/openid-connect/token"),
        ("https://sso.acme.com/realms/a", "token_url", "https://sso.acme.com/realms/A/protocol/openid-connect/token"),
        ("https://cognito-idp.us-east-2.amazonaws.com/us-east-2_A", "jwks_url", "https://cognito-idp.us-east-2.amazonaws.com/us-east-2_B/.well-known/jwks.json"),
        ("https://cognito-idp.us-east-2.amazonaws.com/us-east-2_A", "token_url", "https://acme.auth.eu-west-1.amazoncognito.com/oauth2/token"),
        ("https://cognito-idp.us-east-2.amazonaws.com/us-east-2_A", "jwks_url", "https://evil.s3.amazonaws.com/jwks.json"),
        ("https://www.linkedin.com/oauth", "userinfo_url", "https://api.linkedin.com/v2/people"),
        ("http://localhost:8080/realms/a", "token_url", "http://localhost:9090/realms/a/token"),
    ],
)  # fmt: skip
def test_look_alikes_and_content_of_others_are_off_site(issuer: str, field: str, endpoint: str) -> None:
    assert "endpoint-off-site" in risks(None, connection("generic", {"issuer": issuer, field: endpoint}))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://acme.okta.com", "https://ACME.okta.com:443/oauth2/default"),
        (f"https://sts.windows.net/{T}/", f"https://login.microsoftonline.com/{T.upper()}/v2.0"),
        (f"https://login.microsoftonline.com/{T}/v2.0", "https://login.microsoftonline.com/common/discovery/keys"),
        ("https://sso.acme.com", "https://login.acme.com:8443/x"),
        ("https://sso.acme.co.uk", "https://login.acme.co.uk"),
        ("https://sso.acme.com/auth/realms/a", "https://login.acme.com/realms/a/x"),
    ],
)  # fmt: skip
def test_one_trust_domain(first: str, second: str) -> None:
    assert is_same_trust_domain(first, second)
    assert is_same_trust_domain(second, first)


@pytest.mark.parametrize(
    "url", [None, "", "okta", "https://", "https://[1]/", "https://[", "mailto:a@b.example"]
)
def test_what_has_no_host_is_in_no_trust_domain(url: str | None) -> None:
    assert not is_same_trust_domain(url, url)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.google.com",
        "https://oauth.id.jumpcloud.com/",
        "https://launchpad.classlink.com",
        "https://login.salesforce.com",
        "https://openid-connect.onelogin.com/oidc",
        "https://www.linkedin.com/oauth",
    ],
)
def test_at_a_shared_issuer_another_client_is_another_customer(issuer: str) -> None:
    assert is_shared_issuer(issuer)
    before, after = (connection("generic", {"issuer": issuer}, client) for client in ("ours", "theirs"))
    change = Update(
        address=Address("acme", "sso"),
        organization_id="organization-test-1",
        declared=after,
        before=before,
        changed=("client_id",),
    )
    (risk,) = assess((change,), {}, NOTHING)
    assert (risk.code, risk.is_error) == ("client-id-change", True)
    (risk,) = assess((change,), {"client-id-change": "warn"}, NOTHING)
    assert not risk.is_error


@pytest.mark.parametrize("issuer", ["https://acme.okta.com", f"https://login.microsoftonline.com/{T}/v2.0"])
def test_elsewhere_another_client_is_a_warning(issuer: str) -> None:
    before, after = (connection("generic", {"issuer": issuer}, client) for client in ("ours", "theirs"))
    assert risks(before, after) == {"client-id-change"}
    assert not is_shared_issuer(issuer)


@pytest.mark.parametrize(
    ("issuer", "is_open"),
    [
        ("https://login.microsoftonline.com/common/v2.0", True),
        ("https://login.microsoftonline.com/ORGANIZATIONS/v2.0", True),
        ("https://login.microsoftonline.com/consumers/v2.0", True),
        ("https://login.partner.microsoftonline.cn/common/v2.0", True),
        ("https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/", True),
        ("https://login.microsoftonline.com/%7Btenantid%7D/v2.0", True),
        ("https://common.okta.com", False),
        ("https://sso.acme.com/common/oidc", False),
        ("https://sso.acme.com/realms/organizations", False),
        (f"https://login.microsoftonline.com/{T}/v2.0", False),
    ],
)
def test_only_entra_has_issuers_that_are_open_to_everybody(issuer: str, is_open: bool) -> None:
    assert ("multi-tenant-issuer" in risks(None, connection("generic", {"issuer": issuer}))) == is_open
