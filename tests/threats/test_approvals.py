"""Approvals in Git: what was approved is done, and nothing else (threats.md 1 and 4; product.md 4.4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

TODAY = datetime.now(UTC).date()
LATER = (TODAY + timedelta(days=30)).isoformat()
RULE = "issuer-host-change"


@pytest.fixture
def moved(served: Workplace) -> Workplace:
    """A repository whose manifest moves an issuer to another owner, which is an error."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", f"version: 1\npolicies: {{{RULE}: error, secret-kept: warn}}\n")
    served.applied()
    served.emulator.set_discovery("https://elsewhere.example.net", {})
    served.declare("acme", issuer="https://elsewhere.example.net")
    return served


def approve(place: Workplace, *entries: dict[str, Any], name: str = "acme") -> None:
    lines = [f"  - {json.dumps(entry)}" for entry in entries]
    place.write(f"approvals/{name}.yaml", "\n".join(["approvals:", *lines, ""]))


def entry(**fields: Any) -> dict[str, Any]:
    usual = {"rule": RULE, "address": "acme/sso", "reason": "Acme moved, CHG-1234", "until": LATER}
    return {key: value for key, value in (usual | fields).items() if value is not None}


def risk(run: CompletedRun) -> dict[str, Any]:
    (finding,) = [risk for risk in run.document["risks"] if risk["code"] == RULE]
    return dict(finding)


def test_an_approval_lets_exactly_this_risk_through(moved: Workplace) -> None:
    """4.4: a risk is accepted by an approval in Git; used ones are named, with reason and place."""
    blocked = moved.run("plan", "--format", "json")
    assert blocked.code == 1
    assert risk(blocked)["severity"] == "error"
    approve(moved, entry())
    plan = moved.run("plan", "--format", "json")
    assert plan.code == 0, plan.output
    assert risk(plan)["severity"] == "warning"
    (approval,) = plan.document["approvals"]
    assert approval["status"] == "used"
    assert approval["reason"] == "Acme moved, CHG-1234"
    assert approval["source"] == {"filename": "approvals/acme.yaml", "line": 2, "column": 5}
    assert moved.run("apply", "--auto-approve").code == 0


@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "sarif", "json"])
def test_every_format_names_reason_place_and_date(moved: Workplace, form: str) -> None:
    """4.4: approvals that are used, expired or needless are named in the plan, in every format."""
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    approve(
        moved,
        entry(),
        entry(rule="private-host", reason="too late", until=yesterday),
        entry(rule="shared-client", reason="too much"),
    )
    out = moved.run("plan", "--format", form).out
    for text in ("CHG-1234", "approvals/acme.yaml", LATER, "too late", "too much"):
        assert text in out, (form, text)
    for code in ("approval-expired", "approval-not-needed"):
        assert code in out, (form, code)


def test_an_approval_of_what_is_live_is_not_called_needless(moved: Workplace) -> None:
    """4.4: what is live is looked at by the same rules; who removes the approval has drift again."""
    moved.write("reconciler.yaml", "version: 1\npolicies: {token-url-host-change: warn, secret-kept: warn}\n")
    moved.declare("acme", token_url="https://sso.corp/token")
    approve(moved, entry(rule="private-host"), entry(rule="endpoint-off-site"))
    moved.applied()
    runs = [moved.run(command, "--format", "json") for command in ("plan", "drift")]
    assert [run.code for run in runs] == [0, 0], runs[1].output
    for run in runs:
        assert "approval-not-needed" not in run.output
    approve(moved, entry(rule="endpoint-off-site"))
    drift = moved.run("drift")
    assert drift.code == 2
    assert "to accept what is live: add an approval of private-host at acme/sso" in drift.out


def test_another_connection_or_rule_is_not_approved(moved: Workplace) -> None:
    approve(moved, entry(address="acme/other"), entry(rule="private-host"))
    plan = moved.run("plan", "--format", "json")
    assert plan.code == 1
    assert {approval["status"] for approval in plan.document["approvals"]} == {"not-needed"}


def test_a_fingerprint_approves_one_finding_only(moved: Workplace) -> None:
    """4.4: `finding` is the fingerprint that the plan prints; another value is another finding."""
    fingerprint = risk(moved.run("plan", "--format", "json"))["fingerprint"]
    assert fingerprint in moved.run("plan").out
    approve(moved, entry(finding=fingerprint))
    assert moved.run("plan").code == 0
    moved.declare("acme", issuer="https://elsewhere.example.net/another")
    assert moved.run("plan").code == 1


def test_the_last_day_counts_and_the_next_does_not(moved: Workplace) -> None:
    """4.4: `until` is the last day (UTC)."""
    approve(moved, entry(until=TODAY.isoformat()))
    assert moved.run("plan").code == 0
    approve(moved, entry(until=(TODAY - timedelta(days=1)).isoformat()))
    run = moved.run("plan")
    assert run.code == 1
    assert "[approval-expired]" in run.out


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": None}, "missing-key"),
        ({"until": None}, "missing-key"),
        ({"reason": ""}, "empty-value"),
        ({"reason": "TODO, why and by which ticket"}, "approval-incomplete"),
        ({"reason": "todo"}, "approval-incomplete"),
        ({"until": "2027-02-30"}, "invalid-date"),
        ({"until": (TODAY + timedelta(days=181)).isoformat()}, "approval-too-long"),
        ({"rule": "issuer-host-chance"}, "unknown-policy"),
        ({"rule": "guard-lowered"}, "unknown-policy"),
        ({"address": None}, "approval-incomplete"),
        ({"address": "acme/*"}, "invalid-address"),
        ({"address": "acme"}, "invalid-address"),
        ({"deletes": 3}, "approval-incomplete"),
        ({"rule": None, "address": None}, "approval-incomplete"),
        ({"finding": "3f9c"}, "invalid-finding"),
        ({"where": "acme/sso"}, "unknown-key"),
    ],
)
def test_a_bad_approval_is_an_error_at_its_place_and_approves_nothing(
    moved: Workplace, fields: dict[str, Any], code: str
) -> None:
    """Issue, bad input: without reason or date, unknown rule, too long, with globs, incomplete."""
    approve(moved, entry(**fields))
    for words in (("plan", "--format", "json"), ("validate", "--format", "json")):
        run = moved.run(*words)
        assert run.code == 1
        (error,) = [error for error in run.document["diagnostics"] if error["severity"] == "error"]
        assert error["code"] == code
        assert error["range"]["filename"] == "approvals/acme.yaml"
        assert error["range"]["start"]["line"] == 2
    assert risk(moved.run("plan", "--format", "json"))["severity"] == "error"


def test_180_days_are_allowed(moved: Workplace) -> None:
    approve(moved, entry(until=(TODAY + timedelta(days=180)).isoformat()))
    assert moved.run("plan").code == 0


def test_an_approval_given_twice_is_an_error_that_names_both_places(moved: Workplace) -> None:
    approve(moved, entry())
    approve(moved, entry(reason="again"), name="more")
    run = moved.run("plan", "--format", "json")
    assert run.code == 1
    (error,) = [error for error in run.document["diagnostics"] if error["severity"] == "error"]
    assert error["code"] == "duplicate-approval"
    assert error["range"]["filename"] == "approvals/more.yaml"
    assert "approvals/acme.yaml:2:5" in error["detail"]


def test_an_address_that_nothing_declares_is_named(moved: Workplace) -> None:
    approve(moved, entry(), entry(address="acme/gone", reason="typo"))
    for words in (("plan", "--format", "json"), ("validate", "--format", "json")):
        run = moved.run(*words)
        assert run.code == 0, run.output
        (remark,) = [
            found for found in run.document["diagnostics"] if found["code"] == "approval-not-declared"
        ]
        assert remark["range"]["start"]["line"] == 3


def test_a_broken_file_of_approvals_approves_nothing_and_hides_no_plan(moved: Workplace) -> None:
    moved.write("approvals/acme.yaml", "approvals: [")
    run = moved.run("plan", "--format", "json")
    assert run.code == 1
    assert run.document["summary"]["change"] == 1
    assert run.document["diagnostics"][0]["range"]["filename"] == "approvals/acme.yaml"


def test_a_manifest_cannot_approve_itself(moved: Workplace) -> None:
    """4.4: approvals stand in a folder of their own."""
    manifest = json.loads((moved.root / "organizations/acme.yaml").read_text())
    moved.write("organizations/acme.yaml", json.dumps(manifest | {"approvals": [entry()]}))
    assert moved.run("plan").code == 1


def test_files_of_approvals_are_no_manifests(moved: Workplace) -> None:
    approve(moved, entry())
    assert moved.run("plan", ".").code == 0
    moved.write("reconciler.yaml", "organizations: ['**/*.yaml']\n")
    assert moved.run("validate").code == 0


# deletes


@pytest.fixture
def leaving(served: Workplace) -> Workplace:
    """Twelve organizations, ten of which have left: nine deletes more than the limits allow."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    for number in range(12):
        served.add_organization(f"customer{number}")
        served.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"hidden-value-{number}")
        served.declare(f"customer{number}")
    served.applied()
    for number in range(10):
        served.declare(f"customer{number}", state="absent")
    return served


def test_deletes_beyond_the_limits_are_approved_up_to_a_number(leaving: Workplace) -> None:
    """4.4: `deletes: N` is at most so many beyond the limits, for each plan until the date."""
    blocked = leaving.run("plan", "--format", "json")
    assert [block["code"] for block in blocked.document["blocks"]] == ["too-many-deletes"]
    approve(leaving, {"deletes": 7, "reason": "they left", "until": LATER})
    assert leaving.run("plan").code == 1
    approve(leaving, {"deletes": 8, "reason": "they left", "until": LATER})
    run = leaving.run("plan", "--format", "json")
    assert run.code == 0, run.output
    assert run.document["approvals"][0]["status"] == "used"
    assert "they left" in leaving.run("plan").out
    assert leaving.run("apply", "--auto-approve").code == 0


def test_a_saved_plan_is_judged_by_the_approvals_of_apply(leaving: Workplace) -> None:
    """Threats 1: apply judges limits by its own project file and approvals, not by the plan's."""
    approve(leaving, {"deletes": 8, "reason": "they left", "until": LATER})
    assert leaving.run("plan", "--out", "plan.json").code == 0
    (leaving.root / "approvals/acme.yaml").unlink()
    run = leaving.run("apply", "plan.json", "--any-inputs")
    assert run.code == 1
    assert "too-many-deletes" in run.output


# saved plans


def test_an_approval_stands_in_the_saved_plan_and_is_honoured(moved: Workplace) -> None:
    approve(moved, entry())
    assert moved.run("plan", "--out", "plan.json").code == 0
    shown = moved.run("show", "plan.json")
    assert shown.code == 0
    assert "CHG-1234" in shown.out
    assert moved.run("apply", "plan.json").code == 0
    assert moved.live("acme")[0]["issuer"] == "https://elsewhere.example.net"


def test_apply_judges_risks_by_its_own_approvals(moved: Workplace) -> None:
    """Threats 4: risks are judged again; an approval that only the plan knows is worth nothing."""
    approve(moved, entry())
    assert moved.run("plan", "--out", "plan.json").code == 0
    (moved.root / "approvals/acme.yaml").unlink()
    run = moved.run("apply", "plan.json", "--any-inputs")
    assert run.code == 1
    assert RULE in run.output
    assert moved.live("acme")[0]["issuer"] == "https://acme.example.com"


def test_apply_judges_risks_by_its_own_project_file(moved: Workplace) -> None:
    """Threats 1: seven rules `off` in the plan's project file do not count at apply."""
    strict = (moved.root / "reconciler.yaml").read_text()
    moved.write("reconciler.yaml", f"version: 1\npolicies: {{{RULE}: 'off', secret-kept: warn}}\n")
    assert moved.run("plan", "--out", "plan.json").code == 0
    moved.write("reconciler.yaml", strict)
    run = moved.run("apply", "plan.json", "--any-inputs")
    assert run.code == 1
    assert RULE in run.output
    assert moved.run("apply", "plan.json", "--any-inputs", "--accept-risk", f"{RULE}:acme/sso").code == 0


def test_limits_are_judged_by_the_project_file_of_apply(leaving: Workplace) -> None:
    """Threats 1: `limits` at 100000."""
    leaving.write("reconciler.yaml", "limits: {max_deletes: 100000, max_delete_percent: 100}\n")
    assert leaving.run("plan", "--out", "plan.json").code == 0
    leaving.write("reconciler.yaml", "version: 1\n")
    assert leaving.run("apply", "plan.json", "--any-inputs").code == 1


# selection


def test_changed_since_selects_organizations_whose_approvals_differ(moved: Workplace) -> None:
    """Product 3: organizations whose manifests or approvals differ from the revision."""
    moved.git("init", "--quiet", "--initial-branch", "main")
    moved.add_organization("globex")
    moved.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex-value")
    moved.declare("globex")
    moved.commit()
    approve(moved, entry())
    run = moved.run("plan", "--changed-since", "HEAD", "--format", "json")
    assert run.code == 0, run.output
    assert [change["address"] for change in run.document["resource_changes"]] == ["acme/sso"]
    assert run.document["approvals"][0]["status"] == "used"


@pytest.mark.parametrize("name", ["organization", "project", "approvals"])
def test_the_schema_is_exported(served: Workplace, name: str) -> None:
    assert served.run("schema", name).document["$schema"]


def test_what_a_plan_accepted_is_judged_again_when_it_is_applied(moved: Workplace) -> None:
    """4: an option of `plan` shows reviewers what is accepted; a saved plan accepts nothing by itself."""
    acceptance = ("--accept-risk", f"{RULE}:acme/sso")
    plan = moved.run("plan", "--out", "plan.json", "--format", "json", *acceptance)
    assert (plan.code, risk(plan)["severity"], plan.document["applyable"]) == (0, "warning", True)
    blocked = moved.run("apply", "plan.json")
    assert (blocked.code, RULE in blocked.err) == (1, True)
    assert moved.run("apply", "plan.json", *acceptance).code == 0


def test_accepting_a_risk_that_a_plan_does_not_have_is_an_error(moved: Workplace) -> None:
    run = moved.run("plan", "--accept-risk", f"{RULE}:globex/sso")
    assert (run.code, run.out) == (1, "")
    assert f"--accept-risk {RULE}:globex/sso matches no risk of this plan" in run.err
