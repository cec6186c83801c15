"""The defects of the truth table."""

from __future__ import annotations

from typing import Any, Final

from tests.idp.bad_answers import CERTIFICATES, KEY_ANSWERS, METADATA_ANSWERS, PREFLIGHTS
from tests.idp.provider import METADATA, RSA_KEY
from tests.idp.truth_table.rows import Defect, OidcProvider, Scripted

GUID: Final = "7d1c9f4e-3a52-4c8b-9d76-0f2e1a5b8c33"
ALL_URLS: Final = {
    "authorization_url": "{issuer}/auth",
    "token_url": "{issuer}/token",
    "userinfo_url": "{issuer}/me",
    "jwks_url": "{issuer}/jwks",
}
IMPLICIT: Final[dict[str, Any]] = {"response_types": ["id_token"], "grant_types": ["implicit"]}
PUSHED: Final = {"enabled": True, "requirePushedAuthorizationRequests": True}
WEAK_KEY: Final = {
    **RSA_KEY,
    "n": "oCRq8zrtHLlY2cniaQ2XGWfBBmWRdwc-8x-FMwYcjRi5YAsGBn12gTFDqpK8iLHJw0-SveLwOEnxsXr7wMQACr62n-91uMtr"
    "isy5wDHPGC4ql9Z5Ir5tVCz0BSYumDpbLadJj5-plwThSmYP5DVb3N6SkHBVw_DMGJLKs_MuteU",
}
"""RSA with 1024 bits."""
ED25519: Final = {
    "kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "alg": "EdDSA",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}  # fmt: skip
"""The example key of RFC 8037, appendix A."""

AT_A_REAL_PROVIDER: Final = (
    Defect(
        what="the issuer has an extra trailing slash",
        code="issuer-mismatch",
        made_on=OidcProvider(),
        live={"issuer": "{issuer}/"},
    ),
    Defect(
        what="the provider has moved and publishes another issuer",
        code="issuer-mismatch",
        made_on=OidcProvider(issuer="https://login.acme.example"),
    ),
    Defect(
        what="the issuer has another path, below which the provider answers 404",
        code="idp-not-found",
        made_on=OidcProvider(),
        live={"issuer": "{issuer}/realms/acme"},
    ),
    Defect(
        what="the live authorization_url is not the published one",
        code="endpoint-differs",
        made_on=OidcProvider(),
        live={"authorization_url": "{issuer}/auth?v=1"},
    ),
    Defect(
        what="the live token_url is not the published one",
        code="endpoint-differs",
        made_on=OidcProvider(),
        live={"token_url": "{issuer}/token?v=1"},
    ),
    Defect(
        what="the live userinfo_url is not the published one",
        code="endpoint-differs",
        made_on=OidcProvider(),
        live={"userinfo_url": "{issuer}/userinfo"},
    ),
    Defect(
        what="the live jwks_url is not the published one",
        code="endpoint-differs",
        made_on=OidcProvider(),
        live={"jwks_url": "{issuer}/jwks?v=1"},
    ),
    Defect(
        what="the provider has moved its endpoints, and no longer serves the old ones",
        code="endpoint-differs",
        made_on=OidcProvider(configuration={"routes": {"token": "/v2/token", "userinfo": "/v2/me"}}),
        live={"token_url": "{issuer}/token", "userinfo_url": "{issuer}/me"},
        hints=("probe-inconclusive",),
    ),
    Defect(
        what="the declared jwks_url leads to 404",
        code="keys-unreachable",
        made_on=OidcProvider(),
        declared={"jwks_url": "{issuer}/old/jwks"},
        hints=("endpoint-differs",),
    ),
    Defect(
        what="no userinfo endpoint",
        code="userinfo-missing",
        made_on=OidcProvider(configuration={"features": {"userinfo": {"enabled": False}}}),
        live={"userinfo_url": ""},
    ),
    Defect(
        what="pushed authorization requests are required",
        code="par-required",
        made_on=OidcProvider(
            configuration={
                "features": {
                    "pushedAuthorizationRequests": {
                        "enabled": True,
                        "requirePushedAuthorizationRequests": True,
                    }
                }
            }
        ),
    ),
    Defect(
        what="signed request objects are required",
        code="jar-required",
        made_on=OidcProvider(
            configuration={
                "features": {"requestObjects": {"enabled": True, "requireSignedRequestObject": True}}
            }
        ),
    ),
    Defect(
        what="clients authenticate by private_key_jwt only",
        code="client-auth-unsupported",
        made_on=OidcProvider(
            configuration={"clientAuthMethods": ["private_key_jwt"]},
            client={
                "client_secret": None,
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [RSA_KEY]},
            },
        ),
        hints=("secret-not-probed",),
    ),
    Defect(
        what="the code flow is switched off",
        code="code-flow-missing",
        made_on=OidcProvider(configuration={"responseTypes": ["id_token"]}, client=IMPLICIT),
        hints=("probe-inconclusive",),
    ),
    Defect(
        what="ID tokens are signed by EdDSA only",
        code="signing-alg",
        made_on=OidcProvider(
            configuration={"jwks": {"keys": [ED25519]}, "enabledJWA": {"idTokenSigningAlgValues": ["EdDSA"]}},
            client={"id_token_signed_response_alg": "EdDSA"},
        ),
    ),
    Defect(
        what="the client is not registered",
        code="client-unknown",
        made_on=OidcProvider(),
        live={"client_id": "nobody"},
        hints=("secret-not-probed",),
    ),
    Defect(
        what="the redirect URL is not registered",
        code="redirect-not-registered",
        made_on=OidcProvider(client={"redirect_uris": ["https://test.stytch.com/v1/b2b/sso/callback/old"]}),
    ),
    Defect(
        what="the redirect URL is registered with an extra trailing slash",
        code="redirect-not-registered",
        made_on=OidcProvider(client={"redirect_uris": ["{redirect_url}/"]}),
    ),
    Defect(
        what="the client may not use the code flow",
        code="request-refused",
        made_on=OidcProvider(client=IMPLICIT),
        hints=("probe-inconclusive",),
    ),
    Defect(
        what="the secret is wrong",
        code="secret-wrong",
        made_on=OidcProvider(),
        live={"client_secret": "another-secret"},
    ),
    Defect(
        what="the secret has a trailing space",
        code="secret-wrong",
        made_on=OidcProvider(),
        live={"client_secret": "{secret} "},
    ),
    Defect(
        what="the secret of a client that is registered for client_secret_post is wrong",
        code="secret-wrong",
        made_on=OidcProvider(client={"token_endpoint_auth_method": "client_secret_post"}),
        live={"client_secret": "another-secret"},
    ),
    Defect(
        what="the client is registered as a public one",
        code="secret-wrong",
        made_on=OidcProvider(client={"client_secret": None, "token_endpoint_auth_method": "none"}),
    ),
    Defect(
        what="the secret has expired",
        code="secret-expired",
        made_on=OidcProvider(client={"client_secret_expires_at": 1_600_000_000}),
    ),
    Defect(
        what="the ID of an Entra secret in place of its value",
        code="secret-looks-like-an-id",
        made_on=OidcProvider(client={"client_secret": GUID}),
        live={"client_secret": GUID},
        declared={"identity_provider": "microsoft-entra", "secret_expires_on": "2027-12-31"},
    ),
    Defect(
        what="no expiry date is declared for a secret of Entra",
        code="secret-expiry-unknown",
        made_on=OidcProvider(),
        declared={"identity_provider": "microsoft-entra"},
    ),
    Defect(
        what="Duo's issuer is that of another client",
        code="issuer-client-mismatch",
        made_on=OidcProvider(path="/oidc/DI0123456789"),
        declared={"identity_provider": "duo"},
    ),
    Defect(
        what="a scope that the provider does not know",
        code="scope-not-advertised",
        made_on=OidcProvider(),
        declared={"custom_scopes": ["openid", "email", "groups"]},
    ),
    Defect(
        what="a claim that the provider does not know",
        code="claim-not-advertised",
        made_on=OidcProvider(),
        declared={"attribute_mapping": {"groups": "memberOf"}},
    ),
    Defect(
        what="only a key for encryption is published",
        code="no-usable-key",
        made_on=OidcProvider(keys=({**RSA_KEY, "use": "enc", "alg": "RSA-OAEP"},)),
    ),
    Defect(
        what="the private key is published",
        code="private-key-published",
        made_on=OidcProvider(keys=({**RSA_KEY, "d": "AAAA"},)),
    ),
    Defect(
        what="two keys have one kid",
        code="key-ids-ambiguous",
        made_on=OidcProvider(keys=(RSA_KEY, {**RSA_KEY, "e": "Aw"})),
    ),
    Defect(what="the key has 1024 bits", code="no-usable-key", made_on=OidcProvider(keys=(WEAK_KEY,))),
)
"""Where oidc-provider refuses a defective key, its key set is replaced as it leaves the server."""

CERTIFICATE_TEXTS: Final = {
    "expired": "the certificate has expired",
    "future": "the certificate is not valid yet",
    "other-name": "the certificate is for another host name",
    "incomplete": "the intermediate certificate is missing",
    "private": "the certificate is from an unknown authority",
    "private-chain": "the certificate is from an unknown authority, through an intermediate one",
    "soon": "the certificate expires in 10 days",
    "very-soon": "the certificate expires in 2 days",
}

BY_CERTIFICATE: Final = tuple(
    Defect(
        what=text,
        code=CERTIFICATES[kind][0],
        made_on=OidcProvider(certificate=kind),
        hints=() if CERTIFICATES[kind] == ["tls-expires"] else ("secret-not-probed",),
    )
    for kind, text in CERTIFICATE_TEXTS.items()
)


def metadata(what: str, code: str, *hints: str, live: dict[str, Any] | None = None, **fields: Any) -> Defect:
    return Defect(what=what, code=code, hints=hints, made_on=Scripted(metadata=fields), live=live or {})


BY_METADATA: Final = (
    metadata(
        "a template in place of the tenant's issuer (Entra's `/common`)",
        "issuer-templated",
        issuer="https://login.microsoftonline.com/{tenantid}/v2.0",
    ),
    metadata(
        "Entra's issuer of version 1 in place of version 2",
        "issuer-mismatch",
        issuer=f"https://sts.windows.net/{GUID}/",
    ),
    metadata("grants without authorization_code", "code-flow-missing", grant_types_supported=["implicit"]),
    metadata("the answer `code` is not listed", "code-flow-missing", response_types_supported=["id_token"]),
    metadata(
        "clients authenticate by TLS certificates only",
        "client-auth-unsupported",
        "secret-not-probed",
        token_endpoint_auth_methods_supported=["tls_client_auth"],
    ),
    metadata(
        "ID tokens are signed by HS256 only", "signing-alg", id_token_signing_alg_values_supported=["HS256"]
    ),
    metadata(
        "the token endpoint is published as http",
        "endpoint-not-https",
        "secret-not-probed",
        token_endpoint="http://idp.example.com/token",
        live={"token_url": ""},
    ),
    metadata("no key set is named", "keys-unreachable", jwks_uri=None, live={"jwks_url": ""}),
    metadata(
        "the key set is at a private address",
        "idp-address-refused",
        jwks_uri="https://10.0.0.1/keys",
        live={"jwks_url": ""},
    ),
    metadata(
        "the login page is at a cloud's metadata service",
        "idp-address-refused",
        authorization_endpoint="https://169.254.169.254/authorize",
        live={"authorization_url": ""},
    ),
    Defect(
        what="the provider's clock is wrong",
        code="clock-skew",
        made_on=Scripted(headers={"date": "Thu, 01 Jan 2026 00:00:00 GMT"}),
    ),
    Defect(what="nothing answers", code="idp-unreachable", made_on=None, hints=("secret-not-probed",)),
)

BY_ANSWER: Final = (
    *(
        Defect(
            what=f"in place of metadata: {name}",
            code=code,
            made_on=Scripted(scripts={METADATA: script}),
            hints=("secret-not-probed",) if code == "idp-unreachable" else (),
        )
        for name, (script, code) in METADATA_ANSWERS.items()
    ),
    *(
        Defect(what=f"in place of keys: {name}", code=code, made_on=Scripted(scripts={"/keys": script}))
        for name, (script, code) in KEY_ANSWERS.items()
    ),
    *(
        Defect(
            what=f"at the login page: {name}",
            code=code,
            made_on=Scripted(scripts={"/authorize": script}),
            hints=("secret-not-probed",) if code == "client-unknown" else (),
        )
        for name, (script, severity, code) in PREFLIGHTS.items()
        if severity == "error"
    ),
)

DEFECTS: Final = (*AT_A_REAL_PROVIDER, *BY_CERTIFICATE, *BY_METADATA, *BY_ANSWER)
