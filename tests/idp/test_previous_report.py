"""`verify --previous`: what is new, known, resolved or unchecked, and when secrets expire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.idp.live import URLS, connect
from tests.idp.provider import METADATA, answer

if TYPE_CHECKING:
    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace

ENTRA = "microsoft-entra"


def night(place: Workplace, *words: str, to: str = "last.json") -> Any:
    """Verify as the nightly workflow does: compare with the last report, and replace it."""
    previous = ("--previous", to) if (place.root / to).exists() else ()
    return place.run("verify", "--format", "json", "--output", f"json={to}", *previous, *words).document


def standings(document: Any, part: str = "findings") -> list[tuple[str, str, str]]:
    return [(item["severity"], item["code"], item["standing"]) for item in document[part]]


def day(distance: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=distance)).isoformat()


def test_a_finding_is_new_then_known_then_resolved(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(response_types_supported=["token"])
    first, second = night(place), night(place)
    assert standings(first) == [("error", "code-flow-missing", "new")]
    assert standings(second) == [("error", "code-flow-missing", "known")]
    assert second["findings"][0]["first_seen"] == first["timestamp"] == second["previous_timestamp"]
    provider.publish()
    third = night(place)
    assert standings(third, "resolved") == [("error", "code-flow-missing", "resolved")]
    assert (third["findings"], third["unchecked"]) == ([], [])
    assert third["summary"]["resolved"] == 1


def test_a_night_without_the_provider_resolves_nothing(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(response_types_supported=["token"])
    first = night(place)
    provider.scripts[METADATA] = answer(503)
    second = night(place)
    assert standings(second) == [("error", "idp-unreachable", "new")]
    assert standings(second, "unchecked") == [("error", "code-flow-missing", "unchecked")]
    provider.publish(response_types_supported=["token"])
    third = night(place)
    assert standings(third) == [("error", "code-flow-missing", "known")]
    assert third["findings"][0]["first_seen"] == first["timestamp"]
    assert standings(third, "resolved") == [("error", "idp-unreachable", "resolved")]


def test_what_a_run_does_not_select_is_unchecked(place: Workplace, provider: ScriptedProvider) -> None:
    place.emulator.add_organization("globex")
    for slug in ("acme", "globex"):
        connect(place, slug, provider.issuer)
    provider.publish(response_types_supported=["token"])
    night(place)
    provider.publish()
    document = night(place, "--target", "acme/sso")
    assert [item["address"] for item in document["resolved"]] == ["acme/sso"]
    assert [item["address"] for item in document["unchecked"]] == ["globex/sso"]


def test_a_connection_that_is_no_longer_declared_is_resolved(
    place: Workplace, provider: ScriptedProvider
) -> None:
    place.emulator.add_organization("globex")
    for slug in ("acme", "globex"):
        connect(place, slug, provider.issuer)
    provider.publish(response_types_supported=["token"])
    night(place)
    (place.root / "organizations/globex.yaml").unlink()
    document = night(place)
    assert [item["address"] for item in document["resolved"]] == ["globex/sso"]


def test_a_probe_that_is_not_repeated_resolves_nothing(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.scripts["/token"] = answer(401, {"error": "invalid_client"})
    assert standings(night(place, "--probe-credentials")) == [("error", "secret-wrong", "new")]
    document = night(place)
    assert standings(document, "unchecked") == [("error", "secret-wrong", "unchecked")]


def test_metadata_that_is_gone_is_an_error_only_if_it_was_there(
    place: Workplace, provider: ScriptedProvider
) -> None:
    """The contract: an error if it worked in the previous report, else a warning."""
    connect(place, "acme", provider.issuer)
    provider.scripts[METADATA] = answer(404)
    assert standings(night(place, to="never.json")) == [("warning", "idp-not-found", "new")]
    assert standings(night(place, to="never.json")) == [("warning", "idp-not-found", "known")]
    provider.publish()
    night(place)
    provider.scripts[METADATA] = answer(503)
    night(place)
    provider.scripts[METADATA] = answer(410)
    assert standings(night(place)) == [("error", "idp-not-found", "new")]
    document = night(place)
    assert standings(document) == [("error", "idp-not-found", "known")]
    assert "an earlier report read it" in document["findings"][0]["detail"]


def test_with_all_four_urls_declared_missing_metadata_is_information(
    place: Workplace, provider: ScriptedProvider
) -> None:
    urls: dict[str, Any] = {name: f"{provider.issuer}/{path}" for name, path in URLS.items()}
    connect(place, "acme", provider.issuer, **urls)
    night(place)
    provider.scripts[METADATA] = answer(404)
    assert standings(night(place)) == [("info", "idp-not-found", "new")]


def test_another_issuer_had_no_metadata(place: Workplace, provider: ScriptedProvider) -> None:
    live = connect(place, "acme", provider.issuer)
    night(place)
    issuer = f"{provider.issuer}/other"
    place.declare("acme", issuer=issuer)
    place.emulator.edit_connection(live["connection_id"], issuer=issuer)
    assert ("warning", "idp-not-found", "new") in standings(night(place))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "this is not a report of verify"),
        ('{"report": "drift", "format_version": "1.0"}', "this is not a report of verify"),
        ('{"report": "verify", "format_version": "2.0"}', "has format_version '2.0'"),
        ('{"report": "verify", "format_version": "1.0"}', "the report of verify is not valid"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "this is not a report of verify"),
    ],
)
def test_an_invalid_previous_report_is_an_error(place: Workplace, text: str, words: str) -> None:
    place.declare("acme")
    place.write("previous.json", text)
    run = place.run("verify", "--previous", "previous.json")
    assert run.code == 1
    assert f"previous.json: {words}" in run.err or words in run.err


def test_a_missing_previous_report_is_an_error(place: Workplace) -> None:
    run = place.run("verify", "--previous", "nowhere.json")
    assert run.code == 1
    assert "nowhere.json: there is no such report" in run.err


def test_the_report_of_another_project_is_refused(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    night(place)
    file = place.root / "last.json"
    report = json.loads(file.read_text())
    report["target"]["principal"] = "project-test-of-somebody-else"
    file.write_text(json.dumps(report))
    run = place.run("verify", "--previous", "last.json")
    assert run.code == 1
    assert "compare with a report of this project" in run.err


def test_the_report_of_a_failed_run_is_a_warning(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    place.setenv("STYTCH_SECRET", "wrong-secret")
    assert place.run("verify", "--output", "json=failed.json").code == 1
    place.setenv("STYTCH_SECRET", place.emulator.settings.project.secret)
    run = place.run("verify", "--previous", "failed.json", "--format", "json")
    assert (run.code, run.codes) == (0, ["report-of-failed-run"])


def test_a_run_that_fails_replaces_no_report(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    night(place)
    before = (place.root / "last.json").read_bytes()
    place.write("reconciler.yaml", "nonsense: true\n")
    assert place.run("verify", "--previous", "last.json", "--output", "json=last.json").code == 1
    assert (place.root / "last.json").read_bytes() == before


def test_secrets_that_expire_are_listed_soonest_first(place: Workplace) -> None:
    for number, distance in enumerate((20, 400, -3, 89)):
        slug = f"customer{number}"
        place.emulator.add_organization(slug)
        place.declare(slug, secret_expires_on=day(distance), discovery="off")
    place.declare("acme", discovery="off")
    document = night(place)
    assert [(item["address"], item["days"], item["origin"]) for item in document["expiring_secrets"]] == [
        ("customer2/sso", -3, "manifest"),
        ("customer0/sso", 20, "manifest"),
        ("customer3/sso", 89, "manifest"),
    ]
    summary = document["summary"]
    assert (summary["secrets_expiring_later"], summary["secrets_without_date"]) == (1, 1)
    assert [item["summary"] for item in document["findings"] if item["code"] == "secret-expires"] == [
        f"customer0/sso: the client secret expires within 30 days ({day(20)})",
        f"customer2/sso: the client secret has expired ({day(-3)})",
    ]


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (61, ""),
        (60, "within 60 days"),
        (31, "within 60 days"),
        (30, "within 30 days"),
        (7, "within 7 days"),
        (1, "within 1 day "),
        (0, "within 1 day "),
        (-1, "has expired"),
    ],
)
def test_a_declared_date_warns_at_60_30_7_and_1_days(place: Workplace, distance: int, words: str) -> None:
    place.declare("acme", secret_expires_on=day(distance), discovery="off")
    warnings = [item["summary"] for item in night(place)["findings"] if item["code"] == "secret-expires"]
    assert len(warnings) == bool(words)
    assert all(words in warning for warning in warnings)


def test_a_date_that_comes_nearer_is_new_at_each_step(place: Workplace) -> None:
    def warned(distance: int) -> list[str]:
        place.declare("acme", secret_expires_on=day(distance), discovery="off")
        document = night(place)
        assert document["resolved"] == []
        return [item["standing"] for item in document["findings"] if item["code"] == "secret-expires"]

    assert [warned(distance) for distance in (50, 50, 30, 30, 1)] == [
        ["new"], ["known"], ["new"], ["known"], ["new"]
    ]  # fmt: skip


def test_what_a_probe_finds_expired_heads_the_table(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, secret_expires_on=day(40))
    error = {"error": "invalid_client", "error_description": "AADSTS7000222: The client secret has expired."}
    provider.scripts["/token"] = answer(401, error)
    document = night(place, "--probe-credentials")
    assert [(item["origin"], item["expires_on"]) for item in document["expiring_secrets"]] == [
        ("probe", None), ("manifest", day(40))
    ]  # fmt: skip
    assert {item["code"] for item in document["findings"]} == {"secret-expired", "secret-expires"}


def test_entra_without_a_date_stays_information(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, identity_provider=ENTRA)
    document = night(place)
    assert ("info", "secret-expiry-unknown", "new") in standings(document)
    assert document["expiring_secrets"] == []


def test_a_date_of_a_store_that_does_not_answer_is_not_resolved(place: Workplace) -> None:
    place.write("reconciler.yaml", 'secrets: {vault: {allow: ["sso/*"]}}\n')
    place.declare("acme", secret_expires_on=day(5), discovery="off")
    night(place)
    place.declare("acme", client_secret="${vault:sso/acme#client_secret}", discovery="off")
    assert standings(night(place), "unchecked") == [("warning", "secret-expires", "unchecked")]
    place.declare("acme", discovery="off")
    assert standings(night(place), "resolved") == [("warning", "secret-expires", "resolved")]
