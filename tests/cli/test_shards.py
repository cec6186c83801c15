"""Shards: the merged plans of four shards equal the plan of a single run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.core.run_selection import Shard

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

JOB = Path(__file__).parents[2] / "examples/kubernetes/shards.yaml"
COUNT = 4
SLUGS = tuple(f"org-{number:02}" for number in range(24))


@pytest.fixture
def estate(bare: Workplace, running: Any) -> Workplace:
    """Creates, updates, deletes, unmanaged ones, a refusal, risks and warnings, all over the shards."""
    bare.use(running)
    bare.write(
        "reconciler.yaml", "limits: {requests_per_second: 500, max_deletes: 100, max_delete_percent: 100}"
    )
    emulator = running.emulator
    emulator.set_switch("default-connection", "never")
    for number, slug in enumerate(SLUGS):
        bare.setenv(f"{slug.upper().replace('-', '_')}_CLIENT_SECRET", f"hidden-{slug}")
        if number % 3:
            declare(bare, slug)
        else:
            declare(bare, slug, custom_scopes="email groups openid")  # which is worth a warning
        if number == 7:
            continue  # declared, but there is no such organization: its shard is incomplete
        emulator.add_organization(slug)
    bare.run("apply", "--auto-approve", "-q")
    for number, slug in enumerate(SLUGS):
        if number != 7:
            meddle(bare, number, slug)
    return bare


def meddle(place: Workplace, number: int, slug: str) -> None:
    """Let something differ from what is declared."""
    emulator = place.emulator
    (live,) = place.live(slug)
    if number % 4 == 0:
        emulator.edit_connection(live["connection_id"], token_url=f"https://{slug}.example.com/moved")
    if number % 4 == 1:
        emulator.add_connection(slug, display_name="by hand")
    if number % 4 == 2 or number == 11:
        emulator.remove_connection(live["connection_id"])
    if number % 8 == 3:
        declare(place, slug, state="absent")


def declare(place: Workplace, slug: str, **fields: str) -> None:
    issuer = f"https://{slug}.example.com"
    urls = {
        name: f"{issuer}/{name}" for name in ("authorization_url", "token_url", "userinfo_url", "jwks_url")
    }
    secret = f"${{env:{slug.upper().replace('-', '_')}_CLIENT_SECRET}}"
    place.declare(slug, **({"client_secret": secret} | urls | fields))


def plan_all(place: Workplace) -> list[str]:
    files = [f"shard-{index}.json" for index in range(1, COUNT + 1)]
    for index, file in enumerate(files, start=1):
        place.run("plan", "--shard", f"{index}/{COUNT}", "--out", file)
    return files


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """A plan without what is different each time it is made."""
    text = re.sub(r"request-id-test-[0-9a-f-]{36}", "request-id", json.dumps(document))
    return {key: value for key, value in json.loads(text).items() if key not in {"timestamp", "digest"}}


def test_the_merged_plan_of_four_shards_is_the_whole_plan(estate: Workplace) -> None:
    whole = estate.run("plan", "--format", "json")
    merged = estate.run("show", "--merge", *reversed(plan_all(estate)), "--format", "json")
    assert comparable(merged.document) == comparable(whole.document)
    assert merged.code == whole.code == 1
    actions = {change["change"]["actions"][0] for change in merged.document["resource_changes"]}
    assert actions == {"create", "update", "delete"}
    assert merged.document["risks"]
    codes = set(merged.codes)
    assert {"missing-default-scopes", "organization-not-read", "already-deleted"} <= codes
    assert merged.document["unmanaged"]
    assert merged.document["summary"]["refused"] == 1


def test_every_shard_reads_its_own_organizations_and_no_other(estate: Workplace) -> None:
    for index in range(1, COUNT + 1):
        estate.emulator.request_log.clear()
        document = estate.run("plan", "--shard", f"{index}/{COUNT}", "--format", "json").document
        mine = {slug for slug in SLUGS if Shard(index, COUNT).holds(slug)}
        assert document["shard"]["index"] == index
        assert document["summary"]["organizations"] == len(mine)
        assert {change["organization"] for change in document["resource_changes"]} <= mine
        assert len(estate.emulator.request_log.of("list-connections")) <= len(mine)


def test_applying_every_shard_applies_everything_once(estate: Workplace) -> None:
    (estate.root / "organizations" / f"{SLUGS[7]}.yaml").unlink()
    for index in range(1, COUNT + 1):
        run = estate.run("apply", "--auto-approve", "--shard", f"{index}/{COUNT}", "-q")
        assert run.code == 0, run.output
    assert estate.run("plan", "--detailed-exitcode").code == 0
    creates = estate.emulator.request_log.of("create-oidc-connection")
    assert len(creates) == len(SLUGS) - 1 + len(SLUGS[2::4])


def test_the_plan_of_a_shard_can_be_applied_as_it_is(estate: Workplace) -> None:
    files = plan_all(estate)
    for file in files:
        estate.run("apply", file, "-q")
    (estate.root / "organizations" / f"{SLUGS[7]}.yaml").unlink()
    assert estate.run("plan", "--detailed-exitcode").code == 0


def test_a_merged_plan_is_a_plan_and_can_be_applied(estate: Workplace) -> None:
    (estate.root / "organizations" / f"{SLUGS[7]}.yaml").unlink()
    merged = estate.run("show", "--merge", *plan_all(estate), "--format", "json")
    estate.write("whole.json", merged.out)
    assert estate.run("apply", "whole.json", "-q").code == 0
    assert estate.run("plan", "--detailed-exitcode").code == 0


def test_a_missing_shard_makes_the_merged_plan_incomplete_and_blocks_it(estate: Workplace) -> None:
    files = plan_all(estate)
    merged = estate.run("show", "--merge", files[0], files[2], "--format", "json")
    assert merged.code == 1
    assert merged.document["complete"] is False
    assert merged.document["applyable"] is False
    assert "the plans of 2 of 4 shards are missing: 2, 4" in json.dumps(merged.document["blocks"])
    merged = estate.run("show", "--merge", files[0], files[2])
    assert "the plans of 2 of 4 shards are missing: 2, 4" in merged.out
    assert "No changes." not in merged.out


def test_a_duplicate_shard_is_refused(estate: Workplace) -> None:
    files = plan_all(estate)
    run = estate.run("show", "--merge", *files, files[1])
    assert run.code == 1
    assert "shard 2/4 is given twice" in run.err


def test_shards_of_different_counts_cannot_be_merged(estate: Workplace) -> None:
    files = plan_all(estate)
    estate.run("plan", "--shard", "1/3", "--out", "third.json")
    run = estate.run("show", "--merge", files[1], "third.json")
    assert run.code == 1
    assert "their numbers of shards differ: 3, 4" in run.err


def test_a_whole_plan_cannot_be_merged(estate: Workplace) -> None:
    estate.run("plan", "--out", "whole.json")
    run = estate.run("show", "--merge", "whole.json")
    assert run.code == 1
    assert "covers all organizations already" in run.err


def test_the_limits_on_deletes_count_for_the_merged_plan_too(estate: Workplace) -> None:
    """Each shard stays below the limit that all of them together exceed."""
    estate.write(
        "reconciler.yaml", "limits: {requests_per_second: 500, max_deletes: 1, max_delete_percent: 100}"
    )
    files = plan_all(estate)
    merged = estate.run("show", "--merge", *files, "--format", "json").document
    assert merged["summary"]["destroy"] == 2
    assert [block["code"] for block in merged["blocks"]] == ["too-many-deletes"]
    assert merged["applyable"] is False


def test_an_organization_declared_twice_under_two_names_is_found_when_merging(estate: Workplace) -> None:
    slug = SLUGS[2]
    organization_id = estate.emulator.organization(slug)["organization_id"]
    text = (estate.root / "organizations" / f"{slug}.yaml").read_text().replace(slug, organization_id, 1)
    estate.write("organizations/again.yaml", text.replace('"sso"', '"other"'))
    apart = next(n for n in range(2, 9) if Shard(1, n).holds(slug) != Shard(1, n).holds(organization_id))
    files = [f"part-{index}.json" for index in range(1, apart + 1)]
    for index, file in enumerate(files, start=1):
        estate.run("plan", "--shard", f"{index}/{apart}", "--out", file)
    run = estate.run("show", "--merge", *files)
    assert run.code == 1
    assert f"{organization_id} is declared as" in run.err


def test_drift_of_a_shard_covers_its_own_organizations(estate: Workplace) -> None:
    estate.run("drift", "--output", "json=before.json", "-q")
    (estate.root / "organizations" / f"{SLUGS[7]}.yaml").unlink()
    run = estate.run("drift", "--shard", f"2/{COUNT}", "--previous", "before.json", "--format", "json")
    mine = {slug for slug in SLUGS if Shard(2, COUNT).holds(slug)}
    found = {
        finding["organization"] for finding in run.document["findings"] if finding["standing"] == "known"
    }
    assert found
    assert found <= mine
    assert run.document["summary"]["resolved"] == 0


def test_auto_takes_the_index_of_the_job(estate: Workplace) -> None:
    estate.setenv("JOB_COMPLETION_INDEX", "2")
    document = estate.run("plan", "--shard", f"auto/{COUNT}", "--format", "json").document
    assert (document["shard"]["index"], document["shard"]["count"]) == (3, COUNT)


def test_the_pods_of_the_kubernetes_example_apply_everything_once(estate: Workplace) -> None:
    (estate.root / "organizations" / f"{SLUGS[7]}.yaml").unlink()
    job = yaml.safe_load(JOB.read_text(encoding="utf-8"))["spec"]
    (container,) = job["template"]["spec"]["containers"]
    for index in range(job["completions"]):
        estate.setenv("JOB_COMPLETION_INDEX", str(index))
        run = estate.run(*container["args"])
        assert run.code == 0, run.output
    assert estate.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("5/4", "there is no shard 5 of 4"),
        ("0/4", "there is no shard 0 of 4"),
        ("2", "must have the form I/N"),
        ("two/4", "must have the form I/N"),
        ("2/4x", "must have the form I/N"),
        ("auto/4", "JOB_COMPLETION_INDEX"),
    ],
)
def test_an_invalid_shard_is_refused(place: Workplace, words: str, message: str) -> None:
    run = place.run("plan", "--shard", words)
    assert run.code == 1
    assert message in run.err
    assert list(place.emulator.request_log) == []


def test_a_saved_plan_of_a_shard_takes_no_shard_option(estate: Workplace) -> None:
    estate.run("plan", "--shard", f"1/{COUNT}", "--out", "one.json")
    run = estate.run("apply", "one.json", "--shard", f"2/{COUNT}")
    assert run.code == 1
    assert "--shard" in run.err


def test_the_plan_of_a_shard_names_the_shard(estate: Workplace) -> None:
    run = estate.run("plan", "--shard", f"1/{COUNT}")
    assert f"Shard 1/{COUNT}: the organizations of other shards are not in this plan." in run.out


def test_several_plans_without_merge_are_refused(estate: Workplace) -> None:
    run = estate.run("show", *plan_all(estate))
    assert run.code == 1
    assert "--merge" in run.err
