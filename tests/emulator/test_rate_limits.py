"""Fixed windows, aligned to the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import RateLimit, UnknownRateLimitError, parse_rate_limit
from tests.emulator.calls import call, statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

LIST = "/v1/b2b/sso/acme"
GET = "/v1/b2b/organizations/acme"
WINDOW = 1_000.0


@pytest.fixture(autouse=True)
def at_the_start_of_a_window(emulator: Emulator) -> None:
    emulator.context.clock_offset -= emulator.context.now() % WINDOW


def test_no_limit_by_default(api: Api) -> None:
    assert statuses(api, *[LIST] * 50) == [200] * 50


def test_a_window_is_full_until_the_clock_reaches_the_next(api: Api, emulator: Emulator) -> None:
    emulator.set_rate_limits(RateLimit(2, WINDOW))
    assert statuses(api, LIST, LIST, LIST) == [200, 200, 429]
    emulator.context.clock_offset += WINDOW - 100
    assert statuses(api, LIST) == [429]
    emulator.context.clock_offset += 100
    assert statuses(api, LIST, LIST, LIST) == [200, 200, 429]


def test_windows_do_not_roll(api: Api, emulator: Emulator) -> None:
    """Twice the limit passes within moments around a boundary."""
    emulator.set_rate_limits(RateLimit(2, WINDOW))
    emulator.context.clock_offset += WINDOW - 100
    assert statuses(api, LIST, LIST) == [200, 200]
    emulator.context.clock_offset += 100
    assert statuses(api, LIST, LIST, LIST) == [200, 200, 429]


def test_a_group_of_operations_shares_a_window(api: Api, emulator: Emulator) -> None:
    emulator.set_rate_limits(RateLimit(1, WINDOW, ("list-*", "create-*")))
    assert statuses(api, GET, LIST, GET) == [200, 200, 200]
    assert api("POST", "/v1/b2b/sso/oidc/acme", json={}).status_code == 429
    assert emulator.connections("acme") == ()


def test_limits_add_up(api: Api, emulator: Emulator) -> None:
    emulator.set_rate_limits(RateLimit(3, WINDOW), RateLimit(1, WINDOW, ("list-connections",)))
    assert statuses(api, LIST, LIST, GET, GET) == [200, 429, 200, 429]


def test_each_project_has_its_own_window(api: Api, emulator: Emulator) -> None:
    project = {
        "project_id": "project-test-2",
        "secret": "secret-test-2",
        "public_token": "public-token-test-2",
    }
    emulator.seed(
        {"projects": [project], "organizations": [{**_organization(), "project_id": "project-test-2"}]}
    )
    emulator.set_rate_limits(RateLimit(1, WINDOW))
    assert statuses(api, LIST, LIST) == [200, 429]
    response = api("GET", "/v1/b2b/sso/beta", auth=("project-test-2", "secret-test-2"))
    assert response.status_code == 200


def test_wrong_keys_are_not_counted(api: Api, emulator: Emulator) -> None:
    emulator.set_rate_limits(RateLimit(1, WINDOW))
    assert api("GET", LIST, auth=None).status_code == 401
    assert statuses(api, LIST) == [200]


def test_limits_come_with_the_settings(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator(rate_limits=(RateLimit(0),))
    assert call(emulator, "GET", LIST).status_code == 429


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("100/s", RateLimit(100)),
        ("100/m:search-organizations", RateLimit(100, 60.0, ("search-organizations",))),
        ("5/0.5s:list-*+create-*", RateLimit(5, 0.5, ("list-*", "create-*"))),
        ("0/d", RateLimit(0, 86_400.0)),
    ],
)
def test_a_limit_is_read_from_text(text: str, limit: RateLimit) -> None:
    assert parse_rate_limit(text) == limit


@pytest.mark.parametrize("text", ["", "100", "100/", "x/s", "100/w", "100/0s", "-1/s"])
def test_invalid_limits(text: str) -> None:
    with pytest.raises(UnknownRateLimitError, match="as in 100/s"):
        parse_rate_limit(text)


def _organization() -> dict[str, str]:
    return {"organization_slug": "beta"}
