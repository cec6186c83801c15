"""Which changes each rule asks about, and which it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.address import Address
from reconciler.core.change import ActionReason, Change, Create, Delete, Update
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation, UsageError
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.state import DesiredConnection, DesiredOrganization, Presence
from reconciler.policies import RULES, accept_risks, assess, declared_estate, unknown_rules
from reconciler.policies.urls import address, is_private

ADDRESS = Address("acme", "okta")
NOTHING = declared_estate((), {})
HERE = SourceLocation("acme.yaml", line=4, column=3)
OKTA = "https://acme.okta.com"
EVIL = "https://login.evil.example"
BEFORE = OidcConnection(
    display_name="Acme Okta",
    identity_provider="okta",
    issuer=OKTA,
    client_id="0oa1",
    authorization_url=f"{OKTA}/authorize",
    token_url=f"{OKTA}/token",
    userinfo_url=f"{OKTA}/userinfo",
    jwks_url=f"{OKTA}/keys",
    custom_scopes=("email", "groups", "openid"),
    attribute_mapping={"groups": "groups"},
    connection_id="oidc-connection-test-1",
)
DECLARED = replace(BEFORE, connection_id=None)


def update(**values: object) -> Update:
    return Update(
        address=ADDRESS,
        organization_id="organization-test-1",
        declared=replace(DECLARED, **values),  # type: ignore[arg-type]  # the tests name real fields
        before=BEFORE,
        changed=tuple(name for name, value in values.items() if value is not None),
    )


def create(**values: object) -> Create:
    declared = replace(DECLARED, **values)  # type: ignore[arg-type]  # the tests name real fields
    return Create(address=ADDRESS, organization_id="organization-test-1", declared=declared)


def found(change: Change, declared: tuple[DesiredOrganization, ...] = ()) -> set[str]:
    return {risk.code for risk in assess((change,), {}, declared_estate(declared, {}))}


MOVED = dict.fromkeys(("issuer", "authorization_url", "token_url", "userinfo_url", "jwks_url"), f"{EVIL}/x")


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (update(display_name="New"), set()),
        (update(client_id="other"), {"client-id-change"}),
        (update(issuer=f"{OKTA}/oauth2/default"), {"issuer-change"}),
        (update(token_url=f"{OKTA}/oauth2/v1/token"), set()),
        (update(token_url="https://acme.okta.com:443/token"), set()),
        (create(), set()),
        (update(jwks_url=f"{EVIL}/keys"), {"jwks-url-host-change", "endpoint-off-site"}),
        (update(userinfo_url=f"{EVIL}/u"), {"userinfo-url-host-change", "endpoint-off-site"}),
        (update(authorization_url=f"{EVIL}/a"), {"authorization-url-host-change", "endpoint-off-site"}),
        (update(token_url=f"{EVIL}/t"), {"token-url-host-change", "secret-kept", "endpoint-off-site"}),
        (
            update(token_url="https://other.okta.com/t"),
            {"token-url-host-change", "secret-kept", "endpoint-off-site"},
        ),
        (
            update(issuer=EVIL, authorization_url=None, token_url=None, userinfo_url=None, jwks_url=None),
            {"issuer-host-change", "secret-kept"},
        ),
        (
            update(**MOVED, client_secret=None),
            {"issuer-host-change", "secret-kept", *(f"{n.replace('_', '-')}-host-change" for n in MOVED)},
        ),
        (create(jwks_url=f"{EVIL}/keys"), {"endpoint-off-site"}),
        (
            create(issuer="https://203.0.113.7", **{n: None for n in MOVED if n != "issuer"}),
            {"ip-literal-host", "private-host"},
        ),
        (create(issuer="https://8.8.8.8", **{n: None for n in MOVED if n != "issuer"}), {"ip-literal-host"}),
        (create(issuer="http://127.0.0.1:8080/idp", **{n: None for n in MOVED if n != "issuer"}), set()),
        (
            create(issuer="https://127.0.0.1", **{n: None for n in MOVED if n != "issuer"}),
            {"ip-literal-host", "private-host"},
        ),
        (
            create(issuer="https://10.1", **{n: None for n in MOVED if n != "issuer"}),
            {"ip-literal-host", "private-host"},
        ),
        (create(issuer="https://localhost", **{n: None for n in MOVED if n != "issuer"}), {"private-host"}),
        (create(issuer="https://a.localhost", **{n: None for n in MOVED if n != "issuer"}), {"private-host"}),
        (create(issuer="http://localhost:8080", **{n: None for n in MOVED if n != "issuer"}), set()),
        (
            update(token_url="https://acme.okta.com:8443/token"),
            {"token-url-host-change", "secret-kept", "endpoint-off-site"},
        ),
        (update(jwks_url="https://acme.okta.com./keys"), {"jwks-url-host-change", "endpoint-off-site"}),
        (update(jwks_url="https://ACME.okta.com/keys"), set()),
        (create(issuer="https://idp.corp", **{n: None for n in MOVED if n != "issuer"}), {"private-host"}),
        (create(issuer="https://keycloak", **{n: None for n in MOVED if n != "issuer"}), {"private-host"}),
        (
            create(issuer="https://169.254.169.254", **{n: None for n in MOVED if n != "issuer"}),
            {"ip-literal-host", "private-host"},
        ),
        (
            create(issuer="https://[fd00::1]/x", **{n: None for n in MOVED if n != "issuer"}),
            {"ip-literal-host", "private-host"},
        ),
        (
            create(issuer="https://xn--kta-hoa.com", **{n: None for n in MOVED if n != "issuer"}),
            {"punycode-host"},
        ),
        (
            create(issuer="https://acme.okta.com@evil.example", **{n: None for n in MOVED if n != "issuer"}),
            {"url-user-info"},
        ),
        (
            create(
                identity_provider="microsoft-entra",
                issuer="https://login.microsoftonline.com/common/v2.0",
                **{n: None for n in MOVED if n != "issuer"},
            ),
            {"multi-tenant-issuer"},
        ),
        (create(identity_provider="microsoft-entra"), {"provider-issuer-mismatch"}),
        (create(identity_provider="generic"), set()),
        (
            create(
                identity_provider="microsoft-entra",
                issuer="https://login.microsoftonline.com/8f4e/v2.0",
                userinfo_url="https://graph.microsoft.com/oidc/userinfo",
                authorization_url=None,
                token_url=None,
                jwks_url=None,
            ),
            set(),
        ),
        (update(identity_provider="onelogin"), {"provider-issuer-mismatch"}),
        (update(attribute_mapping={"groups": "roles"}), {"attribute-mapping-change"}),
        (update(custom_scopes=("groups", "openid")), {"scopes-dropped"}),
        (update(custom_scopes=("email", "openid")), set()),
        (create(custom_scopes=("groups",)), {"scopes-dropped"}),
        (
            Delete(
                address=ADDRESS,
                organization_id="organization-test-1",
                before=replace(BEFORE, issuer="https://10.0.0.1"),
                reason=ActionReason.DECLARED_ABSENT,
            ),
            set(),
        ),
    ],
)
def test_what_is_risky(change: Change, rules: set[str]) -> None:
    assert found(change) == rules


def test_a_secret_that_is_rotated_with_the_move_is_no_risk() -> None:
    change = update(token_url="https://other.okta.com/t")
    rotated = replace(change, changed=(*change.changed, "client_secret"))
    assert found(rotated) == {"token-url-host-change", "endpoint-off-site"}


def organization(reference: str, presence: Presence = Presence.PRESENT) -> DesiredOrganization:
    one = DesiredConnection(
        address=Address(reference, "okta"), connection=DECLARED, location=HERE, presence=presence
    )
    return DesiredOrganization(reference=reference, location=HERE, connections=(one,))


def test_a_client_in_two_organizations_is_asked_about_when_it_is_written() -> None:
    declared = tuple(organization(name) for name in ("acme", "globex", "initech"))
    (risk,) = assess((create(),), {}, declared_estate(declared, {}))
    assert risk.code == "shared-client"
    assert "those of globex, initech too" in risk.summary
    assert found(update(client_id="0oa1"), declared) == {"shared-client", "client-id-change"}
    assert found(update(display_name="New"), declared) == set()


def test_a_declared_delete_and_the_same_organization_share_nothing() -> None:
    absent = organization("globex", Presence.ABSENT)
    assert found(create(), (organization("acme"), organization("acme"), absent)) == set()


def test_severities_are_those_of_the_project_file() -> None:
    change = update(jwks_url=f"{EVIL}/keys")
    severities = {"jwks-url-host-change": "error", "endpoint-off-site": "off"}
    (risk,) = assess((change,), severities, NOTHING)
    assert risk.is_error
    assert risk.hint == (
        "if this is intended, apply with `--accept-risk jwks-url-host-change:acme/okta`, "
        f"or add an approval (finding {risk.fingerprint})"
    )
    warned = assess((change,), {"jwks-url-host-change": "warn"}, NOTHING)
    assert [(risk.code, risk.is_error) for risk in warned] == [
        ("endpoint-off-site", True),
        ("jwks-url-host-change", False),
    ]


def plan_with(severities: dict[str, str]) -> Plan:
    change = update(jwks_url=f"{EVIL}/keys")
    return Plan(
        scope=Scope("https://test.stytch.com", "project-test-1", Environment.TEST),
        created_at="2026-11-21T00:00:00+00:00",
        changes=(change,),
        risks=assess((change,), severities, NOTHING),
    )


def test_a_risk_of_error_severity_blocks_until_exactly_it_is_accepted() -> None:
    plan = plan_with({"endpoint-off-site": "off"})
    assert not plan.can_apply
    assert accept_risks(plan, ["jwks-url-host-change:acme/*"]).can_apply
    with pytest.raises(UsageError, match="matches no risk of this plan"):
        accept_risks(plan, ["jwks-url-host-change:globex/okta"])
    with pytest.raises(UsageError, match="matches no risk of this plan"):
        accept_risks(plan, ["issuer-host-change:acme/okta"])


def test_a_risk_that_warns_blocks_nothing() -> None:
    plan = plan_with({"jwks-url-host-change": "warn", "endpoint-off-site": "warn"})
    assert plan.can_apply
    assert not plan.has_errors


def test_an_unknown_rule_is_named_at_its_place_with_the_nearest_known_one() -> None:
    (error,) = unknown_rules({"issuer-host-chnage": HERE, "secret-kept": HERE})
    assert error.location == HERE
    assert error.hint == "did you mean `issuer-host-change`?"


def test_every_rule_has_an_id_of_its_own_and_says_why_it_matters() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.why for rule in RULES)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "::1", "fe80::1%eth0", "idp", "idp.lan"])
def test_private_hosts(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1", "10.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("10.0.256", "10.0.1.0"),
        ("0", "0.0.0.0"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_numbers_are_addresses_in_any_spelling(host: str, expected: str) -> None:
    assert str(address(host)) == expected


@pytest.mark.parametrize(
    "host", ["1.2.3.4.5", "256.1", "10.0.65536", "4294967296", "0x", "1.2.a", "", "09.1"]
)
def test_other_numbers_are_none(host: str) -> None:
    assert address(host) is None


@pytest.mark.parametrize("host", ["8.8.8.8", "acme.okta.com", "2606:4700::1111"])
def test_public_hosts(host: str) -> None:
    assert not is_private(host)
