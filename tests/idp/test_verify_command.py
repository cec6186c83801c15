"""`verify`: what is asked, how often, of whom, and how the run ends."""

from __future__ import annotations

import json
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import pytest

from reconciler.core.errors import UsageError
from reconciler.core.idp import IdpSettings
from reconciler.idp.fetch_settings import fetch_settings
from tests.idp.live import connect
from tests.idp.provider import METADATA, RSA_KEY, leads_back, redirect, scripted_provider
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.idp.provider import Request, ScriptedProvider
    from tests.support.workplace import Workplace

FORMATS: Final = ("text", "json", "markdown", "html", "github", "sarif")


def verify(place: Workplace, *words: str) -> Any:
    return place.run("verify", "--format", "json", *words).document


def found(document: Any) -> list[tuple[str, str, str]]:
    return [(item["address"], item["severity"], item["code"]) for item in document["findings"]]


def test_all_is_well(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    run = place.run("verify")
    assert run.code == 0
    assert "  # acme/sso is OK" in run.out
    assert run.out.endswith("Checked 1 connection at 1 issuer. No problems found.\n")


def test_it_reads_and_nothing_else_and_needs_no_secret_of_a_customer(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    place.emulator.request_log.clear()
    assert place.run("verify").code == 0
    assert {entry.operation for entry in place.emulator.request_log} <= {
        "search-organizations", "get-connections", "list-connections", "get-organization"
    }  # fmt: skip


def test_each_document_is_fetched_once_however_many_connections_share_it(
    place: Workplace, provider: ScriptedProvider
) -> None:
    for number in range(12):
        place.emulator.add_organization(f"customer{number}")
        connect(place, f"customer{number}", provider.issuer)
    document = verify(place)
    assert document["summary"]["connections"] == 12
    assert document["summary"]["issuers"] == 1
    assert sorted(set(provider.paths)) == [METADATA, "/authorize", "/keys"]
    assert provider.paths.count(METADATA) == provider.paths.count("/keys") == 1
    assert provider.paths.count("/authorize") == 12


@pytest.mark.parametrize(
    ("project", "discovery"),
    [("{}", "off"), ("{discovery: off}", "enforce"), ("{allow_hosts: ['*.okta.com']}", "report")],
    ids=["the manifest", "the ceiling of the project", "hosts that are not allowed"],
)
def test_what_must_not_be_asked_gets_no_packet(
    place: Workplace, provider: ScriptedProvider, project: str, discovery: str
) -> None:
    connect(place, "acme", provider.issuer, discovery=discovery)
    place.write("reconciler.yaml", f"idp: {project}\n")
    run = place.run("verify", "--format", "json")
    assert run.code == 0
    assert run.document["connections"][0]["not_asked"]
    assert run.document["connections"][0]["asked"] == []
    assert run.document["summary"]["not_asked"] == 1
    assert run.document["summary"]["issuers"] == run.document["summary"]["issuers_not_reached"] == 0
    assert {(item["severity"], item["code"]) for item in run.document["findings"]} == {
        ("info", "idp-not-asked")
    }
    assert provider.requests == []


def test_a_provider_whose_issuer_is_not_allowed_is_left_alone_at_its_other_hosts(
    place: Workplace, provider: ScriptedProvider
) -> None:
    place.write("reconciler.yaml", "idp: {allow_hosts: [localhost], ca_file: ca.pem}\n")
    port = provider.issuer.rpartition(":")[2]
    live = {"authorization_url": f"{provider.issuer}/authorize", "jwks_url": f"{provider.issuer}/keys"}
    connect(place, "acme", f"https://127.0.0.1:{port}", live=live)
    assert [code for _, _, code in found(verify(place))] == ["idp-not-asked"]
    assert provider.requests == []


def test_answers_that_are_no_metadata_are_not_taken_for_a_missing_proxy(
    place: Workplace, provider: ScriptedProvider
) -> None:
    for number in range(7):
        place.emulator.add_organization(f"customer{number}")
        connect(place, f"customer{number}", f"{provider.issuer}/{number}")
    assert "is there a proxy?" not in place.run("verify").out


def test_a_connection_that_is_not_live_yet_is_checked_as_it_is_declared_without_a_preflight(
    place: Workplace, provider: ScriptedProvider
) -> None:
    place.declare("acme", issuer=f"{provider.issuer}/")
    document = verify(place)
    assert found(document) == [("acme/sso", "error", "issuer-mismatch")]
    assert document["connections"][0]["live"] is False
    assert provider.paths == [METADATA, "/keys"]


def test_a_connection_without_an_issuer_and_one_that_is_absent(place: Workplace) -> None:
    place.emulator.add_connection("acme", display_name="sso", identity_provider="generic")
    place.write(
        "organizations/acme.yaml",
        """
        organization: acme
        connections:
          sso: {client_id: x}
          gone: {state: absent}
        """,
    )
    document = verify(place)
    assert [item["address"] for item in document["connections"]] == ["acme/sso"]
    assert document["connections"][0]["not_asked"] == "it has no issuer yet"


def test_only_targets_are_asked(place: Workplace, provider: ScriptedProvider) -> None:
    place.emulator.add_organization("globex")
    connect(place, "acme", provider.issuer)
    connect(place, "globex", provider.issuer)
    document = verify(place, "--target", "globex/*")
    assert [item["address"] for item in document["connections"]] == ["globex/sso"]
    assert provider.paths.count("/authorize") == 1
    run = place.run("verify", "--target", "acme/ssso")
    assert run.code == 1
    assert "did you mean `acme/sso`?" in run.err
    document = verify(place, "organizations/acme.yaml")
    assert [item["address"] for item in document["connections"]] == ["acme/sso"]


def test_what_cannot_be_read_hides_nothing_else_and_fails_the_run(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    place.declare("nobody", issuer=provider.issuer)
    place.write("organizations/broken.yaml", "organization: [\n")
    run = place.run("verify", "--format", "json")
    assert run.code == 1
    assert not run.document["complete"]
    assert set(run.codes) == {"invalid-yaml", "organization-not-read"}
    assert [item["address"] for item in run.document["connections"]] == ["acme/sso"]


def test_errors_exit_with_1_and_warnings_with_0(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(id_token_signing_alg_values_supported=["EdDSA"])
    assert place.run("verify").code == 0
    provider.publish(issuer="https://idp.example.com")
    assert place.run("verify").code == 1


def test_policies_set_the_severity(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(issuer="https://idp.example.com", id_token_signing_alg_values_supported=["EdDSA"])
    project = (place.root / "reconciler.yaml").read_text()
    place.write("reconciler.yaml", f"{project}policies: {{issuer-mismatch: warn, signing-alg: error}}\n")
    assert found(verify(place)) == [
        ("acme/sso", "error", "signing-alg"),
        ("acme/sso", "warning", "issuer-mismatch"),
    ]
    place.write("reconciler.yaml", f"{project}policies: {{issuer-mismatch: off, signing-alg: off}}\n")
    assert found(verify(place)) == []


def approve(place: Workplace, *, until: str = "2027-03-31", **fields: str) -> None:
    approval = {"address": "acme/sso", "reason": "known", "until": until, **fields}
    place.write("approvals/acme.yaml", json.dumps({"approvals": [approval]}))


def test_an_approval_covers_a_finding_and_no_later_one(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(issuer="https://idp.example.com")
    (finding,) = verify(place)["findings"]
    assert f"add an approval (finding {finding['fingerprint']})" in finding["hint"]
    approve(place, rule="issuer-mismatch", finding=finding["fingerprint"])
    run = place.run("verify", "--format", "json")
    assert run.code == 0
    assert found(run.document) == [("acme/sso", "warning", "issuer-mismatch")]
    assert "approvals/acme.yaml" in run.document["findings"][0]["hint"]
    provider.publish(issuer="https://other.example.com")
    assert found(verify(place)) == [("acme/sso", "error", "issuer-mismatch")]


def test_an_expired_approval_covers_nothing_and_is_named(place: Workplace) -> None:
    connect(place, "acme", "https://127.0.0.1:9")
    approve(place, rule="idp-unreachable", until="2026-01-01")
    run = place.run("verify", "--format", "json")
    assert run.code == 1
    assert run.codes == ["approval-expired"]


def test_a_plan_does_not_call_an_approval_needless_that_verify_needs(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    place.setenv("ACME_CLIENT_SECRET", "s3cr3t-of-acme")
    approve(place, rule="idp-unreachable")
    assert "approval-not-needed" not in place.run("plan", "--format", "json").codes


def test_fingerprints_are_the_same_in_every_run(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(issuer="https://idp.example.com", response_types_supported=["id_token"])
    first, second = (
        {item["code"]: item["fingerprint"] for item in verify(place)["findings"]} for _ in range(2)
    )
    assert first == second
    assert len(set(first.values())) == 2


def test_many_issuers_without_an_answer_are_summed_up(place: Workplace) -> None:
    for number in range(7):
        place.emulator.add_organization(f"customer{number}")
        connect(place, f"customer{number}", f"https://127.0.0.1:9/{number}")
    run = place.run("verify")
    assert run.code == 1
    assert "7 issuers not reached. If you need a proxy, set HTTPS_PROXY." in run.out
    assert "7 issuers not reached. If you need a proxy, set HTTPS_PROXY." in place.run(
        "verify", "--format", "markdown"
    ).out.replace("`", "")


def test_what_many_connections_share_is_one_finding_in_text(place: Workplace) -> None:
    for number in range(7):
        place.emulator.add_organization(f"customer{number}")
        connect(place, f"customer{number}", "https://127.0.0.1:9")
    text = place.run("verify").out
    assert text.count("[idp-unreachable]") == 1
    assert text.count("https://127.0.0.1:9/.well-known/openid-configuration could not be reached") == 1
    assert text.count("add an approval") == 1
    assert all(f"  customer{number}/sso (organizations/" in text for number in range(7))
    assert len(verify(place)["findings"]) == 7


def test_okta_is_asked_for_the_client_before_anything_is_said(
    place: Workplace, provider: ScriptedProvider
) -> None:
    """Okta's issuer and keys can depend on the client that asks."""
    connect(place, "acme", provider.issuer, identity_provider="okta")
    right = provider.scripts[METADATA]
    provider.publish(issuer="https://acme.okta.com")
    general = provider.scripts[METADATA]
    provider.scripts[METADATA] = lambda request: (right if "client_id" in request.query else general)(request)
    assert found(verify(place)) == []
    asked = [request.query.get("client_id") for request in provider.requests if request.path == METADATA]
    assert asked == [None, "client-of-acme"]


def test_oktas_keys_can_depend_on_the_client(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, identity_provider="okta")
    right = provider.scripts["/keys"]
    provider.answer("/keys", {"keys": []})
    general = provider.scripts["/keys"]
    provider.scripts["/keys"] = lambda request: (right if "client_id" in request.query else general)(request)
    assert found(verify(place)) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_provider_writes_is_escaped_and_bounded_in_every_format(
    place: Workplace, provider: ScriptedProvider, format_: str
) -> None:
    connect(place, "acme", provider.issuer, custom_scopes=["openid", "email", "profile"])
    hostile = (
        "\u202e\x1b[31m</details><script>alert(1)</script>\n::error::x @octocat [a](https://evil.example)"
    )
    provider.publish(
        issuer=hostile + "x" * 500_000,
        scopes_supported=[hostile],
        token_endpoint=f"{provider.issuer}/{hostile}",
        token_endpoint_auth_methods_supported=[hostile] * 50,
    )
    provider.answer("/keys", {"keys": [{**RSA_KEY, "d": "x", "kid": hostile}]})
    out = place.run("verify", "--format", format_).out
    assert len(out) < 60_000
    for raw in ("\u202e", "\x1b", "\n::error::x"):
        assert raw not in out
    assert format_ != "html" or "<script>alert" not in out


def test_urls_of_a_provider_are_bounded(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, live={"jwks_url": "", "authorization_url": ""})
    long = f"{provider.issuer}/{'x' * 90_000}"
    provider.publish(jwks_uri=long, authorization_endpoint=long)
    run = place.run("verify", "--format", "json")
    assert len(run.out) < 20_000
    assert [code for _, _, code in found(run.document)] == ["idp-address-refused", "idp-address-refused"]
    provider.scripts[METADATA] = redirect(long)
    run = place.run("verify", "--format", "json")
    assert len(run.out) < 20_000
    assert [code for _, _, code in found(run.document)] == ["idp-not-metadata"]


def never(_request: Request) -> Iterator[bytes]:
    time.sleep(4)
    yield b""


def test_one_silent_issuer_delays_no_other(place: Workplace, provider: ScriptedProvider) -> None:
    place.write("reconciler.yaml", "idp: {ca_file: ca.pem, timeout: 1, concurrency: 4}\n")
    with scripted_provider() as silent:
        silent.scripts[METADATA] = never
        for number in range(20):
            place.emulator.add_organization(f"customer{number}")
            connect(place, f"customer{number}", silent.issuer if number < 10 else provider.issuer)
        document = verify(place)
    assert {code for _, _, code in found(document)} == {"idp-unreachable"}
    assert len(silent.requests) == 1
    assert provider.paths.count("/authorize") == 10


def test_networks_count_only_as_far_as_the_environment_names_them(tmp_path: Path) -> None:
    settings = IdpSettings(allow_networks=(ip_network("10.0.0.0/8"),))

    def allowed(**environment: str) -> object:
        return fetch_settings(settings, tmp_path, environment, "https://api.stytch.com").addresses.allowed

    assert allowed() == ()
    assert allowed(RECONCILER_ALLOWED_NETWORKS="10.7.0.0/16, 192.168.0.0/16") == (ip_network("10.7.0.0/16"),)
    with pytest.raises(UsageError, match="'intranet', which is not a network"):
        allowed(RECONCILER_ALLOWED_NETWORKS="intranet")


@pytest.mark.parametrize(
    ("address", "allows"),
    [("http://127.0.0.1:8000", True), ("http://localhost", True), ("https://test.stytch.com", False),
     ("https://localhost.example.com", False)],
)  # fmt: skip
def test_loopback_is_asked_only_where_the_target_is_on_loopback(
    tmp_path: Path, address: str, allows: bool
) -> None:
    assert fetch_settings(IdpSettings(), tmp_path, {}, address).addresses.allows_loopback is allows


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_holds_none_is_an_error(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(UsageError, match=r"`idp.ca_file` names 'ca.pem'"):
        fetch_settings(IdpSettings(ca_file="ca.pem"), tmp_path, {}, "https://api.stytch.com")


def test_a_live_url_that_holds_the_secret_is_neither_asked_nor_shown(
    place: Workplace, provider: ScriptedProvider
) -> None:
    secret = "s3cr3t-of-acme"
    live = {
        "authorization_url": f"{provider.issuer}/authorize/{secret}",
        "jwks_url": f"{provider.issuer}/{secret}",
    }
    connect(place, "acme", provider.issuer, live=live)
    for format_ in FORMATS:
        assert secret not in place.run("verify", "--format", format_, "-v").output
    assert all(secret not in request.head for request in provider.requests)
    assert {code for _, _, code in found(verify(place))} == {"endpoint-differs", "idp-address-refused"}


def header_names(request: Request) -> set[str]:
    return {line.partition(":")[0].lower() for line in request.head.split("\r\n")[1:] if line}


def test_a_bar_shows_reading_then_asking_and_is_removed(place: Workplace, provider: ScriptedProvider) -> None:
    for number in range(25):
        place.emulator.add_organization(f"customer{number}")
        connect(place, f"customer{number}", provider.issuer)
    provider.scripts["/authorize"] = slow
    with terminal(place, "verify", "--target", "customer*") as session:
        code, _ = session.end()
    assert code == 0
    assert "Asking identity providers" in session.screen
    assert "Asking identity providers" not in session.text
    assert "Reading organizations" not in session.text


def slow(request: Request) -> Iterator[bytes]:
    time.sleep(0.2)
    yield from leads_back(error="login_required")(request)


def test_a_run_that_fails_before_there_is_a_result_writes_its_document(place: Workplace) -> None:
    place.write("reconciler.yaml", "idp: {ca_file: nowhere.pem}\n")
    connect(place, "acme", "https://127.0.0.1:9")
    run = place.run("verify", "--format", "json")
    assert run.code == 1
    assert run.codes == ["usage-error"]
    assert run.document["errored"]
    assert run.document["findings"] == []
