"""When a secret's expiry is warned of, in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reconciler.core.address import Address
from reconciler.core.change import NoOp
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.state import DesiredConnection, Presence
from reconciler.core.warnings import decision_warnings

ADDRESS = Address("acme", "okta")
TODAY = date(2027, 1, 15)
NOTHING = NoOp(address=ADDRESS, organization_id="organization-test-1", connection_id="oidc-connection-test-1")
DECLARED = DesiredConnection(
    address=ADDRESS,
    connection=OidcConnection(display_name="okta"),
    location=SourceLocation("acme.yaml", line=3, column=3),
)


def expiring(days: int) -> DesiredConnection:
    return replace(DECLARED, secret_expires_on=TODAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "has expired (2027-01-14)"),
        (0, "expires within 1 day (2027-01-15)"),
        (1, "expires within 1 day (2027-01-16)"),
        (2, "expires within 7 days (2027-01-17)"),
        (8, "expires within 30 days (2027-01-23)"),
        (31, "expires within 60 days (2027-02-15)"),
        (60, "expires within 60 days (2027-03-16)"),
    ],
)
def test_a_secret_that_expires_soon_is_warned_of_in_steps(days: int, words: str) -> None:
    (found,) = decision_warnings(expiring(days), NOTHING, TODAY)
    assert found.summary == f"client_secret of acme/okta {words}"
    assert not found.is_error


def test_no_expiry_warning_long_before_nor_for_a_declared_delete_nor_without_a_date() -> None:
    assert list(decision_warnings(expiring(61), NOTHING, TODAY)) == []
    assert list(decision_warnings(DECLARED, NOTHING, TODAY)) == []
    assert list(decision_warnings(expiring(3), NOTHING)) == []
    to_delete = replace(expiring(3), presence=Presence.ABSENT)
    assert [warning.code for warning in decision_warnings(to_delete, None, TODAY)] == ["already-deleted"]
