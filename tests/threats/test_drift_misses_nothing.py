"""Drift names what is deleted, undeclared or unknown, and says so when it looked at nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

FORMATS = ("text", "json", "markdown", "html", "github", "sarif")


@pytest.fixture
def estate(connected: Workplace) -> Workplace:
    """Two organizations whose declared connections are applied, and pinned in the manifests."""
    connected.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    connected.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex-value")
    connected.add_organization("globex")
    connected.declare("globex")
    connected.applied()
    assert connected.run("pin").code == 0
    return connected


def configure(place: Workplace, **drift: str) -> None:
    place.write("reconciler.yaml", json.dumps({"limits": {"requests_per_second": 500}, "drift": drift}))


def delete(place: Workplace, slug: str) -> str:
    connection_id: str = place.live(slug)[0]["connection_id"]
    place.emulator.edit_organization(slug, sso_default_connection_id=None)
    place.emulator.remove_connection(connection_id)
    return connection_id


def findings(run: CompletedRun) -> list[tuple[str, str]]:
    return [(finding["address"], finding["kind"]) for finding in run.document["findings"]]


def unknown(run: CompletedRun) -> list[Any]:
    organizations: list[Any] = run.document.get("unknown_organizations", [])
    return organizations


def searches(place: Workplace) -> int:
    return sum(request.path.endswith("/search") for request in place.emulator.request_log)


def test_a_deleted_pinned_connection_is_missing(estate: Workplace) -> None:
    """Case 15: a pinned connection deleted in the dashboard is missing, exit 2, and no error."""
    pin = delete(estate, "acme")
    run = estate.run("drift", "--format", "json")
    assert (run.code, findings(run)) == (2, [("acme/sso", "missing")])
    assert run.document["errored"] is False
    assert run.document["findings"][0]["connection_id"] == pin
    text = estate.run("drift")
    assert "Drift: 1 missing, 0 changed, 0 unexpected." in text.out
    assert "# acme/sso is declared, but its pinned connection is not live" in text.out
    assert f"[id={pin}]" in text.out


def test_a_deleted_pinned_connection_hides_nothing_else_of_its_organization(estate: Workplace) -> None:
    """Case 15: the other connections of the organization are compared as well."""
    estate.emulator.add_connection("acme", **okta("second", client_id="second"))
    second = estate.live("acme")[1]
    manifest = json.loads((estate.root / "organizations/acme.yaml").read_text().replace("\n", " "))
    manifest["connections"]["second"] = {
        "client_id": "other",
        "issuer": second["issuer"],
        "connection_id": second["connection_id"],
    }
    estate.write("organizations/acme.yaml", json.dumps(manifest))
    delete(estate, "acme")
    run = estate.run("drift", "--format", "json")
    assert (run.code, findings(run)) == (2, [("acme/sso", "missing"), ("acme/second", "changed")])


@pytest.mark.parametrize("words", [("plan",), ("apply", "--auto-approve")], ids=" ".join)
def test_a_deleted_pinned_connection_stays_an_error_elsewhere(
    estate: Workplace, words: tuple[str, ...]
) -> None:
    """Case 15, the other side: `plan` and `apply` never create under a pin."""
    delete(estate, "acme")
    run = estate.run(*words)
    assert run.code == 1
    assert "pin-not-live" in run.output
    assert not estate.live("acme")


def test_a_pin_of_another_organization_is_an_error(estate: Workplace) -> None:
    """Case 15, the other side: a pin whose connection belongs to somebody else is a wrong manifest."""
    pin = estate.live("globex")[0]["connection_id"]
    estate.declare("acme", connection_id=pin)
    (estate.root / "organizations/globex.yaml").unlink()
    run = estate.run("drift", "--format", "json")
    assert run.code == 1
    assert "belongs to organization globex" in run.output


def test_a_missing_pin_is_followed_from_report_to_report(estate: Workplace) -> None:
    """Case 15: the finding keeps its fingerprint, and says since when."""
    delete(estate, "acme")
    first = estate.run("drift", "--format", "json", "--output", "json=last.json")
    again = estate.run("drift", "--format", "json", "--previous", "last.json")
    (before,), (now,) = first.document["findings"], again.document["findings"]
    assert (now["standing"], now["first_seen"]) == ("known", before["first_seen"])
    assert now["fingerprint"] == before["fingerprint"]


def test_an_undeclared_active_connection_is_drift(estate: Workplace) -> None:
    """Case 16: named with its id and display name, exit 2, in every format."""
    estate.emulator.add_connection("acme", **okta("Rogue"))
    rogue = estate.live("acme")[1]["connection_id"]
    run = estate.run("drift", *(word for name in FORMATS for word in ("--output", f"{name}=drift.{name}")))
    assert run.code == 2
    assert "Drift: 0 missing, 0 changed, 0 unexpected, 1 undeclared." in run.out
    for name in FORMATS:
        text = (estate.root / f"drift.{name}").read_text()
        assert rogue in text, name
        assert "Rogue" in text, name
    (finding,) = json.loads((estate.root / "drift.json").read_text())["findings"]
    assert (finding["kind"], finding["address"]) == ("undeclared", f"acme/{rogue}")
    assert (finding["connection_id"], finding["display_name"]) == (rogue, "Rogue")


@pytest.mark.parametrize(
    ("mode", "code", "listed"), [("drift", 2, False), ("report", 0, True), ("ignore", 0, False)]
)
def test_the_project_file_says_what_undeclared_connections_are(
    estate: Workplace, mode: str, code: int, listed: bool
) -> None:
    """Case 16: `drift: {undeclared: drift|report|ignore}`."""
    configure(estate, undeclared=mode)
    estate.emulator.add_connection("acme", **okta("Rogue"))
    run = estate.run("drift", "--format", "json")
    assert (run.code, bool(run.document["findings"])) == (code, mode == "drift")
    assert bool(run.document["unmanaged"]) is listed


def test_an_undeclared_pending_connection_is_only_reported(estate: Workplace) -> None:
    """Case 16: nobody can log in through it yet."""
    estate.emulator.add_connection("acme", display_name="Being set up")
    run = estate.run("drift", "--format", "json")
    assert (run.code, run.document["findings"]) == (0, [])
    assert [item["connection"]["display_name"] for item in run.document["unmanaged"]] == ["Being set up"]


def test_an_undeclared_connection_is_looked_at_where_the_run_looks(estate: Workplace) -> None:
    """Case 16: of the organization that a glob selects, and not beside a single address."""
    estate.emulator.add_connection("acme", **okta("Rogue"))
    assert estate.run("drift", "--target", "acme/*").code == 2
    assert estate.run("drift", "organizations/acme.yaml").code == 2
    assert estate.run("drift", "--target", "acme/sso").code == 0
    assert estate.run("drift", "--target", "globex/*").code == 0
    estate.run("drift", "--output", "json=last.json")
    run = estate.run("drift", "--previous", "last.json", "--format", "json", "--target", "acme/sso")
    assert [finding["standing"] for finding in run.document["unchecked"]] == ["new"] or [
        finding["kind"] for finding in run.document["unchecked"]
    ] == ["undeclared"]


def test_an_undeclared_connection_that_is_gone_is_resolved(estate: Workplace) -> None:
    """Case 16: and the next night says so."""
    estate.emulator.add_connection("acme", **okta("Rogue"))
    estate.run("drift", "--output", "json=last.json")
    estate.emulator.remove_connection(estate.live("acme")[1]["connection_id"])
    run = estate.run("drift", "--previous", "last.json", "--format", "json")
    assert (run.code, [finding["kind"] for finding in run.document["resolved"]]) == (0, ["undeclared"])


def stranger(place: Workplace, slug: str = "initech") -> str:
    """Add an organization that no manifest names, with an active connection; return its id."""
    place.add_organization(slug)
    place.emulator.add_connection(slug, **okta("Shadow"))
    connection_id: str = place.live(slug)[0]["connection_id"]
    return connection_id


def test_an_organization_that_no_manifest_names_is_named(estate: Workplace) -> None:
    """Case 17: reported by default, in every format, and no drift."""
    connection_id = stranger(estate)
    estate.emulator.request_log.clear()
    run = estate.run("drift", *(word for name in FORMATS for word in ("--output", f"{name}=drift.{name}")))
    assert run.code == 0
    assert searches(estate) == 2  # one for the declared, one for the others
    assert "No drift." in run.out
    assert "Unknown: 1 organization with active connections that no manifest names" in run.out
    for name in set(FORMATS) - {"github", "sarif"}:
        text = (estate.root / f"drift.{name}").read_text()
        assert "initech" in text, name
        assert connection_id in text, name
    (unknown,) = json.loads((estate.root / "drift.json").read_text())["unknown_organizations"]
    assert unknown["organization"] == "initech"
    assert unknown["organization_id"] == estate.emulator.organization("initech")["organization_id"]
    assert [item["connection_id"] for item in unknown["connections"]] == [connection_id]


def test_unknown_organizations_can_be_drift(estate: Workplace) -> None:
    """Case 17: `drift: {unknown_organizations: drift}`."""
    configure(estate, unknown_organizations="drift")
    connection_id = stranger(estate)
    run = estate.run("drift", "--format", "json", "--output", "json=last.json")
    assert (run.code, findings(run)) == (2, [(f"initech/{connection_id}", "unknown-organization")])
    text = estate.run("drift")
    assert "Drift: 0 missing, 0 changed, 0 unexpected, 1 in unknown organizations." in text.out
    partial = estate.run("drift", "--previous", "last.json", "--format", "json", "--target", "acme/*")
    assert [finding["kind"] for finding in partial.document["unchecked"]] == ["unknown-organization"]
    estate.emulator.remove_connection(connection_id)
    later = estate.run("drift", "--previous", "last.json", "--format", "json")
    assert (later.code, [finding["kind"] for finding in later.document["resolved"]]) == (
        0,
        ["unknown-organization"],
    )


def test_unknown_organizations_can_be_ignored(estate: Workplace) -> None:
    """Case 17: then nothing is searched for."""
    configure(estate, unknown_organizations="ignore")
    stranger(estate)
    estate.emulator.request_log.clear()
    run = estate.run("drift", "--format", "json")
    assert (run.code, unknown(run)) == (0, [])
    assert searches(estate) == 1


@pytest.mark.parametrize("words", [("--target", "acme/*"), ("organizations",)], ids=" ".join)
def test_a_partial_run_looks_for_no_unknown_organization(estate: Workplace, words: tuple[str, ...]) -> None:
    """Case 17: only a whole run knows what no manifest names."""
    stranger(estate)
    run = estate.run("drift", *words, "--format", "json")
    assert (run.code, unknown(run)) == (0, [])


def test_only_active_oidc_connections_make_an_organization_unknown(estate: Workplace) -> None:
    """Case 17: SAML and External connections are nobody's business here."""
    estate.add_organization("initech")
    estate.emulator.add_connection("initech", "saml", display_name="SAML", status="active")
    estate.emulator.add_connection("initech", display_name="pending")
    run = estate.run("drift", "--format", "json")
    assert (run.code, unknown(run)) == (0, [])


def test_an_organization_is_known_by_any_of_its_names(estate: Workplace) -> None:
    """Case 17: a manifest may name it by slug, id or external id, and broken manifests name theirs, too."""
    organization_id = estate.emulator.organization("acme")["organization_id"]
    manifest = (estate.root / "organizations/acme.yaml").read_text()
    estate.write("organizations/acme.yaml", manifest.replace('"acme"', f'"{organization_id}"', 1))
    broken = (estate.root / "organizations/globex.yaml").read_text().replace("issuer", "isuer")
    estate.write("organizations/globex.yaml", broken)
    run = estate.run("drift", "--format", "json")
    assert (run.code, unknown(run)) == (1, [])


def test_each_shard_names_its_own_unknown_organizations(estate: Workplace) -> None:
    """Case 17: every unknown organization is in exactly one shard."""
    slugs = [f"stranger-{number}" for number in range(6)]
    for slug in slugs:
        stranger(estate, slug)
    runs = [estate.run("drift", "--shard", f"{index}/2", "--format", "json") for index in (1, 2)]
    names = [[item["organization"] for item in unknown(run)] for run in runs]
    assert sorted(names[0] + names[1]) == slugs
    assert names[0]
    assert names[1]


@pytest.mark.parametrize(("mode", "code"), [("report", 0), ("drift", 1)])
def test_a_search_that_fails_is_said(estate: Workplace, mode: str, code: int) -> None:
    """Case 17: "nothing seen" must not read as "nothing there", and resolves nothing."""
    configure(estate, unknown_organizations="drift")
    stranger(estate)
    assert estate.run("drift", "--output", "json=last.json").code == 2
    configure(estate, unknown_organizations=mode)
    estate.emulator.add_fault("search-organizations:user_search_invalid_cursor:nth=2")
    run = estate.run("drift", "--previous", "last.json", "--format", "json")
    assert run.code == code
    assert "unknown-organizations-not-checked" in run.codes
    assert [finding["kind"] for finding in run.document["unchecked"]] == ["unknown-organization"]


@pytest.mark.parametrize("words", [("drift",), ("plan",)], ids=" ".join)
def test_a_declared_pending_connection_is_a_warning(estate: Workplace, words: tuple[str, ...]) -> None:
    """Case 18: told of in every run for as long as it lasts, and no drift."""
    estate.add_organization("initech")
    estate.write("organizations/initech.yaml", "organization: initech\nconnections: {new: {}}\n")
    estate.run("apply", "--auto-approve", "-q")
    for _ in range(2):
        run = estate.run(*words, "--format", "json")
        assert run.code == 0
        (warning,) = [item for item in run.document["diagnostics"] if item["code"] == "stays-pending"]
        assert warning["severity"] == "warning"
        assert warning["address"] == "initech/new"


def test_a_run_that_looked_at_nothing_says_so(connected: Workplace) -> None:
    """Case 14: in place of the headline of success, exit 0."""
    connected.write("organizations/acme.yaml", "# nothing yet\n")
    for verb in ("drift", "plan"):
        run = connected.run(verb)
        assert run.code == 0
        assert "No organization was looked at" in run.out
        assert "No drift" not in run.out
        assert "No changes" not in run.out


def edits(place: Workplace, **fields: Any) -> None:
    place.emulator.edit_connection(place.live("acme")[0]["connection_id"], **fields)


def down(place: Workplace) -> None:
    """Nobody listens where the API was."""
    place.setenv("STYTCH_BASE_URL", "http://127.0.0.1:9")


@pytest.mark.parametrize("failure", ["api", "credentials", "manifests"])
def test_a_failed_run_leaves_the_previous_report_as_it_was(estate: Workplace, failure: str) -> None:
    """Case 20: `drift --previous last.json --output json=last.json` with the API down."""
    edits(estate, client_id="somebody-elses")
    estate.run("drift", "--output", "json=last.json")
    before = (estate.root / "last.json").read_bytes()
    match failure:
        case "api":
            down(estate)
        case "credentials":
            estate.setenv("STYTCH_SECRET", "wrong-secret")
        case _:
            for file in (estate.root / "organizations").iterdir():
                file.write_text("organization: [")
    words = ("--previous", "last.json", "--output", "json=last.json")
    run = estate.run("drift", *words, "--output", "json=other.json", "--format", "json")
    assert run.code == 1
    assert run.document["errored"] is True
    assert (estate.root / "last.json").read_bytes() == before
    assert json.loads((estate.root / "other.json").read_text())["errored"] is True


def test_a_killed_run_leaves_the_previous_report_as_it_was(estate: Workplace) -> None:
    """Cases 19 and 20: whenever it is killed, the report is the old one or the new one."""
    edits(estate, client_id="somebody-elses")
    estate.run("drift", "--output", "json=last.json")
    before = (estate.root / "last.json").read_bytes()
    estate.emulator.add_fault("search-organizations:latency:seconds=5")
    process = estate.start("drift", "--previous", "last.json", "--output", "json=last.json")
    while not estate.emulator.request_log:
        pass
    process.kill()
    process.communicate()
    assert (estate.root / "last.json").read_bytes() == before


def test_a_failure_document_as_the_previous_report_poisons_nothing(estate: Workplace) -> None:
    """Case 19: a cache that holds the document of a failed night does not fail all later nights."""
    edits(estate, client_id="somebody-elses")
    estate.setenv("STYTCH_SECRET", "wrong-secret")
    assert estate.run("drift", "--output", "json=last.json").code == 1
    estate.setenv("STYTCH_SECRET", estate.emulator.settings.project.secret)
    run = estate.run("drift", "--previous", "last.json", "--output", "json=last.json", "--format", "json")
    assert run.code == 2
    assert "report-of-failed-run" in run.codes
    assert run.document["previous_timestamp"] == ""
    assert estate.run("drift", "--previous", "last.json", "--format", "json").document["findings"][0][
        "standing"
    ] == ("known")


def test_a_second_edit_does_not_hide_behind_the_first(estate: Workplace) -> None:
    """Threats 2: what is known and left alone for a while is edited once more: that is new, and announced.

    Scopes and mappings are the same value after they were written to a report and read."""
    edits(estate, client_id="known", attribute_mapping={"groups": "groups"}, custom_scopes="openid profile")
    estate.run("drift", "--output", "json=last.json")
    words = ("drift", "--previous", "last.json", "--format", "json")
    standings = {item["attribute"]: item["standing"] for item in estate.run(*words).document["findings"]}
    assert standings.pop("client_id") == "known"
    assert set(standings.values()) <= {"known"}
    edits(estate, client_id="somebody-elses")
    document = estate.run(*words).document
    (finding,) = [item for item in document["findings"] if item["attribute"] == "client_id"]
    assert (finding["standing"], finding["first_seen"]) == ("new", document["timestamp"])
    assert document["summary"]["new"] == 1
