"""Codes of the risk rules, each by a manifest that declares what the rule is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.policies.rule import Rule
from tests.codes.provoking import provokes
from tests.support.workplace import okta

if TYPE_CHECKING:
    from reconciler.core.codes import Code
    from tests.support.workplace import CompletedRun, Workplace

OKTA = "https://acme.okta.com"
EVIL = "https://login.evil.example"
LIVE = {
    "issuer": OKTA,
    "authorization_url": f"{OKTA}/authorize",
    "token_url": f"{OKTA}/token",
    "userinfo_url": f"{OKTA}/userinfo",
    "jwks_url": f"{OKTA}/keys",
}


@dataclass(frozen=True)
class Change:
    """A complete connection that is live, and the fields that its declaration changes."""

    fields: dict[str, Any]
    live: dict[str, Any] = field(default_factory=lambda: LIVE)

    def __call__(self, place: Workplace) -> CompletedRun:
        secret = okta("sso")["client_secret"]
        place.setenv("ACME_CLIENT_SECRET", secret)
        place.emulator.add_connection("acme", **okta("sso", **self.live))
        place.declare("acme", **{"client_id": okta("sso")["client_id"], "issuer": OKTA, **self.fields})
        return place.run("plan", "--format", "json")


CHANGES: dict[Code, Change] = {
    "issuer-host-change": Change({"issuer": EVIL}),
    "secret-kept": Change({"token_url": f"{EVIL}/token"}),
    "authorization-url-host-change": Change({"authorization_url": f"{EVIL}/authorize"}),
    "token-url-host-change": Change({"token_url": f"{EVIL}/token"}),
    "userinfo-url-host-change": Change({"userinfo_url": f"{EVIL}/userinfo"}),
    "jwks-url-host-change": Change({"jwks_url": f"{EVIL}/keys"}),
    "endpoint-off-site": Change({"jwks_url": f"{EVIL}/keys"}),
    "issuer-change": Change({"issuer": f"{OKTA}/oauth2/default"}),
    "client-id-change": Change({"client_id": "another"}),
    "attribute-mapping-change": Change({"attribute_mapping": {"groups": "roles"}}),
    "scopes-dropped": Change(
        {"custom_scopes": ["openid", "profile"]}, LIVE | {"custom_scopes": "openid email"}
    ),
    "ip-literal-host": Change({"issuer": "https://8.8.8.8"}),
    "private-host": Change({"issuer": "https://idp.corp"}),
    "punycode-host": Change({"issuer": "https://xn--kta-hoa.com"}),
    "multi-tenant-issuer": Change({"issuer": "https://login.microsoftonline.com/common/v2.0"}),
    "provider-issuer-mismatch": Change({"identity_provider": "microsoft-entra"}),
}

for code, change in CHANGES.items():
    provokes(code)(change)


@provokes("shared-client", "secret-reference-shared", "unpinned-organization")
def one_client_for_two_organizations(place: Workplace) -> CompletedRun:
    fields = {"issuer": OKTA, "client_id": "0oa1", "client_secret": "${env:ACME_CLIENT_SECRET}"}
    place.declare("acme", **fields)
    place.declare("globex", **fields)
    return place.run("plan", "--format", "json")


@provokes("rule-failed")
def a_rule_with_a_defect(place: Workplace) -> CompletedRun:
    def find(*_: object) -> NoReturn:
        raise ZeroDivisionError("a defect")

    place.replace(
        import_module("reconciler.policies.assess"),
        "RULES",
        (Rule(id="issuer-host-change", find=find, why=""),),
    )
    return place.run("plan", "--format", "json")
