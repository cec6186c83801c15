"""The expiry date in the metadata of a secret: warnings of plan and drift, and the table of verify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.openbao.conftest import VaultProject


def day(days: int) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


def stored(project: VaultProject, expires_on: str, **fields: Any) -> None:
    project.declare("acme", **fields)
    project.store("acme", "s3cret", expires_on=expires_on)


def warnings(project: VaultProject, verb: str = "plan") -> dict[str, str]:
    """Return the warnings of a run by their codes."""
    run = project.place.run(verb, "--format", "json")
    return {finding["code"]: finding["summary"] for finding in run.document["diagnostics"]}


STEPS: Final = {
    61: None,
    60: "expires within 60 days",
    45: "expires within 60 days",
    30: "expires within 30 days",
    7: "expires within 7 days",
    1: "expires within 1 day",
    0: "expires within 1 day",
    -1: "has expired",
}
NO_DAYS: Final = ("canary soon", "20270331", "2027-02-30", "2027-03-31T00:00:00Z", "٢٠٢٧-٠٣-٣١")


@pytest.mark.parametrize(
    "days", [pytest.param(days, marks=() if days in {61, 45} else pytest.mark.proofs) for days in STEPS]
)
def test_a_stored_day_is_warned_of_like_a_declared_one(project: VaultProject, days: int) -> None:
    words = STEPS[days]
    stored(project, day(days))
    expected = {"secret-expires": f"client_secret of acme/sso {words} ({day(days)})"} if words else {}
    assert warnings(project) == expected
    project.place.applied()
    assert warnings(project, "drift") == expected


def test_of_two_days_that_differ_the_earlier_one_counts(project: VaultProject) -> None:
    stored(project, day(5), secret_expires_on=day(200))
    assert warnings(project) == {
        "secret-expires": f"client_secret of acme/sso expires within 7 days ({day(5)})",
        "secret-expiry-differs": (
            f"client_secret of acme/sso expires on {day(200)} in its manifest, and on {day(5)} in "
            "its secret store"
        ),
    }


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=() if text == NO_DAYS[0] else pytest.mark.proofs) for text in NO_DAYS]
)
def test_what_is_no_day_is_a_warning_that_does_not_show_it(project: VaultProject, text: str) -> None:
    stored(project, text)
    run = project.place.run("plan", "--format", "json")
    (finding,) = run.document["diagnostics"]
    assert (run.code, finding["code"]) == (0, "secret-expiry-malformed")
    reference = f"${{vault:{project.mount}/sso/acme#okta}}"
    assert finding["summary"] == f"the secret store of {reference} has a malformed expiry date"
    assert text not in run.output


def test_verify_lists_the_stored_day_with_its_origin(project: VaultProject) -> None:
    """Soonest first, with those of manifests; a job without access to the store verifies the rest."""
    place = project.place
    stored(project, day(20))
    project.declare("globex", "${env:GLOBEX_CLIENT_SECRET}", secret_expires_on=day(10))
    place.setenv("GLOBEX_CLIENT_SECRET", "s3cret")
    place.applied()
    table = place.run("verify", "--format", "json").document["expiring_secrets"]
    assert [(row["address"], row["expires_on"], row["origin"]) for row in table] == [
        ("globex/sso", day(10), "manifest"),
        ("acme/sso", day(20), "store"),
    ]
    place.delenv("VAULT_TOKEN")
    run = place.run("verify", "--format", "json")
    assert [row["address"] for row in run.document["expiring_secrets"]] == ["globex/sso"]
    assert run.document["summary"]["secrets_without_date"] == 1
    assert "Some expiry dates in secret stores are not known: there are no credentials for Vault" in run.err
