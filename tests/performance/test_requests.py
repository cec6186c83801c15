"""How many requests a plan and an apply send, how many of them write, and how many are refused."""

import sys
from pathlib import Path

import pytest

from benchmarks.estate import Estate, environment_for, organization_id, write_estate, write_project
from benchmarks.measure import Counted, cost_of, service
from benchmarks.scenarios import necessary_requests

pytestmark = pytest.mark.usefixtures("unmeasured")

ORGANIZATIONS = 120


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return write_estate(tmp_path, ORGANIZATIONS)


def counted(
    estate: Estate, words: list[str], *options: str, rate: float = 100_000.0, code: int = 0
) -> Counted:
    """Run a command, and return what it asked the service."""
    with service(estate.organizations, "--latency", "0.001", *options) as api:
        write_project(estate.folder, requests_per_second=rate)
        cost_of(
            [sys.executable, "-m", "reconciler", *words],
            estate.folder,
            environment_for(api.base_url),
            codes=(code,),
        )
        return api.counted()


def test_a_plan_lists_each_organization_once_and_searches_once_for_many(estate: Estate) -> None:
    requests = counted(estate, ["plan", "--detailed-exitcode"])
    assert requests.counts == {"list": ORGANIZATIONS, "search": 1}
    assert requests.accepted <= ORGANIZATIONS + ORGANIZATIONS / 1000 + 3


APPROVED = {"plan": (), "apply": ("--auto-approve",), "drift": ()}


@pytest.mark.parametrize("verb", APPROVED)
def test_an_organization_whose_manifest_is_wrong_costs_no_request(estate: Estate, verb: str) -> None:
    last = estate.manifests[-1]
    last.write_text(last.read_text(encoding="utf-8") + "unknown: {}\n", encoding="utf-8")
    requests = counted(estate, [verb, *APPROVED[verb]], code=1)
    assert (requests.counts["list"], requests.writes) == (ORGANIZATIONS - 1, 0)


@pytest.mark.parametrize("verb", APPROVED)
def test_an_organization_whose_secret_is_missing_costs_no_request(estate: Estate, verb: str) -> None:
    last = estate.manifests[-1]
    text = last.read_text(encoding="utf-8")
    assert "${env:" in text
    last.write_text(text.replace("${env:", "${env:NOT_SET_"), encoding="utf-8")
    requests = counted(estate, [verb, *APPROVED[verb]], code=1)
    assert (requests.counts["list"], requests.writes) == (ORGANIZATIONS - 1, 0)


def test_no_request_is_sent_if_a_target_matches_nothing(estate: Estate) -> None:
    requests = counted(estate, ["plan", "--target", "nobody/okta"], code=1)
    assert requests.accepted == 0


def test_a_plan_of_one_target_is_two_requests(estate: Estate) -> None:
    requests = counted(estate, ["plan", "--target", f"{organization_id(7)}/*"])
    assert requests.accepted == 2


@pytest.mark.parametrize("count", [1, 1_001])
def test_organizations_are_searched_for_a_thousand_at_a_time(tmp_path: Path, count: int) -> None:
    requests = counted(write_estate(tmp_path, count), ["plan"])
    assert requests.counts["list"] == count
    assert requests.counts.get("search", 0) == (count // 1_001 + 1 if count > 1 else 0)
    assert requests.accepted <= count + count / 1_000 + 3


def test_a_plan_of_one_file_is_two_requests(estate: Estate) -> None:
    requests = counted(estate, ["plan", str(estate.manifests[7])])
    assert requests.accepted == 2


def test_an_apply_writes_nothing_where_nothing_differs(estate: Estate) -> None:
    requests = counted(estate, ["apply", "--auto-approve"])
    assert requests.writes == 0
    assert requests.accepted == ORGANIZATIONS + 1


def test_creating_takes_the_requests_that_the_promises_need_and_no_others(tmp_path: Path) -> None:
    estate = write_estate(tmp_path, 8)
    requests = counted(estate, ["apply", "--auto-approve"], "--empty")
    assert requests.accepted == necessary_requests(estate)
    assert (requests.counts["POST"], requests.counts["PUT"]) == (estate.connections, estate.connections)
    assert requests.refused == 0


def test_a_limit_that_is_kept_is_not_run_into(tmp_path: Path) -> None:
    """The pace stays a little below the limit, since the service counts by its own clock."""
    estate = write_estate(tmp_path, 10)
    requests = counted(estate, ["apply", "--auto-approve"], "--empty", "--rate", "100", rate=100)
    assert requests.refused <= 0.01 * requests.accepted
