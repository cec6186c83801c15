"""Which live endpoints are somebody else's, judged by what real providers publish."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from reconciler.core.idp import EndpointDifference
from reconciler.policies.live_endpoints import is_foreign
from tests.policies.test_providers import DOCUMENTS, ENDPOINTS, MOVES, T, document, keycloak

PUBLISHED = {path.stem: document(path.stem, **{"{tenantid}": T}) for path in sorted(DOCUMENTS.glob("*.json"))}
GOOGLE = "https://accounts.google.com"
ENTRA = f"https://login.microsoftonline.com/{T}"
PINGONE = f"https://auth.pingone.eu/{T}"
OKTA = "https://acme.okta.com"
FIELDS = ("authorization_url", "token_url", "userinfo_url", "jwks_url")


def foreign(published: str, live: str, issuer: str, *, is_declared: bool = False) -> bool:
    endpoint = EndpointDifference(
        attribute="jwks_url", url=live, published=published, is_declared=is_declared
    )
    return is_foreign(endpoint, issuer)


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_a_real_provider_publishes_at_another_path_is_its_own(name: str) -> None:
    urls = PUBLISHED[name]
    for field in FIELDS:
        if url := urls.get(field):
            assert not foreign(url, f"{url}?version=2", urls["issuer"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_endpoint_elsewhere_is_foreign_at_every_provider(name: str) -> None:
    urls = PUBLISHED[name]
    for field in FIELDS:
        if url := urls.get(field):
            assert foreign(url, "https://login.evil.example/keys", urls["issuer"])
            host = urlsplit(url).hostname
            assert foreign(url, f"https://{host}.evil.example/keys", urls["issuer"])


@pytest.mark.parametrize(("before", "after"), MOVES.values(), ids=MOVES)
def test_an_endpoint_of_another_tenant_is_foreign(before: dict[str, str], after: dict[str, str]) -> None:
    """Also at Cognito, whose login pages the risk rules cannot tell apart by the issuer alone."""
    for field in FIELDS:
        assert foreign(before[field], after[field], before["issuer"])


@pytest.mark.parametrize(
    ("issuer", "published", "live"),
    [
        (GOOGLE, "https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"),
        (GOOGLE, "https://www.googleapis.com/oauth2/v3/certs", f"{GOOGLE}/certs"),
        (f"{ENTRA}/v2.0", "https://graph.microsoft.com/oidc/userinfo", f"{ENTRA}/openid/userinfo"),
        (f"https://sts.windows.net/{T}/", f"{ENTRA}/oauth2/token", f"{ENTRA}/oauth2/v2.0/token"),
        (f"{ENTRA}/v2.0", f"{ENTRA}/discovery/v2.0/keys", ENTRA.replace(T, "common/discovery/keys")),
        (f"{PINGONE}/as", f"{PINGONE}/as/token", f"{PINGONE}/as/token.oauth2"),
        (OKTA, f"{OKTA}/oauth2/v1/keys", f"{OKTA}/oauth2/default/v1/keys"),
    ],
)
def test_another_url_of_the_same_tenant_is_its_own(issuer: str, published: str, live: str) -> None:
    assert not foreign(published, live, issuer)


@pytest.mark.parametrize(
    "base",
    [
        "http://keycloak:8080/realms/acme",
        "https://10.0.0.5:8443/realms/acme",
        "https://keycloak.acme.internal/auth/realms/acme",
        "http://sso.acme.com/realms/acme",
    ],
)
def test_a_keycloak_that_publishes_the_host_that_it_was_asked_by_cries_no_wolf(base: str) -> None:
    """The live URL is at the issuer's own host and realm; that of another realm there is foreign."""
    own, published = keycloak("https://sso.acme.com/realms/acme"), keycloak(base)
    for field in FIELDS:
        assert not foreign(published[field], own[field], own["issuer"])
        assert foreign(published[field], own[field].replace("/acme/", "/evil/"), own["issuer"])


def test_an_endpoint_without_encryption_is_foreign_where_the_published_one_has_it() -> None:
    """Whoever is on the way can answer there; on this machine, nobody is on the way."""
    own = keycloak("https://sso.acme.com/realms/acme")
    for field in FIELDS:
        plain = own[field].replace("https:", "http:")
        assert foreign(own[field], plain, own["issuer"])
        assert not foreign(plain, plain, own["issuer"])
        assert not foreign(plain, own[field], own["issuer"])
    local = "https://localhost:8443/keys"
    assert not foreign(local, local.replace("https:", "http:"), "https://localhost:8443")


def test_what_cannot_be_compared_is_left_to_the_risk_rules() -> None:
    issuer = "https://acme.okta.com"
    assert not foreign("no URL", "https://evil.example/keys", issuer)
    assert not foreign(f"{issuer}/keys", "https://evil.example/keys", issuer, is_declared=True)


def test_a_masked_live_url_is_foreign() -> None:
    """A URL that holds the client secret is not shown, and not taken for the provider's own."""
    assert foreign("https://acme.okta.com/keys", "(sensitive value)", "https://acme.okta.com")


def test_the_documents_name_all_endpoints() -> None:
    assert {*FIELDS, "issuer"} == {*ENDPOINTS.values()}
    assert (
        sum(bool(urls.get(field)) for urls in PUBLISHED.values() for field in FIELDS)
        >= 4 * len(PUBLISHED) - 8
    )
