"""A person logs in with a browser, through a connection that the commands have just applied.

The emulator is the service and the identity provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.browser.logins import log_in
from tests.idp.logging_in import ADDRESS, MANIFEST, SIGN_IN, logging_in, prepare
from tests.support.fixtures import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from tests.support.workplace import Workplace

__all__ = ["bare"]


@pytest.fixture
def place(bare: Workplace) -> Iterator[Workplace]:
    """A project that is not applied yet."""
    with running_emulator(EmulatorSettings(local_redirects=True)) as running:
        running.emulator.add_organization("acme")
        running.emulator.set_switch("failed-login", "redirect")
        users = {"alice": {"password": SIGN_IN["password"]}}
        running.emulator.add_identity_provider(
            "acme", clients={"client-1": "right"}, expired_secrets=["expired"], users=users
        )
        prepare(bare, running)
        bare.write("organizations/acme.yaml", MANIFEST.format(issuer=f"{running.base_url}/idp/acme"))
        yield bare


@pytest.mark.parametrize(
    ("secret", "codes", "ending"),
    [
        ("right", [], "alice@example.com logged in to acme"),
        ("wrong", ["secret-wrong"], "`login_failed`: `the token_url answered 401: invalid_client`"),
        pytest.param(
            "expired",
            ["secret-expired"],
            "`login_failed`: `the token_url answered 400: invalid_client`",
            marks=pytest.mark.proofs,
        ),
    ],
)
def test_a_login_through_an_applied_connection(
    chromium: Chrome, place: Workplace, *, secret: str, codes: list[str], ending: str
) -> None:
    place.setenv("IDP_CLIENT_SECRET", secret)
    run = place.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    before = place.run("verify", "--probe-credentials", "--target", ADDRESS, "--format", "json")
    assert [item["code"] for item in before.document["findings"]] == codes
    with logging_in(place) as login:
        log_in(chromium, login.first_url, SIGN_IN)
        assert chromium.current_url == login.page("done")
        code, text = login.end()
    assert ending in " ".join(text.split())
    assert code == before.code == len(codes)
