"""`state: unmanaged`: a connection that is known and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace


@pytest.fixture
def workplace(bare: Workplace, running: RunningEmulator) -> Workplace:
    """A managed connection, and one of a partner's script that is known and left alone."""
    bare.use(running)
    bare.setenv("ACME_CLIENT_SECRET", "s3cret-of-sso")
    bare.add_organization("acme", "sso", "script")
    (script,) = (live for live in bare.live("acme") if live["display_name"] == "script")
    bare.write(
        "organizations/acme.yaml",
        f"""\
        organization: acme
        prune: true
        connections:
          sso: {{}}
          partner:
            connection_id: {script["connection_id"]}
            state: unmanaged
            issuer: https://somewhere-else.example.com
            client_secret: ${{env:NOWHERE_CLIENT_SECRET}}
            secret_expires_on: 2020-01-01
        """,
    )
    return bare


def script_id(workplace: Workplace) -> str:
    return next(
        str(live["connection_id"]) for live in workplace.live("acme") if live["display_name"] == "script"
    )


def test_it_is_neither_compared_nor_pruned_and_needs_no_secret(workplace: Workplace) -> None:
    run = workplace.run("plan", "--detailed-exitcode")
    assert (run.code, run.out.splitlines()[2]) == (0, NO_CHANGES)
    assert "NOWHERE_CLIENT_SECRET" not in run.output
    before = workplace.live("acme")
    assert workplace.run("apply", "--auto-approve").code == 0
    assert workplace.live("acme") == before


def test_it_is_no_drift_whatever_becomes_of_it(workplace: Workplace) -> None:
    """Not undeclared, not changed, and no risk in its live values; deleted, its block can go."""
    workplace.emulator.edit_connection(
        script_id(workplace), token_url="https://evil.example/token", display_name="sso"
    )
    run = workplace.run("drift", "--format", "json")
    assert (run.code, run.document["findings"], run.document["unmanaged"]) == (0, [], [])
    workplace.emulator.remove_connection(
        next(live["connection_id"] for live in workplace.live("acme") if "evil" in live["token_url"])
    )
    run = workplace.run("drift", "--format", "json")
    assert (run.code, run.document["findings"], run.codes) == (0, [], ["unmanaged-not-live"])
    run = workplace.run("plan", "--format", "json")
    assert (run.code, run.codes) == (0, ["unmanaged-not-live"])


def test_a_run_that_does_not_cover_it_does_not_speak_of_it(workplace: Workplace) -> None:
    workplace.emulator.remove_connection(script_id(workplace))
    run = workplace.run("plan", "--format", "json", "--target", "acme/sso")
    assert (run.code, run.codes) == (0, [])


def test_the_list_names_it_by_its_address(workplace: Workplace) -> None:
    run = workplace.run("list", "--format", "json")
    management = {item["address"]: item["management"] for item in run.document["connections"]}
    assert management == {"acme/sso": "managed", "acme/partner": "unmanaged"}
    assert workplace.run("output", "acme/partner", "display_name").out == "script\n"


def test_import_does_not_suggest_to_declare_it(workplace: Workplace) -> None:
    run = workplace.run("import", "acme", "--format", "json")
    assert (run.code, run.document["organizations"][0]["suggestion"]) == (0, "")


def test_its_secret_is_not_asked_for(workplace: Workplace) -> None:
    assert workplace.run("secrets", "check").code == 0
