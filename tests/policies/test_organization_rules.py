"""The rules that compare organizations: shared secrets, and organizations that are not pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.address import Address
from reconciler.core.change import Create, Update
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.core.state import DesiredConnection, DesiredOrganization, Presence
from reconciler.policies import assess, declared_estate

HERE = SourceLocation("acme.yaml", line=4, column=3)
ID = "organization-test-1"
SHARED = "secret-reference-shared"
UNPINNED = "unpinned-organization"


def reference(name: str) -> SecretReference:
    return SecretReference(f"${{env:{name}}}", (Locator("env", name),))


def connection(secret: SecretReference | None) -> OidcConnection:
    return OidcConnection(
        display_name="sso", issuer="https://acme.okta.com", client_id="c", client_secret=secret
    )


def organization(
    name: str, secret: SecretReference | None, presence: Presence = Presence.PRESENT, pin: str | None = ID
) -> DesiredOrganization:
    desired = DesiredConnection(
        address=Address(name, "sso"),
        connection=replace(connection(secret), client_id=f"client-of-{name}"),
        location=HERE,
        presence=presence,
    )
    return DesiredOrganization(reference=name, organization_id=pin, location=HERE, connections=(desired,))


def create(secret: SecretReference | None) -> Create:
    return Create(address=Address("acme", "sso"), organization_id=ID, declared=connection(secret))


def update(*changed: str) -> Update:
    before = OidcConnection(
        display_name="sso", issuer="https://acme.okta.com", connection_id="oidc-connection-test-1"
    )
    return Update(
        address=Address("acme", "sso"),
        organization_id=ID,
        declared=connection(reference("ACME")),
        before=before,
        changed=changed,
    )


def rules(
    change: Create | Update,
    *declared: DesiredOrganization,
    secrets: dict[SecretReference, Secret] | None = None,
    in_session: bool = False,
) -> dict[str, str]:
    estate = declared_estate(declared, secrets or {}, in_session=in_session)
    return {risk.code: risk.summary for risk in assess((change,), {}, estate)}


ACME = organization("acme", reference("ACME"))


def test_a_reference_of_another_organization_is_named_with_its_users() -> None:
    declared = (ACME, organization("globex", reference("ACME")), organization("initech", reference("ACME")))
    found = rules(create(reference("ACME")), *declared)
    assert set(found) == {SHARED}
    assert "client_secret refers to ${env:ACME}, as globex, initech does too" in found[SHARED]


def test_a_reference_that_is_a_part_of_the_other_is_shared_too() -> None:
    part = SecretReference("v1-${env:ACME}", ("v1-", Locator("env", "ACME")))
    assert set(rules(create(reference("ACME")), ACME, organization("globex", part))) == {SHARED}


def test_one_value_under_two_names_is_shared() -> None:
    globex = organization("globex", reference("GLOBEX"))
    equal = {reference("ACME"): Secret("same"), reference("GLOBEX"): Secret("same")}
    found = rules(create(reference("ACME")), ACME, globex, secrets=equal)
    assert "client_secret has the value of that of globex" in found[SHARED]
    assert "same" not in found[SHARED]
    different = {**equal, reference("GLOBEX"): Secret("another")}
    assert rules(create(reference("ACME")), ACME, globex, secrets=different) == {}


@pytest.mark.parametrize("changed", ["client_secret", "issuer", "token_url"])
def test_an_update_that_sends_the_secret_or_moves_where_it_goes_is_asked_about(changed: str) -> None:
    assert SHARED in rules(update(changed), ACME, organization("globex", reference("ACME")))


def test_what_shares_no_secret_is_silent() -> None:
    globex = organization("globex", reference("ACME"))
    assert rules(update("display_name"), ACME, globex) == {}
    assert rules(create(None), ACME, globex) == {}
    assert rules(create(reference("ACME")), ACME, ACME) == {}
    absent = organization("globex", reference("ACME"), Presence.ABSENT)
    assert rules(create(reference("ACME")), ACME, absent) == {}


def test_a_secret_for_an_organization_found_by_a_name_is_asked_about() -> None:
    unpinned = organization("acme", reference("ACME"), pin=None)
    found = rules(create(reference("ACME")), unpinned)
    assert set(found) == {UNPINNED}
    assert f"sent to {ID}, which was found by the name 'acme'" in found[UNPINNED]


def test_a_pin_the_real_id_and_a_session_are_certain() -> None:
    assert rules(create(reference("ACME")), ACME) == {}
    by_id = replace(create(reference("ACME")), address=Address(ID, "sso"))
    assert rules(by_id, organization(ID, reference("ACME"), pin=None)) == {}
    unpinned = organization("acme", reference("ACME"), pin=None)
    assert rules(create(reference("ACME")), unpinned, in_session=True) == {}
    assert rules(create(None), unpinned) == {}
