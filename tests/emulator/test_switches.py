"""Every open question of the API: its default and each alternative."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.emulator import SWITCHES, EmulatorSettings, RateLimit, UnknownSwitchError, parse_switch

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

ISSUER = "https://idp.example.com"
URLS = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
COMPLETE = {
    "issuer": ISSUER,
    "client_id": "client",
    "client_secret": "a-client-secret",
    **{name: f"{ISSUER}/{name}" for name in URLS},
}
METADATA = {
    "issuer": "https://new.example.com",
    "authorization_endpoint": "https://new.example.com/a",
    "token_endpoint": "https://new.example.com/t",
    "userinfo_endpoint": "https://new.example.com/u",
    "jwks_uri": "https://new.example.com/j",
}
NEW = "https://new.example.com"


class Bench:
    """One organization with one active connection, and short ways to change it."""

    def __init__(self, api: Api, emulator: Emulator) -> None:
        self.api = api
        self.emulator = emulator
        self.connection_id: str = emulator.add_connection("acme", display_name="One", **COMPLETE)[
            "connection_id"
        ]

    def switch(self, name: str, value: str | None) -> None:
        if value is not None:
            self.emulator.set_switch(name, value)

    def put(self, connection_id: str = "", /, **body: Any) -> httpx.Response:
        path = f"/v1/b2b/sso/oidc/acme/connections/{connection_id or self.connection_id}"
        return self.api("PUT", path, json=body)

    def post(self, **body: Any) -> httpx.Response:
        return self.api("POST", "/v1/b2b/sso/oidc/acme", json=body)

    def delete(self, connection_id: str) -> httpx.Response:
        return self.api("DELETE", f"/v1/b2b/sso/acme/connections/{connection_id}")

    def lists(self) -> dict[str, Any]:
        return self.api("GET", "/v1/b2b/sso/acme").json()  # type: ignore[no-any-return]  # JSON

    def stored(self) -> dict[str, Any]:
        return self.emulator.connection(self.connection_id)

    def default(self) -> object:
        return self.emulator.organization("acme")["sso_default_connection_id"]


@pytest.fixture
def bench(api: Api, emulator: Emulator) -> Bench:
    return Bench(api, emulator)


def outcome(response: httpx.Response) -> str:
    return response.json().get("error_type") or "ok"


def test_every_question_of_the_contract_has_a_switch() -> None:
    numbers = {switch.number for switch in SWITCHES}
    assert {f"U{number}" for number in range(1, 37)} <= numbers
    assert len({switch.name for switch in SWITCHES}) == len(SWITCHES)
    assert all(switch.alternatives for switch in SWITCHES)


def test_a_switch_is_read_from_text() -> None:
    assert parse_switch("empty-string=clears") == ("empty-string", "clears")
    assert parse_switch("read-lag=3") == ("read-lag", "3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("empty-strings=clears", "unknown switch 'empty-strings', did you mean 'empty-string'?"),
        ("empty-string=clear", "unknown value 'clear' for switch 'empty-string', did you mean 'clears'?"),
        ("read-lag=-1", "unknown value '-1' for switch 'read-lag'"),
        ("empty-string", "not of the form NAME=VALUE"),
    ],
)
def test_an_unknown_switch_names_the_nearest(text: str, message: str) -> None:
    with pytest.raises(UnknownSwitchError) as raised:
        parse_switch(text)
    assert message in str(raised.value)


def test_settings_are_checked(make_emulator: Callable[..., Emulator]) -> None:
    with pytest.raises(UnknownSwitchError, match="did you mean 'list-order'"):
        make_emulator(switches={"list-orders": "random"})
    assert EmulatorSettings().switches == {}


@pytest.mark.parametrize(
    ("setting", "sent", "expected"),
    [
        (None, "client_id", "client"),
        ("clears", "client_id", ""),
        ("rejected", "client_id", "oidc_connection_client_id_required"),
        ("rejected", "userinfo_url", "oidc_connection_userinfo_url_required"),
        ("rejected", "display_name", "invalid_display_name"),
        ("rejected", "custom_scopes", "bad_request"),
        ("clears", "identity_provider", "generic"),
    ],
)
@pytest.mark.parametrize(("switch", "value"), [("empty-string", ""), ("null-value", None)])
def test_u1_u2_empty_values(
    bench: Bench, *, switch: str, value: object, setting: str | None, sent: str, expected: str
) -> None:
    bench.switch(switch, setting)
    response = bench.put(**{sent: value})
    assert expected in {outcome(response), bench.stored()[sent]}
    assert (response.status_code == 400) is (setting == "rejected")


@pytest.mark.parametrize(
    ("setting", "sent", "expected"),
    [
        (None, {"b": "2"}, {"b": "2"}),
        (None, {}, None),
        ("merges", {"b": "2"}, {"a": "1", "b": "2"}),
        ("empty-ignored", {}, {"a": "1"}),
        ("empty-ignored", {"b": "2"}, {"b": "2"}),
    ],
)
def test_u3_attribute_mapping(
    bench: Bench, setting: str | None, sent: dict[str, str], expected: object
) -> None:
    bench.put(attribute_mapping={"a": "1"})
    bench.switch("attribute-mapping", setting)
    assert bench.put(attribute_mapping=sent).json()["connection"].get("attribute_mapping") == expected


@pytest.mark.parametrize(
    ("setting", "sent", "expected"),
    [
        (None, "openid email", "openid email"),
        (None, "openid%20email", "openid%20email"),
        ("decoded", "openid%20email", "openid email"),
        ("spaces-rejected", "openid email", "bad_request"),
        ("spaces-rejected", "openid%20email", "openid%20email"),
        ("encoded", "openid email", "openid%20email"),
    ],
)
def test_u4_custom_scopes(bench: Bench, setting: str | None, sent: str, expected: str) -> None:
    bench.switch("custom-scopes", setting)
    response = bench.put(custom_scopes=sent)
    assert expected in {outcome(response), bench.lists()["oidc_connections"][0]["custom_scopes"]}


@pytest.mark.parametrize(("setting", "token_url"), [(None, COMPLETE["token_url"]), ("fetched", f"{NEW}/t")])
def test_u5_an_equal_issuer(bench: Bench, setting: str | None, token_url: str) -> None:
    bench.switch("equal-issuer", setting)
    bench.emulator.set_discovery(ISSUER, METADATA)
    assert bench.put(issuer=ISSUER).json()["connection"]["token_url"] == token_url


@pytest.mark.parametrize(
    ("setting", "token_url", "status"),
    [
        (None, COMPLETE["token_url"], "active"),
        ("clears", "", "pending"),
        ("clears-stays-active", "", "active"),
    ],
)
def test_u7_a_failed_discovery(bench: Bench, setting: str | None, token_url: str, status: str) -> None:
    bench.switch("failed-discovery", setting)
    response = bench.put(issuer=NEW, jwks_url=f"{NEW}/mine").json()
    assert response["warning"]
    connection = response["connection"]
    assert (connection["token_url"], connection["status"]) == (token_url, status)
    assert connection["jwks_url"] == f"{NEW}/mine"


@pytest.mark.parametrize(("setting", "userinfo_url"), [(None, COMPLETE["userinfo_url"]), ("clears", "")])
def test_u8_a_document_without_an_endpoint(bench: Bench, setting: str | None, userinfo_url: str) -> None:
    bench.switch("missing-endpoint", setting)
    document = {name: value for name, value in METADATA.items() if name != "userinfo_endpoint"}
    bench.emulator.set_discovery(NEW, document)
    connection = bench.put(issuer=NEW).json()["connection"]
    assert (connection["userinfo_url"], connection["token_url"]) == (userinfo_url, f"{NEW}/t")


@pytest.mark.parametrize(
    ("setting", "warned", "token_url"), [(None, False, f"{NEW}/t"), ("fails", True, COMPLETE["token_url"])]
)
def test_u9_a_document_of_another_issuer(
    bench: Bench, setting: str | None, warned: bool, token_url: str
) -> None:
    bench.switch("issuer-mismatch", setting)
    bench.emulator.set_discovery(NEW, {**METADATA, "issuer": "https://other.example"})
    response = bench.put(issuer=NEW).json()
    assert ("warning" in response, response["connection"]["token_url"]) == (warned, token_url)


@pytest.mark.parametrize(("setting", "status"), [(None, "pending"), ("stays-active", "active")])
def test_u10_an_emptied_field(bench: Bench, setting: str | None, status: str) -> None:
    bench.switch("empty-string", "clears")
    bench.switch("emptied-field", setting)
    assert bench.put(client_id="").json()["connection"]["status"] == status


@pytest.mark.parametrize(("setting", "status"), [(None, "pending"), ("optional", "active")])
def test_u11_userinfo_url(bench: Bench, setting: str | None, status: str) -> None:
    bench.switch("userinfo-url", setting)
    connection_id = bench.post().json()["connection"]["connection_id"]
    body = {name: value for name, value in COMPLETE.items() if name != "userinfo_url"}
    assert bench.put(connection_id, **body).json()["connection"]["status"] == status


@pytest.mark.parametrize(("setting", "expected"), [(None, 1), ("first-created", 0), ("never", None)])
def test_u12_the_default_connection(
    emulator: Emulator, api: Api, setting: str | None, expected: int | None
) -> None:
    if setting is not None:
        emulator.set_switch("default-connection", setting)
    ids = [
        api("POST", "/v1/b2b/sso/oidc/acme", json={}).json()["connection"]["connection_id"] for _ in range(2)
    ]
    api("PUT", f"/v1/b2b/sso/oidc/acme/connections/{ids[1]}", json=COMPLETE)
    default = emulator.organization("acme")["sso_default_connection_id"]
    assert default == (None if expected is None else ids[expected])


@pytest.mark.parametrize(
    ("setting", "expected", "default"),
    [
        (None, "cannot_delete_default_sso_connection", "same"),
        ("allowed", "ok", "none"),
        ("reassigns", "ok", "other"),
    ],
)
def test_u13_deleting_the_default(bench: Bench, setting: str | None, expected: str, default: str) -> None:
    spare = bench.emulator.add_connection("acme", **COMPLETE)["connection_id"]
    bench.switch("delete-default", setting)
    assert outcome(bench.delete(bench.connection_id)) == expected
    assert bench.default() == {"same": bench.connection_id, "none": None, "other": spare}[default]


def test_u13_the_last_connection_can_be_deleted_while_external_ones_remain(bench: Bench) -> None:
    bench.emulator.add_connection("acme", "external")
    assert outcome(bench.delete(bench.connection_id)) == "ok"
    assert bench.default() is None


@pytest.mark.parametrize(
    ("setting", "expected", "left"),
    [(None, "ok", 0), ("stale", "ok", 1), ("rejected", "invalid_restricted_sso_setting", 1)],
)
def test_u14_the_jit_list(bench: Bench, setting: str | None, expected: str, left: int) -> None:
    bench.emulator.edit_organization("acme", sso_jit_provisioning_allowed_connections=[bench.connection_id])
    bench.switch("jit-list", setting)
    assert outcome(bench.delete(bench.connection_id)) == expected
    allowed = bench.emulator.organization("acme")["sso_jit_provisioning_allowed_connections"]
    assert allowed == [bench.connection_id] * left


@pytest.mark.parametrize(
    ("setting", "expected", "left"), [(None, "ok", 1), ("cascades", "ok", 0), ("rejected", "bad_request", 1)]
)
def test_u15_external_references(bench: Bench, setting: str | None, expected: str, left: int) -> None:
    bench.emulator.add_organization("beta")
    bench.emulator.add_connection("beta", "external", external_connection_id=bench.connection_id)
    bench.switch("external-references", setting)
    assert outcome(bench.delete(bench.connection_id)) == expected
    assert len(bench.emulator.connections("beta")) == left


@pytest.mark.parametrize(
    ("setting", "on_update", "on_delete"),
    [
        (None, "oidc_connection_not_found", "sso_connection_not_found"),
        ("swapped", "sso_connection_not_found", "oidc_connection_not_found"),
    ],
)
def test_u16_a_missing_connection(bench: Bench, setting: str | None, on_update: str, on_delete: str) -> None:
    bench.switch("not-found-type", setting)
    missing = "oidc-connection-test-missing"
    assert (outcome(bench.put(missing)), outcome(bench.delete(missing))) == (on_update, on_delete)


@pytest.mark.parametrize(
    ("setting", "status", "expected"),
    [(None, 404, "sso_connection_not_found"), ("mismatch", 400, "sso_connection_organization_mismatch")],
)
def test_u17_another_organizations_connection(
    bench: Bench, setting: str | None, status: int, expected: str
) -> None:
    bench.emulator.add_organization("beta")
    foreign = bench.emulator.add_connection("beta")["connection_id"]
    bench.switch("foreign-connection", setting)
    response = bench.delete(foreign)
    assert (response.status_code, outcome(response)) == (status, expected)
    assert len(bench.emulator.connections("beta")) == 1


@pytest.mark.parametrize("kind", ["saml", "external"])
@pytest.mark.parametrize(
    ("setting", "status", "expected"),
    [(None, 404, "oidc_connection_not_found"), ("rejected", 400, "bad_request")],
)
def test_u18_another_type_on_the_oidc_path(
    bench: Bench, setting: str | None, kind: str, status: int, expected: str
) -> None:
    unrelated = bench.emulator.add_connection("acme", kind)
    bench.switch("other-type", setting)
    response = bench.put(unrelated["connection_id"], display_name="Changed")
    assert (response.status_code, outcome(response)) == (status, expected)
    assert bench.emulator.connection(unrelated["connection_id"]) == unrelated


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(None, "a-client-secret"), ("masked", "********cret"), ("empty", ""), ("absent", None)],
)
def test_u19_the_client_secret(bench: Bench, setting: str | None, expected: str | None) -> None:
    bench.switch("client-secret", setting)
    assert bench.lists()["oidc_connections"][0].get("client_secret") == expected
    assert bench.put().json()["connection"].get("client_secret") == expected
    assert bench.stored()["client_secret"] == "a-client-secret"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(None, {"saml_connections": []}), ("null", {"saml_connections": None}), ("absent", {})],
)
def test_u20_empty_lists(bench: Bench, setting: str | None, expected: dict[str, object]) -> None:
    bench.switch("empty-lists", setting)
    lists = bench.lists()
    assert {name: value for name, value in lists.items() if name == "saml_connections"} == expected
    assert len(lists["oidc_connections"]) == 1


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, {"issuer": ""}),
        ("absent", {}),
        ("null", {"issuer": None, "attribute_mapping": None}),
        ("empty-object", {"issuer": "", "attribute_mapping": {}}),
    ],
)
def test_u21_unset_fields(bench: Bench, setting: str | None, expected: dict[str, object]) -> None:
    bench.switch("unset-fields", setting)
    connection = bench.post(display_name="Two").json()["connection"]
    unset = {name: connection[name] for name in ("issuer", "attribute_mapping") if name in connection}
    assert unset == expected


def test_u22_retry_after(bench: Bench) -> None:
    bench.emulator.set_rate_limits(RateLimit(0, seconds=10_000.0))
    bench.emulator.context.clock_offset -= bench.emulator.context.now() % 10_000
    refused = {}
    for setting in ("absent", "seconds", "date"):
        bench.switch("retry-after", setting)
        response = bench.api("GET", "/v1/b2b/sso/acme")
        assert (response.status_code, outcome(response)) == (429, "too_many_requests")
        refused[setting] = response.headers.get("retry-after")
    assert refused["absent"] is None
    assert 9_990 <= int(refused["seconds"] or 0) <= 10_000
    assert parsedate_to_datetime(refused["date"] or "").timestamp() % 10_000 == 0


@pytest.mark.parametrize(("setting", "expected"), [(None, "ok"), ("rejected", "invalid_display_name")])
def test_u23_a_duplicate_name(bench: Bench, setting: str | None, expected: str) -> None:
    bench.switch("duplicate-display-name", setting)
    assert outcome(bench.post(display_name="One")) == expected
    assert outcome(bench.put(display_name="One")) == "ok"


@pytest.mark.parametrize("name", ["  ", "x" * 129])
@pytest.mark.parametrize(("setting", "expected"), [(None, "ok"), ("rejected", "invalid_display_name")])
def test_u24_a_blank_or_long_name(bench: Bench, setting: str | None, name: str, expected: str) -> None:
    bench.switch("invalid-display-name", setting)
    assert outcome(bench.put(display_name=name)) == expected
    assert outcome(bench.post(display_name=name)) == expected


@pytest.mark.parametrize(
    ("setting", "client_id", "jwks_url"),
    [(None, " c ", "https://x/j/"), ("trims", "c", "https://x/j/"), ("strips-slash", " c ", "https://x/j")],
)
def test_u25_rewriting(bench: Bench, setting: str | None, client_id: str, jwks_url: str) -> None:
    bench.switch("rewriting", setting)
    bench.put(client_id=" c ", jwks_url="https://x/j/", client_secret=" s ")
    stored = bench.stored()
    assert (stored["client_id"], stored["jwks_url"], stored["client_secret"]) == (client_id, jwks_url, " s ")


@pytest.mark.parametrize(
    ("setting", "loopback", "elsewhere"),
    [
        (None, "ok", "oidc_connection_token_url_invalid_format"),
        ("accepted", "ok", "ok"),
        ("rejected", "oidc_connection_token_url_invalid_format", "oidc_connection_token_url_invalid_format"),
    ],
)
def test_u26_http_urls(bench: Bench, setting: str | None, loopback: str, elsewhere: str) -> None:
    bench.switch("http-urls", setting)
    assert outcome(bench.put(token_url="http://127.0.0.1:8080/t")) == loopback
    assert outcome(bench.put(token_url="http://idp.example.com/t")) == elsewhere


def test_u27_no_lag_by_default(bench: Bench) -> None:
    bench.put(client_id="new")
    assert bench.lists()["oidc_connections"][0]["client_id"] == "new"


def test_u27_reads_lag_behind(bench: Bench) -> None:
    bench.switch("read-lag", "2")
    bench.put(client_id="new")
    bench.post(display_name="Two")
    seen = [[connection["client_id"] for connection in bench.lists()["oidc_connections"]] for _ in range(3)]
    assert seen == [["client"], ["client"], ["new", ""]]


def test_u27_the_organization_lags_too(bench: Bench) -> None:
    bench.switch("read-lag", "1")
    path = "/v1/b2b/organizations/acme"
    bench.api("PUT", path, json={"organization_name": "New"})
    names = [bench.api("GET", path).json()["organization"]["organization_name"] for _ in range(2)]
    assert names == ["Acme Corp", "New"]


@pytest.mark.parametrize(("setting", "expected"), [(None, "ok"), ("rejected", "bad_request")])
def test_u28_unknown_keys(bench: Bench, setting: str | None, expected: str) -> None:
    bench.switch("unknown-keys", setting)
    assert outcome(bench.put(colour="red", organization_id="acme")) == expected
    assert outcome(bench.post(colour="red")) == expected
    assert outcome(bench.put(organization_id="acme", connection_id="x", client_id="y")) == "ok"


def test_u29_list_order(bench: Bench) -> None:
    for number in range(20):
        bench.emulator.add_connection("acme", display_name=str(number))
    names = [connection["display_name"] for connection in bench.emulator.connections("acme")]
    assert [connection["display_name"] for connection in bench.lists()["oidc_connections"]] == names
    bench.switch("list-order", "random")
    shuffled = [connection["display_name"] for connection in bench.lists()["oidc_connections"]]
    assert shuffled != names
    assert sorted(shuffled) == sorted(names)


@pytest.mark.parametrize(("setting", "expected"), [(None, "invalid_sso_idp"), ("stored", "ok")])
def test_u30_an_unknown_identity_provider(bench: Bench, setting: str | None, expected: str) -> None:
    bench.switch("unknown-identity-provider", setting)
    assert outcome(bench.put(identity_provider="hotmail")) == expected
    assert outcome(bench.post(identity_provider="hotmail")) == expected


def test_u31_the_first_response_of_each_write_is_lost(bench: Bench) -> None:
    bench.switch("lost-response", "first")
    with pytest.raises(httpx.ReadError):
        bench.post(display_name="Two")
    assert [connection["display_name"] for connection in bench.emulator.connections("acme")] == ["One", "Two"]
    assert outcome(bench.post(display_name="Three")) == "ok"
    with pytest.raises(httpx.ReadError):
        bench.put(client_id="new")
    assert bench.stored()["client_id"] == "new"
    assert [(entry.status, entry.applied) for entry in bench.emulator.request_log.writes] == [
        (None, True),
        (200, True),
        (None, True),
    ]


def test_u31_every_response_of_an_applied_write_is_lost(bench: Bench) -> None:
    bench.switch("lost-response", "every")
    for name in ("Two", "Three"):
        with pytest.raises(httpx.ReadError):
            bench.post(display_name=name)
    assert len(bench.emulator.connections("acme")) == 3
    assert outcome(bench.post(identity_provider="hotmail")) == "invalid_sso_idp"
    assert len(bench.lists()["oidc_connections"]) == 3


def search(bench: Bench, **body: Any) -> dict[str, Any]:
    return bench.api("POST", "/v1/b2b/organizations/search", json=body).json()  # type: ignore[no-any-return]  # JSON


def test_e5_the_total_of_a_search(bench: Bench) -> None:
    assert search(bench)["results_metadata"]["total"] == 1
    bench.switch("search-total", "hidden")
    assert search(bench)["results_metadata"]["total"] == -1


@pytest.mark.parametrize(
    ("setting", "expected"), [(None, {"next_cursor": None}), ("absent", {}), ("empty", {"next_cursor": ""})]
)
def test_e6_the_last_cursor(bench: Bench, setting: str | None, expected: dict[str, object]) -> None:
    bench.switch("last-cursor", setting)
    assert search(bench)["results_metadata"] == {"total": 1, **expected}


def test_e7_a_cursor_that_repeats(bench: Bench) -> None:
    for slug in ("beta", "gamma"):
        bench.emulator.add_organization(slug)
    bench.switch("search-cursor", "repeats")
    first = search(bench, limit=1)
    second = search(bench, limit=1, cursor=first["results_metadata"]["next_cursor"])
    assert second["organizations"] == first["organizations"]
    assert second["results_metadata"] == first["results_metadata"]


def test_e8_unknown_new_fields(bench: Bench) -> None:
    known = bench.lists()
    bench.switch("new-fields", "present")
    lists = bench.lists()
    assert set(lists) - set(known) == {"emulated_new_connections"}
    assert set(lists["oidc_connections"][0]) - set(known["oidc_connections"][0]) == {"emulated_new_field"}
    assert "emulated_new_field" not in bench.stored()


def test_e9_errors_without_a_request_id(bench: Bench) -> None:
    assert bench.put("oidc-connection-test-nope").json()["request_id"]
    bench.switch("error-request-id", "absent")
    assert "request_id" not in bench.put("oidc-connection-test-nope").json()
