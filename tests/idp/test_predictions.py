"""`plan` and `apply` with identity providers: predictions, `discovery: enforce`, and findings."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.idp.live import URLS, connect
from tests.idp.provider import METADATA, answer, write_authority
from tests.support.workplace import NO_CHANGES, issuer_metadata

if TYPE_CHECKING:
    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace

GUID: Final = "0b5b1f35-9d33-4b0c-8c2b-0c9b3f1c2d3e"
EVIL: Final = "https://evil.example.com"


@pytest.fixture
def place(place: Workplace) -> Workplace:
    """A project in which a provider on this machine is no risk, and the secret of acme is known."""
    configure(place)
    place.setenv("ACME_CLIENT_SECRET", "s3cr3t-of-acme")
    return place


def configure(place: Workplace, idp: str = "discovery: enforce", policies: str = "") -> None:
    file = write_authority(place.root)
    place.write(
        "reconciler.yaml",
        f"idp: {{ca_file: {file}, timeout: 3, {idp}}}\n"
        f"policies: {{private-host: off, unpinned-organization: off{policies}}}\n",
    )


def publish(place: Workplace, provider: ScriptedProvider, **metadata: object) -> None:
    """Let the provider and the service know the same metadata."""
    provider.publish(**metadata)
    document = {**issuer_metadata(provider.issuer), **metadata}
    place.emulator.set_discovery(provider.issuer, {name: url for name, url in document.items() if url})


def plan(place: Workplace, *words: str) -> Any:
    return place.run("plan", "--format", "json", *words).document


def codes(document: Any, *, severity: str = "") -> list[str]:
    findings = (*document["diagnostics"], *document["risks"])
    return [item["code"] for item in findings if severity in {"", item["severity"]}]


# -- predictions --------------------------------------------------------------


def test_a_create_shows_what_the_service_will_infer(place: Workplace, provider: ScriptedProvider) -> None:
    publish(place, provider)
    place.declare("acme", issuer=provider.issuer)
    run = place.run("plan")
    assert run.code == 0
    expected = (
        f'token_url         = (known after apply) # the issuer\'s metadata says "{provider.issuer}/token"'
    )
    assert expected in run.out
    assert "Warning" not in run.out


def test_the_prediction_is_a_key_of_its_own_and_no_value_after(
    place: Workplace, provider: ScriptedProvider
) -> None:
    publish(place, provider)
    place.declare("acme", issuer=provider.issuer, token_url=f"{provider.issuer}/token")
    (change,) = plan(place)["resource_changes"]
    assert change["issuer_metadata"] == {name: f"{provider.issuer}/{path}" for name, path in URLS.items()}
    assert change["change"]["after"].get("jwks_url") is None
    assert change["change"]["after_unknown"]["jwks_url"] is True
    assert "enforced" not in change


@pytest.mark.parametrize("format_name", ["html", "markdown"])
def test_every_page_shows_the_prediction(
    place: Workplace, provider: ScriptedProvider, format_name: str
) -> None:
    publish(place, provider)
    place.declare("acme", issuer=provider.issuer)
    out = unescape(place.run("plan", "--format", format_name).out)
    assert "(known after apply)" in out
    assert f"{provider.issuer}/keys" in out


def test_an_issuer_that_moves_shows_what_will_be_inferred_again(
    place: Workplace, provider: ScriptedProvider
) -> None:
    publish(place, provider)
    old = f"{provider.issuer}/old"
    connect(place, "acme", old)
    place.declare("acme", issuer=provider.issuer)
    run = place.run("plan")
    assert (
        f'"{old}/token" -> (known after apply) # the issuer\'s metadata says "{provider.issuer}/token"'
        in run.out
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "https://\u202eidp.example.com/token",
        "https://idp.example.com/</details><script>alert(1)</script>",
        "https://idp.example.com/\u001b[31m::error::owned",
        "https://idp.example.com/" + "a" * 5000,
        "javascript:alert(1)",
        "https://user@idp.example.com/token",
        "https://[1]/",
        "http://idp.example.com/token",
        "https://-/token",
        "https://idp.example.com:/token",
        "https://[fe80::1%25eth0]/token",
        "https://idp.example.com/%7Btenantid%7D/token",
    ],
)
def test_a_url_that_no_manifest_could_declare_is_no_prediction(
    place: Workplace, provider: ScriptedProvider, hostile: str
) -> None:
    provider.publish(token_endpoint=hostile)
    place.declare("acme", issuer=provider.issuer)
    for format_name in ("text", "json", "markdown", "html", "github", "sarif"):
        run = place.run("plan", "--format", format_name)
        assert run.code == 0
        assert "\u202e" not in run.out
        assert "<script>alert" not in run.out
        assert "\u001b[31m" not in run.out
        assert "a" * 300 not in run.out
        assert "the issuer's metadata says" not in run.out


def test_a_long_prediction_is_shortened_in_text_and_whole_in_json(
    place: Workplace, provider: ScriptedProvider
) -> None:
    url = f"{provider.issuer}/{'a' * 500}"
    publish(place, provider, token_endpoint=url)
    place.declare("acme", issuer=provider.issuer)
    assert "a" * 300 not in place.run("plan").out
    assert plan(place)["resource_changes"][0]["issuer_metadata"]["token_url"] == url


def test_what_was_inferred_as_predicted_is_not_mentioned(
    place: Workplace, provider: ScriptedProvider
) -> None:
    publish(place, provider)
    place.declare("acme", issuer=provider.issuer)
    run = place.run("apply", "--auto-approve", "--format", "json")
    assert run.code == 0
    assert run.codes == []


@pytest.mark.parametrize("saved", [False, True])
def test_what_was_inferred_otherwise_is_a_warning_with_both_values(
    place: Workplace, provider: ScriptedProvider, saved: bool
) -> None:
    provider.publish()
    place.emulator.set_discovery(
        provider.issuer, issuer_metadata(provider.issuer) | {"token_endpoint": f"{provider.issuer}/other"}
    )
    place.declare("acme", issuer=provider.issuer)
    words: tuple[str, ...] = ("--auto-approve",)
    if saved:
        assert place.run("plan", "--out", "plan.bin").code == 0
        words = ("plan.bin",)
    run = place.run("apply", *words, "--format", "json")
    assert run.code == 0
    (warning,) = run.document["diagnostics"]
    assert (warning["severity"], warning["code"]) == ("warning", "inference-differs")
    assert f"{provider.issuer}/other" in warning["summary"]
    assert f"{provider.issuer}/token" in warning["summary"]


def test_the_text_of_an_apply_shows_what_was_inferred_otherwise(
    place: Workplace, provider: ScriptedProvider
) -> None:
    place.emulator.set_discovery(
        provider.issuer, issuer_metadata(provider.issuer) | {"jwks_uri": f"{provider.issuer}/other"}
    )
    place.declare("acme", issuer=provider.issuer)
    run = place.run("apply", "--auto-approve")
    assert run.code == 0
    assert "[inference-differs]" in run.out


# -- whom a plan asks ---------------------------------------------------------


def test_a_connection_that_does_not_change_is_not_asked_about(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    assert NO_CHANGES in place.run("plan").out
    assert provider.requests == []


def test_connections_that_change_are_asked_about_once_for_an_issuer(
    place: Workplace, provider: ScriptedProvider
) -> None:
    for number in range(12):
        place.emulator.add_organization(f"customer{number}")
        place.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"s3cr3t-of-{number}")
        place.declare(f"customer{number}", issuer=provider.issuer)
    assert place.run("plan").code == 0
    assert sorted(provider.paths) == [METADATA, "/keys"]


@pytest.mark.parametrize(
    ("idp", "discovery"),
    [("discovery: enforce", "off"), ("discovery: off", "enforce"), ("allow_hosts: ['*.okta.com']", "report")],
    ids=["the manifest", "the ceiling of the project", "hosts that are not allowed"],
)
def test_what_must_not_be_asked_gets_no_packet_and_adds_no_noise(
    place: Workplace, provider: ScriptedProvider, idp: str, discovery: str
) -> None:
    configure(place, idp)
    place.declare("acme", issuer=provider.issuer, discovery=discovery)
    document = plan(place)
    assert provider.requests == []
    assert codes(document) == []
    assert "issuer_metadata" not in document["resource_changes"][0]


def test_a_run_against_an_emulator_on_this_machine_asks_nobody_elsewhere(
    place: Workplace, sockets_elsewhere: list[object]
) -> None:
    place.declare("acme", issuer="https://login.example.com")
    place.declare("globex", issuer="https://login.example.org", discovery="enforce")
    place.emulator.add_organization("globex")
    place.setenv("GLOBEX_CLIENT_SECRET", "s3cr3t-of-globex")
    document = plan(place)
    assert [item["code"] for item in document["diagnostics"]] == ["endpoints-not-checked"]
    assert document["diagnostics"][0]["severity"] == "info"
    assert sockets_elsewhere == []


@pytest.fixture
def sockets_elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record every look-up of a name that is not of this machine."""
    looked_up: list[object] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host not in {"localhost", "127.0.0.1", "::1"}:
            looked_up.append(host)
            raise OSError("no such host")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return looked_up


# -- enforce ------------------------------------------------------------------


def test_endpoints_that_the_issuer_moves_become_a_plan_that_is_empty_after_apply(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce")
    publish(place, provider, jwks_uri=f"{provider.issuer}/new-keys")
    provider.answer("/new-keys", {"keys": []})
    run = place.run("plan")
    values = f'"{provider.issuer}/keys" -> "{provider.issuer}/new-keys"'
    assert f"jwks_url          = {values} # from the issuer's metadata" in run.out
    assert f"! acme/sso jwks_url: {values}" in run.out
    assert place.run("apply", "--auto-approve").code == 0
    (live,) = place.emulator.oidc_connections("acme")
    assert live["jwks_url"] == f"{provider.issuer}/new-keys"
    assert NO_CHANGES in place.run("plan").out


def test_an_enforced_url_is_checked_as_it_will_be(place: Workplace, provider: ScriptedProvider) -> None:
    """The keys at the live URL, which the plan replaces, are no news; those at the published URL are."""
    gone = {"jwks_url": f"{provider.issuer}/gone"}
    connect(place, "acme", provider.issuer, live=gone, discovery="enforce")
    publish(place, provider)
    document = plan(place)
    assert document["resource_changes"][0]["changed"] == ["jwks_url"]
    assert codes(document) == []
    provider.answer("/keys", {"keys": []})
    assert codes(plan(place)) == ["no-usable-key"]


def test_only_endpoints_that_are_neither_declared_nor_ignored_are_enforced(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce", token_url=f"{provider.issuer}/token")
    place.declare(
        "acme",
        issuer=provider.issuer,
        discovery="enforce",
        token_url=f"{provider.issuer}/token",
        lifecycle={"ignore_changes": ["jwks_url"]},
    )
    moved = {
        name: f"{provider.issuer}/moved/{name}"
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    }
    publish(place, provider, **moved)
    (change,) = plan(place)["resource_changes"]
    assert change["changed"] == ["authorization_url", "userinfo_url"]
    assert change["enforced"] == ["authorization_url", "userinfo_url"]


@pytest.mark.parametrize("discovery", ["off", "report", "enforce"])
def test_an_ignored_url_keeps_its_live_value_when_the_issuer_moves(
    place: Workplace, provider: ScriptedProvider, discovery: str
) -> None:
    kept = f"{provider.issuer}/keys-of-another-team"
    connect(place, "acme", f"{provider.issuer}/old", live={"jwks_url": kept})
    publish(place, provider)
    place.declare(
        "acme", issuer=provider.issuer, discovery=discovery, lifecycle={"ignore_changes": ["jwks_url"]}
    )
    attributes = plan(place)["resource_changes"][0]["change"]["after"]
    assert attributes["jwks_url"] == kept
    assert place.run("apply", "--auto-approve").code == 0
    (live,) = place.emulator.oidc_connections("acme")
    assert {name: live[name] for name in ("issuer", "token_url", "jwks_url")} == {
        "issuer": provider.issuer,
        "token_url": f"{provider.issuer}/token",
        "jwks_url": kept,
    }
    assert NO_CHANGES in place.run("plan").out


def test_providers_whose_answers_count_are_asked_first(place: Workplace, provider: ScriptedProvider) -> None:
    """However many others give no answer, they take no time from those."""
    place.emulator.add_organization("globex")
    place.setenv("GLOBEX_CLIENT_SECRET", "s3cr3t-of-globex")
    place.declare("acme", issuer=f"{provider.issuer}/reported", discovery="report")
    place.declare("globex", issuer=f"{provider.issuer}/enforced", discovery="enforce")
    assert place.run("plan").code == 0
    assert provider.paths == [f"/enforced{METADATA}", f"/reported{METADATA}"]


def test_an_issuer_that_is_not_declared_decides_nothing(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    place.write(
        "organizations/acme.yaml",
        json.dumps(
            {
                "organization": "acme",
                "connections": {"sso": {"client_id": "client-of-acme", "discovery": "enforce"}},
            }
        ),
    )
    publish(place, provider, jwks_uri=f"{provider.issuer}/new-keys")
    run = place.run("plan")
    assert NO_CHANGES in run.out
    why = "its endpoints could not be checked: the manifest declares no `issuer`, or ignores its changes"
    assert f"acme/sso: {why}" in run.out + run.err


def test_a_create_sends_what_it_enforces(place: Workplace, provider: ScriptedProvider) -> None:
    provider.publish()  # the service does not know it
    place.declare("acme", issuer=provider.issuer, discovery="enforce")
    assert place.run("apply", "--auto-approve").code == 0
    (live,) = place.emulator.oidc_connections("acme")
    assert {name: live[name] for name in URLS} == {n: f"{provider.issuer}/{p}" for n, p in URLS.items()}
    assert NO_CHANGES in place.run("plan").out


def test_a_project_file_that_allows_less_is_named(place: Workplace, provider: ScriptedProvider) -> None:
    configure(place, "discovery: report")
    live = {"jwks_url": f"{provider.issuer}/old-keys"}
    connect(place, "acme", provider.issuer, live=live, discovery="enforce")
    document = plan(place)
    assert document["resource_changes"] == []
    assert codes(document, severity="info") == ["endpoints-not-checked"]
    assert provider.requests == []


UNUSABLE: Final = {
    "another issuer": lambda provider: provider.publish(issuer=f"{provider.issuer}/"),
    "an endpoint without encryption": lambda provider: provider.publish(
        jwks_uri="http://idp.example.com/keys"
    ),
    "no metadata": lambda provider: provider.answer(METADATA, b"<html>"),
    "not found": lambda provider: provider.scripts.update({METADATA: answer(404)}),
    "an error": lambda provider: provider.scripts.update({METADATA: answer(503)}),
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
def test_without_the_issuers_own_metadata_nothing_is_planned_and_the_plan_says_so(
    place: Workplace, provider: ScriptedProvider, change: Any
) -> None:
    live = {"jwks_url": f"{provider.issuer}/old-keys"}
    connect(place, "acme", provider.issuer, live=live, discovery="enforce")
    provider.answer("/old-keys", {"keys": []})
    change(provider)
    run = place.run("plan", "--format", "json", "--detailed-exitcode")
    assert run.code == 0
    assert run.document["resource_changes"] == []
    assert "endpoints-not-checked" in codes(run.document, severity="warning")
    assert "could not be checked" in place.run("plan").out


def test_a_hijacked_document_meets_the_risk_rules(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce")
    provider.publish(token_endpoint=f"{EVIL}/token", jwks_uri=f"{EVIL}/keys")
    run = place.run("plan", "--format", "json")
    assert run.code == 1
    assert {"token-url-host-change", "jwks-url-host-change", "secret-kept"} <= {
        *codes(run.document, severity="error")
    }
    assert place.run("apply", "--auto-approve").code == 1
    (live,) = place.emulator.oidc_connections("acme")
    assert live["token_url"] == f"{provider.issuer}/token"


def test_an_endpoint_elsewhere_is_no_risk_if_the_issuer_itself_names_it(
    place: Workplace, provider: ScriptedProvider
) -> None:
    elsewhere = "https://graph.example.com/userinfo"
    provider.publish(userinfo_endpoint=elsewhere)
    place.declare("acme", issuer=provider.issuer, userinfo_url=elsewhere)
    assert "endpoint-off-site" not in codes(plan(place))
    assert place.run("plan", "--out", "plan.bin").code == 0
    assert place.run("apply", "plan.bin").code == 0
    provider.publish()
    place.declare("acme", issuer=provider.issuer, userinfo_url=f"{elsewhere}/other")
    assert "endpoint-off-site" in codes(plan(place), severity="error")


def test_a_saved_plan_holds_the_endpoints_and_asks_nobody_again(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce")
    publish(place, provider, jwks_uri=f"{provider.issuer}/new-keys")
    assert place.run("plan", "--out", "plan.bin").code == 0
    publish(place, provider, jwks_uri=f"{provider.issuer}/newest-keys")
    provider.requests.clear()
    assert place.run("apply", "plan.bin").code == 0
    assert provider.requests == []
    (live,) = place.emulator.oidc_connections("acme")
    assert live["jwks_url"] == f"{provider.issuer}/new-keys"


# -- findings -----------------------------------------------------------------


def test_what_the_checks_find_is_a_warning_and_changes_no_exit_code(
    place: Workplace, provider: ScriptedProvider
) -> None:
    publish(place, provider, issuer=f"{provider.issuer}/")
    place.declare("acme", issuer=provider.issuer)
    run = place.run("plan", "--format", "json")
    assert run.code == 0
    assert codes(run.document) == ["issuer-mismatch"]
    assert run.document["diagnostics"][0]["severity"] == "warning"
    assert run.document["diagnostics"][0]["range"]["start"]["line"] > 1
    assert place.run("apply", "--auto-approve").code == 0


@pytest.mark.parametrize(("policy", "expected"), [("off", []), ("warn", ["warning"]), ("error", ["warning"])])
def test_the_project_file_turns_findings_off_and_makes_none_an_error(
    place: Workplace, provider: ScriptedProvider, policy: str, expected: list[str]
) -> None:
    configure(place, policies=f", issuer-mismatch: {policy}")
    publish(place, provider, issuer=f"{provider.issuer}/")
    place.declare("acme", issuer=provider.issuer)
    run = place.run("plan", "--format", "json")
    assert run.code == 0
    assert [item["severity"] for item in run.document["diagnostics"]] == expected


def test_an_approval_covers_a_finding(place: Workplace, provider: ScriptedProvider) -> None:
    publish(place, provider, issuer=f"{provider.issuer}/")
    place.declare("acme", issuer=provider.issuer)
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    place.write(
        "approvals/acme.yaml",
        f"approvals: [{{rule: issuer-mismatch, address: acme/sso, reason: known to us, until: {until}}}]",
    )
    document = plan(place)
    assert [approval["status"] for approval in document["approvals"]] == ["used"]
    (warning,) = document["diagnostics"]
    assert "known to us" in warning["hint"]


def test_an_approved_provider_that_is_not_reached_is_named_apart(place: Workplace) -> None:
    for number in range(3):
        place.emulator.add_organization(f"customer{number}")
        place.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"s3cr3t-of-{number}")
        place.declare(f"customer{number}", issuer=f"https://127.0.0.1:1/{number}")
    configure(place, policies=", ip-literal-host: off")
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    approval = f"rule: idp-unreachable, address: customer0/sso, reason: inside their network, until: {until}"
    place.write("approvals/customer0.yaml", f"approvals: [{{{approval}}}]")
    document = plan(place)
    assert [item["summary"] for item in document["diagnostics"] if not item.get("address")] == [
        "2 issuers not reached: is there a proxy?"
    ]
    (approved,) = [item for item in document["diagnostics"] if item.get("address")]
    assert "inside their network" in approved["hint"]


def test_information_is_a_note(place: Workplace, provider: ScriptedProvider) -> None:
    publish(place, provider, scopes_supported=["openid"])
    place.declare("acme", issuer=provider.issuer, custom_scopes=["openid", "groups", "email"])
    run = place.run("plan")
    assert run.code == 0
    assert "Notes: 1, shown below." in run.out


@pytest.mark.parametrize("discovery", ["report", "off"])
def test_a_declared_secret_with_the_form_of_an_id_is_found_and_not_shown(
    place: Workplace, provider: ScriptedProvider, discovery: str
) -> None:
    publish(place, provider)
    place.setenv("ACME_CLIENT_SECRET", GUID)
    place.declare(
        "acme",
        issuer=provider.issuer,
        identity_provider="microsoft-entra",
        discovery=discovery,
        secret_expires_on="2099-01-01",
    )
    run = place.run("plan")
    assert run.code == 0
    assert "the declared client secret has the form of an ID" in run.out
    assert GUID not in run.output


def test_providers_that_are_not_reached_are_one_warning(place: Workplace) -> None:
    for number in range(3):
        place.emulator.add_organization(f"customer{number}")
        place.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"s3cr3t-of-{number}")
        place.declare(f"customer{number}", issuer=f"https://127.0.0.1:1/{number}")
    configure(place, policies=", ip-literal-host: off")
    document = plan(place)
    (warning,) = document["diagnostics"]
    assert warning["code"] == "idp-unreachable"
    assert warning["summary"] == "3 issuers not reached: is there a proxy?"
    assert document["summary"]["warnings"] == 1


# -- drift --------------------------------------------------------------------


def test_an_endpoint_that_is_enforced_drifts_as_a_declared_one_does(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce")
    publish(place, provider, jwks_uri=f"{provider.issuer}/new-keys")
    run = place.run("drift", "--format", "json")
    assert run.code == 2
    assert [(item["kind"], item["attribute"]) for item in run.document["findings"]] == [
        ("changed", "jwks_url")
    ]
    assert run.codes == []
    assert provider.paths.count(METADATA) == 1


def test_drift_says_what_enforce_could_not_check_and_exits_as_without_it(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, discovery="enforce")
    provider.scripts[METADATA] = answer(503)
    run = place.run("drift", "--format", "json")
    assert run.code == 0
    assert {"endpoints-not-checked", "idp-unreachable"} <= {*run.codes}
