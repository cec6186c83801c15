"""What is decided beyond matching; what the golden cases of ``tests/plans`` do not show."""

from __future__ import annotations

from reconciler.core.change import Create, Update, attribute_changes, unknown_after
from reconciler.core.errors import ProviderError
from reconciler.core.operation import values_to_send
from reconciler.core.planner import unreadable
from reconciler.core.secret import Secret
from tests.support.values import choices, codes, declared, desired, live, live_connection, plan, reference

A = reference("A")
OKTA = live_connection(1, display_name="okta", client_secret=Secret("theirs"))


def test_counts() -> None:
    state = live(OKTA, live_connection(2, display_name="other"))
    organization_plan = plan(desired(declared(), declared("new")), state)
    assert (organization_plan.managed, organization_plan.unchanged, len(organization_plan.unmanaged)) == (
        1,
        1,
        1,
    )
    pruned = plan(desired(declared(), prune=True), state)
    assert (pruned.managed, pruned.unchanged, len(pruned.unmanaged)) == (2, 1, 0)


def test_a_refused_organization_still_counts_what_it_declares() -> None:
    organization_plan = plan(
        desired(declared(connection_id="oidc-connection-test-gone"), declared("b")), live()
    )
    assert (organization_plan.is_refused, organization_plan.managed) == (True, 2)


def test_an_unreadable_organization_says_why_and_where() -> None:
    organization_plan = unreadable(desired(), ProviderError("listing failed", status=500, request_id="r"))
    assert codes(organization_plan) == ["organization-not-read"]
    assert "listing failed (500, request_id r)" in organization_plan.diagnostics[0].summary
    assert organization_plan.organization is None


def test_targets_leave_the_rest_alone_prune_included() -> None:
    state = live(OKTA, live_connection(2, display_name="other"))
    organization = desired(declared(client_id="new"), declared("entra"), prune=True)
    (change,) = plan(organization, state, choices(targets=("acme/okta",))).changes
    assert isinstance(change, Update)


def test_targets_silence_the_warnings_of_the_rest() -> None:
    organization = desired(declared("a", absent=True), declared("b", absent=True))
    assert codes(plan(organization, live(), choices(targets=("*/a",)))) == ["already-deleted"]


def test_a_secret_that_was_not_resolved_is_not_compared() -> None:
    assert plan(desired(declared(client_secret=A)), live(OKTA), choices({})).changes == ()
    (change,) = plan(desired(declared(client_secret=A)), live(OKTA), choices({A: Secret("ours")})).changes
    assert isinstance(change, Update)
    assert change.changed == ("client_secret",)


def test_a_secret_that_was_not_resolved_is_not_rotated_either() -> None:
    masked = live_connection(1, display_name="okta", client_secret=Secret("****"))
    organization = desired(declared(client_secret=A))
    assert plan(organization, live(masked), choices({}, rotate=("*",))).changes == ()


def test_rotation_is_for_what_cannot_be_compared_only() -> None:
    organization = desired(declared(client_secret=A))
    same = live_connection(1, display_name="okta", client_secret=Secret("ours"))
    assert plan(organization, live(same), choices({A: Secret("ours")}, rotate=("*",))).changes == ()


def test_the_provider_of_a_create_is_shown_and_sent_even_where_it_is_the_default() -> None:
    (change,) = plan(desired(declared()), live()).changes
    assert isinstance(change, Create)
    assert change.declared.identity_provider == "generic"


def test_ignoring_all_that_differs_leaves_nothing_to_do() -> None:
    organization = desired(
        declared(
            client_id="new", client_secret=A, custom_scopes=("x",), ignore=("client_id", "client_secret")
        )
    )
    (change,) = plan(organization, live(OKTA), choices({A: Secret("ours")})).changes
    assert isinstance(change, Update)
    assert change.changed == ("custom_scopes",)
    assert "client_secret" not in change.declared.declared_fields


def test_an_ignored_url_keeps_its_live_value_where_the_issuer_moves_and_it_is_not_declared() -> None:
    organization = desired(declared(issuer="https://new", ignore=("jwks_url", "userinfo_url")))
    current = live_connection(1, display_name="okta", issuer="https://old", jwks_url="https://old/keys")
    (change,) = plan(organization, live(current), choices({})).changes
    assert isinstance(change, Update)
    assert change.changed == ("issuer",)
    assert values_to_send(change.declared, change.changed).jwks_url == "https://old/keys"
    assert unknown_after(change) == ("authorization_url", "token_url", "userinfo_url")


def test_an_ignored_url_is_not_sent_where_the_issuer_stays() -> None:
    organization = desired(declared(issuer="https://old", client_id="new", ignore=("jwks_url",)))
    current = live_connection(1, display_name="okta", issuer="https://old", jwks_url="https://old/keys")
    (change,) = plan(organization, live(current), choices({})).changes
    assert isinstance(change, Update)
    assert change.declared.jwks_url is None


def test_attributes_are_shown_in_one_order_secrets_after_what_can_be_read() -> None:
    organization = desired(
        declared(issuer="https://i", client_id="c", client_secret=A, custom_scopes=("openid",))
    )
    (change,) = plan(organization, live()).changes
    assert [one.name for one in attribute_changes(change)] == [
        "connection_id",
        "display_name",
        "identity_provider",
        "issuer",
        "client_id",
        "authorization_url",
        "token_url",
        "userinfo_url",
        "jwks_url",
        "custom_scopes",
        "client_secret",
        "redirect_url",
        "status",
    ]
