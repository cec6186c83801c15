"""Codes about what secret stores say, in a real OpenBao."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.codes.provoking import provokes
from tests.openbao import running_openbao

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace


def plan(place: Workplace, expires_on: str, **fields: Any) -> CompletedRun:
    """Plan a connection whose secret expires, by its store, on this day."""
    place.declare("acme", client_secret="${vault:secret/sso/acme#okta}", **fields)
    place.write("reconciler.yaml", "secrets: {vault: {allow: ['secret/sso/{organization}#*']}}\n")
    folder = place.root.parent / "openbao"
    folder.mkdir()
    with running_openbao(folder) as server:
        server.put("sso/acme", {"okta": "s3cret"}, expires_on=expires_on)
        place.setenv("VAULT_ADDR", server.address)
        place.setenv("VAULT_TOKEN", server.token(server.policy("sso", "secret/data/sso")))
        return place.run("plan", "--target", "acme", "--format", "json")


@provokes("secret-expiry-differs")
def a_day_that_the_manifest_does_not_name(place: Workplace) -> CompletedRun:
    return plan(place, "2099-01-31", secret_expires_on="2099-02-28")


@provokes("secret-expiry-malformed")
def a_day_that_is_no_date(place: Workplace) -> CompletedRun:
    return plan(place, "next spring")
