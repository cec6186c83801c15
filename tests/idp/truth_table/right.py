"""The right set-ups of the truth table: what vendors publish, at the hosts where they publish it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.idp.provider import RSA_KEY, answer, leads_back
from tests.idp.truth_table.rows import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.idp.provider import Script

DOCUMENTS: Final = Path(__file__).parents[2] / "policies" / "idp"
CLIENT: Final = "DI0123456789"

NATIONAL_CLOUDS: Final = (
    "https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud"
)
OKTA_SERVERS: Final = "https://developer.okta.com/docs/concepts/auth-servers/"
JUMPCLOUD: Final = "https://jumpcloud.com/support/sso-with-oidc"
DUO: Final = "https://duo.com/docs/sso-oidc-generic"
ONELOGIN: Final = "https://developers.onelogin.com/openid-connect/api/provider-config"
MY_DOMAIN: Final = (
    "https://developer.salesforce.com/docs/atlas.en-us.246.0.api_meta.meta/api_meta/meta_mydomainsettings.htm"
)
KEYCLOAK: Final = "https://www.keycloak.org/securing-apps/oidc-layers"
GOOGLE: Final = "https://developers.google.com/identity/openid-connect/reference"
CYBERARK: Final = (
    "https://docs.cyberark.com/identity/Latest/en/Content/Developer/oidc/about-openidconnect.htm"
)
MINIORANGE: Final = "https://developers.miniorange.com/docs/idp/api/openid-api"
RIPPLING: Final = "https://docs.trustswiftly.com/single-sign-on/rippling-sso-app"
STANDARD: Final = "OpenID Connect Discovery 1.0, section 3"

LOGIN_REQUIRED: Final = leads_back(error="login_required")
INTERACTION_REQUIRED: Final = leads_back(error="interaction_required")
LOGIN_PAGE: Final = answer(200, b"<!doctype html><title>Sign in</title>")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightSetUp:
    """A vendor's metadata, and how its endpoints answer; ``source`` says where its shape comes from.

    ``identity_provider`` is what the manifest declares. ``for_clients``: other clients get metadata that name
    another issuer. ``declares_urls``: the manifest declares the four URLs. ``token`` is a right secret's row
    in the table of vendors' answers. ``is_generic``: no shape of the vendor is known. ``hints`` are
    pieces of information.
    """

    what: str
    identity_provider: str
    document: Mapping[str, Any]
    source: str
    client_id: str = "client"
    login: Script = LOGIN_REQUIRED
    token: str = "right"
    keys: tuple[object, ...] = (RSA_KEY,)
    declared: Mapping[str, Any] = field(default_factory=dict)
    published_issuer: str = ""
    issuer_for_others: str = ""
    declares_urls: bool = False
    is_generic: bool = False
    hints: tuple[str, ...] = ()

    @property
    def expected(self) -> Findings:
        """What `verify` has to find: information at most."""
        return Findings(information=self.hints)


def document(name: str, *replacements: tuple[str, str]) -> dict[str, Any]:
    """Return a stored document, with parts of its URLs replaced."""
    text = (DOCUMENTS / f"{name}.json").read_text(encoding="utf-8")
    for old, new in replacements:
        text = text.replace(old, new)
    values: dict[str, Any] = json.loads(text)
    return values


def standard(issuer: str, base: str = "") -> dict[str, Any]:
    """Return what has to be published, and no more."""
    base = base or issuer.removesuffix("/")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


ENTRA: Final[dict[str, Any]] = {
    "identity_provider": "microsoft-entra",
    "token": "Entra, right",
    "declared": {"secret_expires_on": "2027-12-31"},
}
DUO_HOST: Final = ("sso-xxxxxxxx.sso", "sso-1a2b3c4d.sso")

_MICROSOFT_AND_GOOGLE: Final = (
    RightSetUp(
        what="Entra, version 2", document=document("entra-v2-tenant"), source="entra-v2-tenant.json", **ENTRA
    ),
    RightSetUp(
        what="Entra, US Government",
        document=document(
            "entra-v2-tenant",
            ("login.microsoftonline.com", "login.microsoftonline.us"),
            ("graph.microsoft.com", "graph.microsoft.us"),
        ),
        source=f"entra-v2-tenant.json at the hosts of {NATIONAL_CLOUDS}",
        **ENTRA,
    ),
    RightSetUp(
        what="Entra, version 1",
        document=document("entra-v1-tenant"),
        source="entra-v1-tenant.json",
        login=LOGIN_PAGE,
        hints=("preflight-inconclusive",),
        **ENTRA,
    ),
    RightSetUp(
        what="Google",
        identity_provider="google-workspace",
        document=document("google"),
        source="google.json",
        login=INTERACTION_REQUIRED,
        token="Google, right",
    ),
    RightSetUp(
        what="Google, whose document has the issuer of old tokens",
        identity_provider="google-workspace",
        document=document("google"),
        published_issuer="accounts.google.com",
        source=f"google.json and {GOOGLE}",
        token="Google, code first",
        hints=("probe-inconclusive",),
        declares_urls=True,
    ),
)

_OKTA_TO_ONELOGIN: Final = (
    RightSetUp(
        what="Okta, the organization's server",
        identity_provider="okta",
        document=document("okta"),
        source="okta.json",
        token="Okta, right",
    ),
    RightSetUp(
        what="Okta, an authorization server of its own",
        identity_provider="okta",
        document=document("okta", ("okta.com", "okta.com/oauth2/default"), ("default/oauth2", "default")),
        source=f"okta.json in the form of {OKTA_SERVERS}",
        token="Okta, right",
    ),
    RightSetUp(
        what="Okta, whose issuer depends on the client",
        identity_provider="okta",
        document=document("okta", ("common.okta.com", "acme.okta.com")),
        issuer_for_others="https://login.acme.example",
        source=f"okta.json and {OKTA_SERVERS}",
        declares_urls=True,
    ),
    RightSetUp(
        what="JumpCloud",
        identity_provider="jumpcloud",
        document=document("jumpcloud"),
        source="jumpcloud.json",
    ),
    RightSetUp(
        what="JumpCloud, Europe",
        identity_provider="jumpcloud",
        document=document("jumpcloud", ("oauth.id.", "oauth.id.eu.")),
        source=f"jumpcloud.json at the host of {JUMPCLOUD}",
        declares_urls=True,
    ),
    RightSetUp(
        what="Duo",
        identity_provider="duo",
        document=document("duo", DUO_HOST, ("xxxxxxxx", CLIENT)),
        client_id=CLIENT,
        source="duo.json",
    ),
    RightSetUp(
        what="Duo, with the four URLs declared",
        identity_provider="duo",
        document=document("duo", ("sso-xxxxxxxx.sso", "sso-9z8y7x6w.sso"), ("xxxxxxxx", "DIABCDEFGHIJ")),
        client_id="DIABCDEFGHIJ",
        source=DUO,
        declares_urls=True,
    ),
    RightSetUp(
        what="OneLogin", identity_provider="onelogin", document=document("onelogin"), source="onelogin.json"
    ),
    RightSetUp(
        what="OneLogin, Europe, client_secret_post",
        identity_provider="onelogin",
        document=document("onelogin", ("common.onelogin.com/oidc/2", "openid-connect-eu.onelogin.com/oidc")),
        source=f"onelogin.json in the form of {ONELOGIN}",
        token="right, by post only",
    ),
)

_CLASSLINK_TO_PINGFEDERATE: Final = (
    RightSetUp(
        what="ClassLink",
        identity_provider="classlink",
        document=document("classlink"),
        source="classlink.json",
    ),
    RightSetUp(
        what="ClassLink, with the four URLs declared",
        identity_provider="classlink",
        document=document("classlink"),
        source="classlink.json",
        login=LOGIN_PAGE,
        hints=("preflight-inconclusive",),
        declares_urls=True,
    ),
    RightSetUp(
        what="Salesforce",
        identity_provider="salesforce",
        document=document("salesforce"),
        source="salesforce.json",
    ),
    RightSetUp(
        what="Salesforce, My Domain",
        identity_provider="salesforce",
        document=document("salesforce", ("login.salesforce.com", "acme.my.salesforce.com")),
        source=f"salesforce.json at the host of {MY_DOMAIN}",
    ),
    RightSetUp(
        what="Keycloak",
        identity_provider="keycloak",
        document=document("keycloak", ("http://localhost:8080", "https://sso.acme.example")),
        source="keycloak.json",
        token="Keycloak, right",
    ),
    RightSetUp(
        what="Keycloak before version 17, below `/auth`",
        identity_provider="keycloak",
        document=document("keycloak", ("http://localhost:8080", "https://sso.acme.example/auth")),
        source=f"keycloak.json and {KEYCLOAK}",
        token="Keycloak 20, right",
    ),
    RightSetUp(
        what="PingFederate on port 9031",
        identity_provider="pingfederate",
        document=document("pingfederate", ("localhost:9031", "ping.acme.example:9031")),
        source="pingfederate.json",
    ),
    RightSetUp(
        what="PingFederate on port 443",
        identity_provider="pingfederate",
        document=document("pingfederate-public"),
        source="pingfederate-public.json",
    ),
)

_SHAPES_UNKNOWN: Final = (
    RightSetUp(
        what="Shibboleth, whose issuer is a SAML entity ID",
        identity_provider="shibboleth",
        document=document("shibboleth"),
        source="shibboleth.json",
        is_generic=True,
    ),
    RightSetUp(
        what="CyberArk",
        identity_provider="cyberark",
        document=standard("https://acme.id.cyberark.cloud/app/"),
        source=CYBERARK,
        is_generic=True,
    ),
    RightSetUp(
        what="miniOrange",
        identity_provider="miniorange",
        document=standard("https://login.xecurify.com/moas/discovery/v2.0/acme"),
        source=MINIORANGE,
        is_generic=True,
    ),
    RightSetUp(
        what="Rippling",
        identity_provider="rippling",
        document=standard("https://app.rippling.com"),
        source=RIPPLING,
        is_generic=True,
    ),
)


def generic(what: str, values: Mapping[str, Any], source: str, **fields: Any) -> RightSetUp:
    return RightSetUp(
        what=what, identity_provider="generic", document=values, source=source, is_generic=True, **fields
    )


_GENERIC: Final = (
    generic("AD FS", document("adfs"), "adfs.json", login=LOGIN_PAGE, token="ADFS, right",
            hints=("preflight-inconclusive",)),
    generic("Auth0", document("auth0"), "auth0.json"),
    generic("Amazon Cognito", document("cognito"), "cognito.json"),
    generic("PingOne", document("pingone"), "pingone.json"),
    generic("LinkedIn", document("linkedin"), "linkedin.json"),
    generic("Oracle Access Manager", document("oracle-access-manager"), "oracle-access-manager.json"),
    generic(
        "HashiCorp Vault behind TLS",
        document("vault", ("http://0.0.0.0:8200", "https://vault.acme.example:8200")),
        "vault.json",
    ),
    generic("Authentik", standard("https://auth.acme.example/application/o/acme/"), STANDARD),
    generic("Better Auth, which checks the code first", standard("https://id.acme.example"), STANDARD,
            token="better-auth checks the code first", hints=("probe-inconclusive",)),
    generic("Zitadel", standard("https://acme.zitadel.example"), STANDARD, token="Zitadel",
            hints=("probe-inconclusive",)),
)  # fmt: skip

_MORE_KEYS: Final[dict[str, tuple[str, object]]] = {
    "a key of an unknown type among good ones": (
        "RFC 7517, section 5", {"kty": "FUTURE", "kid": "b"}
    ),
    "a post-quantum key among good ones": (
        "RFC 7517, section 5", {"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}
    ),
    "a key of an unknown curve among good ones": (
        "RFC 7517, section 5", {"kty": "EC", "crv": "P-999", "kid": "c", "x": "AA", "y": "AA"}
    ),
    "one key for two algorithms": ("RFC 7517, section 4.5", {**RSA_KEY, "alg": "RS512"}),
    "a key for encryption with the same kid": (
        "RFC 7517, section 4.2", {**RSA_KEY, "use": "enc", "alg": "RSA-OAEP"}
    ),
}  # fmt: skip

_KEYS: Final = tuple(
    generic(what, standard(f"https://keys{number}.acme.example"), source, keys=(RSA_KEY, key))
    for number, (what, (source, key)) in enumerate(_MORE_KEYS.items())
)

RIGHT: Final = (
    *_MICROSOFT_AND_GOOGLE,
    *_OKTA_TO_ONELOGIN,
    *_CLASSLINK_TO_PINGFEDERATE,
    *_SHAPES_UNKNOWN,
    *_GENERIC,
    *_KEYS,
    generic(
        "a key without use, alg and kid",
        standard("https://bare.acme.example"),
        "RFC 7517, section 4",
        keys=({name: RSA_KEY[name] for name in ("kty", "n", "e")},),
    ),
)
