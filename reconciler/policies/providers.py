"""The table of identity providers: where their tenants stand in their URLs, and which URLs all tenants share.

A form is a host and the beginning of a path. ``{name}`` is one label of the host or one segment of the
path, and is compared; ``{_}`` is not. ``*`` at the start is any sub-host: then the whole host is the
tenant's. Every entry cites its sources: documents in ``tests/policies/idp``, pages and code of the vendor,
or of others who integrate it where the vendor publishes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An identity provider.

    ``identity_provider`` is the value that declares it, if there is one. ``tenants`` are URL forms that
    name a tenant, ``all_tenants`` those of hosts and endpoints that serve every tenant, and ``paths``
    are forms at any host. ``shared_issuers`` serve all customers: only the client_id tells them apart.
    ``open_tenants`` name no single tenant. ``sites`` belong to the provider, but say nothing of tenants.

    ``is_generic``: its URLs are judged by their registrable domain alone, as no shape is known.
    """

    name: str
    sources: tuple[str, ...]
    identity_provider: str = ""
    tenants: tuple[str, ...] = ()
    all_tenants: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    shared_issuers: tuple[str, ...] = ()
    open_tenants: frozenset[str] = frozenset()
    sites: tuple[str, ...] = ()
    is_generic: bool = False


_ENTRA_OPEN: Final = frozenset(
    {"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"}
)
"""The names that stand for more than one tenant, and Microsoft's tenant of personal accounts."""

PROVIDERS: Final = (
    Provider(
        name="Microsoft Entra ID",
        identity_provider="microsoft-entra",
        tenants=(
            "login.microsoftonline.com/{tenant}",
            "login.microsoftonline.us/{tenant}",
            "login.microsoft.com/{tenant}",
            "login.windows.net/{tenant}",
            "sts.windows.net/{tenant}",
            "{_}.ciamlogin.com/{tenant}",
        ),
        all_tenants=(
            "login.microsoftonline.com/common/discovery",
            "login.microsoftonline.us/common/discovery",
            "login.windows.net/common/discovery",
            "graph.microsoft.com/oidc/userinfo",
            "graph.microsoft.us/oidc/userinfo",
            "dod-graph.microsoft.us/oidc/userinfo",
        ),
        open_tenants=_ENTRA_OPEN,
        sources=(
            "entra-v1-common.json",
            "entra-v1-tenant.json",
            "entra-v2-common.json",
            "entra-v2-tenant.json",
            "https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud",
            "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference",
            "https://learn.microsoft.com/en-us/graph/deployments",
        ),
    ),
    Provider(
        name="Microsoft Entra ID in China",
        identity_provider="microsoft-entra",
        tenants=(
            "login.partner.microsoftonline.cn/{tenant}",
            "login.chinacloudapi.cn/{tenant}",
            "sts.chinacloudapi.cn/{tenant}",
        ),
        all_tenants=(
            "login.partner.microsoftonline.cn/common/discovery",
            "login.chinacloudapi.cn/common/discovery",
            "microsoftgraph.chinacloudapi.cn/oidc/userinfo",
        ),
        open_tenants=_ENTRA_OPEN,
        sources=(
            "https://learn.microsoft.com/en-us/answers/questions/1190472/what-are-the-token-issuers-for-the-sovereign-cloud",
            "https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud",
            "https://learn.microsoft.com/en-us/graph/deployments",
        ),
    ),
    Provider(
        name="Azure AD B2C",
        identity_provider="microsoft-entra",
        tenants=(
            "{tenant}.b2clogin.com/{tenant}.onmicrosoft.com",
            "{tenant}.b2clogin.com/tfp/{tenant}.onmicrosoft.com",
            "{tenant}.b2clogin.com/tfp/{directory}",
            "{tenant}.b2clogin.com/{directory}",
        ),
        sources=(
            "entra-b2c.json",
            "https://github.com/AzureAD/microsoft-authentication-library-for-java/wiki/AAD-B2C-specifics",
            "https://github.com/AzureAD/microsoft-identity-web/wiki/Azure-AD-B2C-issuer-claim-support",
        ),
    ),
    Provider(
        name="Google",
        identity_provider="google-workspace",
        all_tenants=(
            "accounts.google.com",
            "oauth2.googleapis.com",
            "openidconnect.googleapis.com",
            "www.googleapis.com/oauth2",
        ),
        shared_issuers=("accounts.google.com",),
        sources=("google.json", "https://developers.google.com/identity/openid-connect/reference"),
    ),
    Provider(
        name="Okta",
        identity_provider="okta",
        tenants=("*.okta.com", "*.oktapreview.com", "*.okta-emea.com", "*.okta-gov.com", "*.okta.mil"),
        sources=(
            "okta.json",
            "https://developer.okta.com/docs/guides/oie-embedded-common-download-setup-app/android/main/",
            "https://github.com/okta/okta-commons-java/blob/master/config-check/src/main/java/com/okta/commons/"
            "configcheck/ConfigurationValidator.java",
        ),
    ),
    Provider(
        name="Auth0",
        tenants=("*.auth0.com",),
        sources=("auth0.json", "https://auth0.com/docs/get-started/auth0-overview/create-tenants"),
    ),
    Provider(
        name="OneLogin",
        identity_provider="onelogin",
        tenants=("*.onelogin.com",),
        shared_issuers=("openid-connect.onelogin.com/oidc", "openid-connect-eu.onelogin.com/oidc"),
        sources=("onelogin.json", "https://developers.onelogin.com/openid-connect/api/provider-config"),
    ),
    Provider(
        name="Duo",
        identity_provider="duo",
        tenants=("*.duosecurity.com",),
        sources=("duo.json", "https://duo.com/docs/sso-oidc-generic"),
    ),
    Provider(
        name="PingOne",
        tenants=(
            "auth.pingone.com/{environment}",
            "auth.pingone.eu/{environment}",
            "auth.pingone.ca/{environment}",
            "auth.pingone.asia/{environment}",
            "auth.pingone.com.au/{environment}",
            "auth.pingone.sg/{environment}",
        ),
        sources=(
            "pingone.json",
            "https://developer.pingidentity.com/pingone-api/workflow-library/using-postman-workflow-collections/"
            "using-the-pingone-postman-environment.html",
        ),
    ),
    Provider(
        name="Amazon Cognito",
        tenants=(
            "cognito-idp.{region}.amazonaws.com/{pool}",
            "cognito-idp-fips.{region}.amazonaws.com/{pool}",
            "issuer-cognito-idp.{region}.amazonaws.com/{pool}",
            "{domain}.auth.{region}.amazoncognito.com",
            "{domain}.auth-fips.{region}.amazoncognito.com",
        ),
        sources=(
            "cognito.json",
            "cognito-no-domain.json",
            "https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html",
        ),
    ),
    Provider(
        name="Salesforce",
        identity_provider="salesforce",
        tenants=("*.my.salesforce.com", "{host}.salesforce.com", "*.my.site.com", "*.force.com"),
        shared_issuers=("login.salesforce.com", "test.salesforce.com"),
        sources=(
            "salesforce.json",
            "https://developer.salesforce.com/docs/atlas.en-us.246.0.api_meta.meta/api_meta/meta_mydomainsettings.htm",
            "https://developer.salesforce.com/docs/platform/pkg2-dev/guide/packaging-instanceless-url.html",
            "https://developer.salesforce.com/docs/platform/connect-rest-api/guide/quickstart_communities",
            "https://developer.salesforce.com/docs/atlas.en-us.254.0.object_reference.meta/object_reference/"
            "sforce_api_objects_domain.htm",
        ),
    ),
    Provider(
        name="JumpCloud",
        identity_provider="jumpcloud",
        tenants=("*.jumpcloud.com",),
        shared_issuers=("oauth.id.jumpcloud.com", "oauth.id.{region}.jumpcloud.com"),
        sources=(
            "jumpcloud.json",
            "https://jumpcloud.com/support/sso-with-oidc",
            "https://knowledge.catonetworks.com/configuring-jumpcloud-sso-for-your-account",
        ),
    ),
    Provider(
        name="ClassLink",
        identity_provider="classlink",
        all_tenants=("launchpad.classlink.com", "nodeapi.classlink.com"),
        shared_issuers=("launchpad.classlink.com",),
        sources=("classlink.json",),
    ),
    Provider(
        name="LinkedIn",
        all_tenants=("www.linkedin.com/oauth", "api.linkedin.com/v2/userinfo"),
        shared_issuers=("www.linkedin.com/oauth",),
        sources=("linkedin.json",),
    ),
    Provider(
        name="Keycloak",
        identity_provider="keycloak",
        paths=("realms/{realm}",),
        sources=("keycloak.json", "https://www.keycloak.org/securing-apps/oidc-layers"),
    ),
    Provider(
        name="PingFederate",
        identity_provider="pingfederate",
        sources=("pingfederate.json", "pingfederate-public.json"),
    ),
    Provider(
        name="Shibboleth", identity_provider="shibboleth", is_generic=True, sources=("shibboleth.json",)
    ),
    Provider(
        name="CyberArk",
        identity_provider="cyberark",
        is_generic=True,
        sources=(
            "https://docs.cyberark.com/identity/Latest/en/Content/Developer/oidc/about-openidconnect.htm",
        ),
    ),
    Provider(
        name="miniOrange",
        identity_provider="miniorange",
        is_generic=True,
        sources=("https://developers.miniorange.com/docs/idp/api/openid-api",),
    ),
    Provider(
        name="Rippling",
        identity_provider="rippling",
        is_generic=True,
        sites=("rippling.com",),
        sources=("https://docs.trustswiftly.com/single-sign-on/rippling-sso-app",),
    ),
)
"""The providers whose URLs are known. Whatever is not here is judged by its registrable domain."""
