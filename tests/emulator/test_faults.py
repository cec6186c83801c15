"""Faults: which requests they strike, and what the client sees of them."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.emulator import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    Chance,
    Effect,
    EmulatorSettings,
    Every,
    Fault,
    First,
    Nth,
    UnknownFaultError,
    parse_fault,
    running_emulator,
)
from tests.emulator.calls import call, error, statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator import Emulator, RunningEmulator
    from tests.emulator.calls import Api

LIST = "/v1/b2b/sso/acme"
CREATE = "/v1/b2b/sso/oidc/acme"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("list-connections:503", ("list-connections",)),
        ("create-*+delete-connection:reset", ("create-*", "delete-connection")),
        ("writes:hang", ("writes",)),
    ],
)
def test_operations_are_names_globs_or_groups(text: str, fault: tuple[str, ...]) -> None:
    assert parse_fault(text).operations == fault


def test_a_fault_is_read_from_text() -> None:
    fault = parse_fault("create-oidc-connection:429:nth=2,retry-after-date=5,organization=acme,after")
    assert fault.effect is Effect.ERROR
    assert fault.error_type == "too_many_requests"
    assert fault.occasion == Nth(2)
    assert (fault.retry_after, fault.retry_after_date) == (5.0, True)
    assert (fault.organization, fault.after) == ("acme", True)


@pytest.mark.parametrize(
    ("text", "occasion"),
    [("first=3", First(3)), ("nth=3", Nth(3)), ("every=3", Every(3)), ("chance=0.5", Chance(0.5))],
)
def test_occasions(text: str, occasion: object) -> None:
    assert parse_fault(f"*:500:{text}").occasion == occasion


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("list-connections", "not of the form"),
        ("list-connection:500", "unknown operation 'list-connection', did you mean 'list-connections'"),
        ("*:501", "unknown effect '501'"),
        ("*:rest", "unknown effect 'rest', did you mean 'reset'"),
        ("*:500:frist=1", "unknown option 'frist', did you mean 'first'"),
        ("*:500:first=0", "'first' needs a whole number from 1, not '0'"),
        ("*:500:chance=2", "'chance' needs a number from 0 to 1"),
        ("*:latency:seconds=x", "'seconds' needs seconds from 0 to 3600"),
        ("*:500:first=1,nth=2", "one occasion, not both 'first' and 'nth'"),
    ],
)
def test_invalid_faults(text: str, message: str) -> None:
    with pytest.raises(UnknownFaultError) as raised:
        parse_fault(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("occasion", "expected"),
    [
        ("first=2", [500, 500, 200, 200]),
        ("nth=2", [200, 500, 200, 200]),
        ("every=2", [200, 500, 200, 500]),
        ("chance=1", [500] * 4),
        ("chance=0", [200] * 4),
    ],
)
def test_when_a_fault_applies(api: Api, emulator: Emulator, occasion: str, expected: list[int]) -> None:
    emulator.add_fault(f"list-connections:500:{occasion}")
    assert statuses(api, *[LIST] * 4) == expected


def test_chances_are_repeatable_under_a_seed(make_emulator: Callable[..., Emulator]) -> None:
    runs = []
    for _ in range(2):
        emulator = make_emulator(random_seed=7, faults=("list-connections:500:chance=0.5",))
        emulator.add_organization("acme")
        runs.append([call(emulator, "GET", LIST).status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_a_fault_can_be_limited_to_one_organization(api: Api, emulator: Emulator) -> None:
    emulator.add_organization("beta")
    emulator.add_fault("list-connections:500:organization=beta")
    assert statuses(api, LIST) == [200]
    assert statuses(api, "/v1/b2b/sso/beta") == [500]


def test_a_fault_can_be_limited_to_reads_or_writes(api: Api, emulator: Emulator) -> None:
    name = emulator.add_fault("writes:503")
    assert statuses(api, LIST) == [200]
    assert api("POST", CREATE, json={}).status_code == 503
    assert api("POST", "/v1/b2b/organizations/search", json={}).status_code == 200
    emulator.remove_fault(name)
    assert api("POST", CREATE, json={}).status_code == 200


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (429, "too_many_requests"),
        (500, "internal_server_error"),
        (502, "bad_gateway"),
        (503, "server_unavailable"),
        (504, "gateway_timeout"),
    ],
)
def test_error_responses_change_nothing(api: Api, emulator: Emulator, status: int, error_type: str) -> None:
    emulator.add_fault(f"create-oidc-connection:{status}")
    response = api("POST", CREATE, json={})
    assert error(response) == (status, error_type)
    assert response.json()["request_id"]
    assert "retry-after" not in response.headers
    assert emulator.connections("acme") == ()
    (entry,) = emulator.request_log.writes
    assert (entry.status, entry.applied, entry.faults) == (
        status,
        False,
        (f"create-oidc-connection:{status}",),
    )


def test_any_error_type_can_be_returned(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("search-organizations:search_timeout")
    response = api("POST", "/v1/b2b/organizations/search", json={})
    assert error(response) == (408, "search_timeout")


def test_an_error_may_come_after_the_change(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("create-oidc-connection:504:after")
    assert api("POST", CREATE, json={}).status_code == 504
    assert len(emulator.connections("acme")) == 1
    assert emulator.request_log.writes[0].applied


def test_retry_after_in_both_forms(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("list-connections:429:nth=1,retry-after=7")
    emulator.add_fault("list-connections:503:nth=2,retry-after-date=60")
    assert api("GET", LIST).headers["retry-after"] == "7"
    wait = parsedate_to_datetime(api("GET", LIST).headers["retry-after"]).timestamp() - time.time()
    assert 55 <= wait <= 62


def test_bodies_that_are_not_json(api: Api, emulator: Emulator) -> None:
    for effect in ("html", "empty", "malformed"):
        emulator.add_fault(f"list-connections:{effect}:first=1")
        response = api("GET", LIST)
        assert (response.status_code, response.headers["content-type"].partition(";")[0]) == {
            "html": (502, "text/html"),
            "empty": (502, "text/plain"),
            "malformed": (200, "application/json"),
        }[effect]
        with pytest.raises(ValueError, match=r"Expecting value|Unterminated string|Invalid"):
            response.json()
        emulator.clear_faults()


def test_a_success_without_data(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("create-oidc-connection:incomplete:nth=1")
    emulator.add_fault("create-oidc-connection:incomplete:nth=2,before")
    emulator.add_fault("*list-connections:incomplete")
    for expected in (1, 1):
        document = api("POST", CREATE, json={}).json()
        assert set(document) == {"request_id", "status_code"}
        assert len(emulator.connections("acme")) == expected
    assert set(api("GET", LIST).json()) == {"request_id", "status_code"}
    token = emulator.add_session("acme", "stytch_admin")["session_token"]
    frontend = api("GET", "/sdk/v1/b2b/sso", auth=(DEFAULT_PUBLIC_TOKEN, token)).json()
    assert set(frontend["data"]) == {"request_id", "status_code"}


def test_a_broken_body_with_another_status(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("list-connections:html:status=200")
    assert api("GET", LIST).status_code == 200


def test_latency_delays_a_response(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("list-connections:latency:seconds=0.05,up-to=0.06")
    started = time.perf_counter()
    assert statuses(api, LIST) == [200]
    assert time.perf_counter() - started >= 0.05


def test_latency_adds_to_other_faults(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("list-connections:latency:seconds=0.01")
    emulator.add_fault("list-connections:500")
    assert statuses(api, LIST) == [500]


def test_frontend_faults_have_the_frontend_format(api: Api, emulator: Emulator) -> None:
    emulator.set_switch("frontend-error-type", "text/plain")
    emulator.add_fault(Fault(Effect.ERROR, ("frontend-*",), error_type="too_many_requests"))
    token = emulator.add_session("acme", "stytch_admin")["session_token"]
    response = api("GET", "/sdk/v1/b2b/sso", auth=(DEFAULT_PUBLIC_TOKEN, token))
    assert response.status_code == 429
    assert response.headers["content-type"].startswith("text/plain")


def test_broken_connections_in_process(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("create-oidc-connection:reset:nth=1")
    emulator.add_fault("create-oidc-connection:reset:nth=2,after")
    emulator.add_fault("create-oidc-connection:truncated:nth=3")
    for expected in (0, 1, 2):
        with pytest.raises(httpx.ReadError):
            api("POST", CREATE, json={})
        assert len(emulator.connections("acme")) == expected


def test_a_hang_ends_at_the_read_timeout_in_process(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("create-oidc-connection:hang")
    with pytest.raises(httpx.ReadTimeout):
        api("POST", CREATE, json={}, timeout=0.05)
    assert emulator.connections("acme") == ()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings()) as running:
        running.emulator.add_organization("acme")
        yield running


@pytest.fixture
def client(server: RunningEmulator) -> Iterator[httpx.Client]:
    server.emulator.clear_faults()
    server.emulator.set_switch("lost-response", "off")
    auth = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)
    with httpx.Client(base_url=server.base_url, auth=auth, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("effect", "error", "applied"),
    [
        ("reset", httpx.ReadError, False),
        ("reset:after", httpx.ReadError, True),
        ("truncated", httpx.RemoteProtocolError, True),
        ("truncated:before", httpx.RemoteProtocolError, False),
        ("hang:seconds=0.05", httpx.ReadError, False),
        ("hang:seconds=0.05,after", httpx.ReadError, True),
    ],
)
def test_connections_break_on_a_network(
    server: RunningEmulator, client: httpx.Client, effect: str, error: type[Exception], applied: bool
) -> None:
    before = len(server.emulator.connections("acme"))
    server.emulator.add_fault(f"create-oidc-connection:{effect}")
    with pytest.raises(error):
        client.post(CREATE, json={})
    assert len(server.emulator.connections("acme")) - before == applied
    assert client.get(LIST).status_code == 200


def test_a_reset_is_a_reset(server: RunningEmulator, client: httpx.Client) -> None:
    server.emulator.add_fault("list-connections:reset")
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        client.get(LIST)


def test_a_hang_outlasts_the_client_on_a_network(server: RunningEmulator, client: httpx.Client) -> None:
    server.emulator.add_fault("list-connections:hang:seconds=0.3")
    with pytest.raises(httpx.ReadTimeout):
        client.get(LIST, timeout=0.05)


def test_a_hang_ends_when_the_client_disconnects() -> None:
    """Otherwise stopping the server would have to wait for it."""
    with running_emulator(EmulatorSettings(faults=("list-connections:hang",))) as running:
        auth = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(running.base_url + LIST, auth=auth, timeout=0.05, trust_env=False)
        started = time.perf_counter()
    assert time.perf_counter() - started < 0.9


def test_every_documented_error_type_can_be_returned() -> None:
    for error_type in ("external_connection_not_active", "invalid_issuer", "client_closed_request"):
        assert parse_fault(f"writes:{error_type}").error_type == error_type


def test_a_truncated_response_starts_like_a_complete_one(
    server: RunningEmulator, client: httpx.Client
) -> None:
    server.emulator.add_fault("list-connections:truncated")
    with client.stream("GET", LIST) as response:
        assert response.status_code == 200
        chunks: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            chunks.extend(response.iter_raw())
    assert 0 < len(b"".join(chunks)) < int(response.headers["content-length"])


def test_a_lost_response_on_a_network(server: RunningEmulator, client: httpx.Client) -> None:
    server.emulator.set_switch("lost-response", "first")
    connection_id = server.emulator.add_connection("acme")["connection_id"]
    with pytest.raises(httpx.ReadError):
        client.delete(f"{LIST}/connections/{connection_id}")
    assert connection_id not in {
        connection["connection_id"] for connection in server.emulator.connections("acme")
    }
