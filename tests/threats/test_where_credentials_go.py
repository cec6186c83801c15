"""Credentials go to the service's own hosts, or where the environment that holds them says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal
from tests.support.workplace import NO_CHANGES, NOT_COMPARED
from tests.threats.conftest import CANARY, PROJECT_ID

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

COMMANDS = (
    ("plan", "--format", "json"),
    ("plan", "--no-secrets", "--format", "json"),
    ("apply", "--auto-approve", "--format", "json"),
    ("drift", "--format", "json"),
    ("import", "--all", "--format", "json"),
    ("pin", "--format", "json"),
)
PLAN = COMMANDS[0]
ELSEWHERE = (
    "https://attacker.example",
    "https://api.stytch.com.evil.example",
    "https://evil-api.stytch.com",
    "https://stytch.com",
    "https://test.stytch.com.",
    "https://test.stytch.com:444",
    "https://test.stytch.com:443",
    "https://TEST.stytch.com",
    "https://xn--tst-qdd.stytch.com",
    "https://203.0.113.7",
    "https://[2001:db8::1]",
    "https://localhost",
    "http://localhost:8080",
    "http://127.0.0.1:8080",
    "http://[::1]:8080",
)
MALFORMED = (
    "https://user@test.stytch.com",
    "https://test.stytch.com@evil.example",
    "https://t\u0435st.stytch.com",
    "https://test.stytch.com。evil.example",
    "https://test.stytch.com\\\\@evil.example",
    "https://test.stytch.com/../..",
    "https://test.stytch.com?@evil.example",
    "https://test.stytch.com#@evil.example",
    "http://test.stytch.com",
    "https://test.stytch.com:",
    " https://test.stytch.com",
)


def aim(place: Workplace, base_url: str) -> None:
    place.write(
        "reconciler.yaml", f'limits: {{requests_per_second: 500}}\ntarget:\n  base_url: "{base_url}"\n'
    )


def assert_refused(run: CompletedRun, network: list[object], *codes: str) -> None:
    assert run.code == 1
    assert run.codes == list(codes)
    assert network == []
    assert CANARY not in run.output


@pytest.mark.parametrize("base_url", ELSEWHERE)
def test_another_host_is_refused_before_anything_is_asked_or_resolved(
    place: Workplace, network: list[object], base_url: str
) -> None:
    aim(place, base_url)
    run = place.run(*PLAN)
    assert_refused(run, network, "target-host-not-allowed")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_refuses_another_host(
    place: Workplace, network: list[object], words: tuple[str, ...]
) -> None:
    aim(place, "https://attacker.example")
    assert_refused(place.run(*words), network, "target-host-not-allowed")


@pytest.mark.parametrize("base_url", MALFORMED)
def test_an_address_in_disguise_is_malformed(place: Workplace, network: list[object], base_url: str) -> None:
    aim(place, base_url)
    run = place.run(*PLAN)
    assert run.code == 1
    assert network == []
    assert CANARY not in run.output


def test_the_refusal_says_what_where_and_what_to_do(place: Workplace, network: list[object]) -> None:
    aim(place, "https://attacker.example:8443")
    (diagnostic,) = place.run(*PLAN).document["diagnostics"]
    assert "attacker.example:8443" in diagnostic["summary"]
    assert "STYTCH_BASE_URL=https://attacker.example:8443" in diagnostic["hint"]
    assert "RECONCILER_ALLOWED_HOSTS=attacker.example:8443" in diagnostic["hint"]
    assert diagnostic["range"]["filename"] == "reconciler.yaml"
    assert (diagnostic["range"]["start"]["line"], diagnostic["range"]["start"]["column"]) == (3, 3)


def test_a_member_session_is_not_sent_there_either(bare: Workplace, network: list[object]) -> None:
    bare.declare("acme")
    aim(bare, "https://attacker.example")
    bare.setenv("STYTCH_PUBLIC_TOKEN", "public-token-test-1")
    bare.setenv("STYTCH_SESSION_TOKEN", CANARY)
    assert_refused(bare.run(*PLAN), network, "target-host-not-allowed")


def test_a_saved_plan_is_not_applied_there(served: Workplace, network: list[object]) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", "")
    served.write("plan.json", "{}")
    aim(served, "https://attacker.example")
    served.delenv("STYTCH_BASE_URL")
    run = served.run("apply", "plan.json", "--format", "json")
    assert_refused(run, network, "target-host-not-allowed")


def test_a_server_that_answers_like_the_api_is_asked_nothing(served: Workplace) -> None:
    aim(served, served.base_url)
    run = served.run(*PLAN)
    assert (run.code, run.codes) == (1, ["target-host-not-allowed"])
    assert not list(served.emulator.request_log)


def test_no_secret_is_read_for_a_refused_host(place: Workplace, network: list[object]) -> None:
    aim(place, "https://attacker.example")
    place.delenv("STYTCH_SECRET")
    assert_refused(place.run(*PLAN), network, "target-host-not-allowed")


def test_the_environment_names_the_same_address(served: Workplace) -> None:
    aim(served, f"{served.base_url}/")
    served.setenv("STYTCH_BASE_URL", served.base_url)
    assert served.run(*PLAN).code == 0


def test_the_environment_allows_the_host(served: Workplace) -> None:
    aim(served, served.base_url)
    served.setenv("RECONCILER_ALLOWED_HOSTS", f"login.example.com, {host_of(served)},")
    assert served.run(*PLAN).code == 0


@pytest.mark.parametrize(
    "allowed",
    ["", "127.0.0.1", "127.0.0.1:1", "*", "*:*", "127.0.0.*", "http://127.0.0.1", "localhost", "127.0.0.1:"],
)
def test_an_entry_allows_exactly_its_host_and_port(served: Workplace, allowed: str) -> None:
    aim(served, served.base_url)
    served.setenv("RECONCILER_ALLOWED_HOSTS", allowed)
    assert served.run(*PLAN).codes == ["target-host-not-allowed"]
    assert not list(served.emulator.request_log)


def test_an_allowed_host_does_not_allow_hosts_that_end_like_it(
    place: Workplace, network: list[object]
) -> None:
    aim(place, "https://evil.login.example.com")
    place.setenv("RECONCILER_ALLOWED_HOSTS", "login.example.com")
    assert_refused(place.run(*PLAN), network, "target-host-not-allowed")


@pytest.mark.parametrize(
    ("declared", "environment"),
    [
        ("https://attacker.example", "http://127.0.0.1:8080"),
        ("https://test.stytch.com", "http://127.0.0.1:8080"),
        ("https://api.stytch.com", "https://login.example.com"),
        ("https://login.example.com", "https://test.stytch.com"),
    ],
)
@pytest.mark.parametrize("allowed", ["", "attacker.example,login.example.com"])
def test_environment_and_project_file_have_to_agree(
    place: Workplace, network: list[object], declared: str, environment: str, allowed: str
) -> None:
    aim(place, declared)
    place.setenv("STYTCH_BASE_URL", environment)
    place.setenv("RECONCILER_ALLOWED_HOSTS", allowed)
    assert_refused(place.run(*PLAN), network, "target-host-conflict")


def test_the_environment_alone_is_enough(served: Workplace) -> None:
    served.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    served.setenv("STYTCH_BASE_URL", served.base_url)
    assert served.run(*PLAN).code == 0


def test_validate_needs_no_permission(place: Workplace, network: list[object]) -> None:
    """It sends nothing, and fork pull requests have no environment."""
    aim(place, "https://login.example.com")
    assert place.run("validate").code == 0
    assert network == []


def host_of(place: Workplace) -> str:
    return place.base_url.removeprefix("http://")


@pytest.fixture
def named(served: Workplace) -> Workplace:
    """The environment names the emulator."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    return served


def test_a_plan_says_first_where_it_goes(named: Workplace) -> None:
    headline = f"Project {PROJECT_ID} (test) at {host_of(named)}"
    assert named.run("plan", "--out", "plan.json").out.splitlines()[:2] == [headline, ""]
    assert named.run("show", "plan.json").out.startswith(f"{headline}\n\n")
    apply = named.run("apply", "--auto-approve")
    assert apply.out.startswith(f"{headline}\n\n")
    assert named.run("plan").out == f"{headline}\n\n{NO_CHANGES}\n{NOT_COMPARED}\n"


def test_markdown_and_html_say_first_where_it_goes(named: Workplace) -> None:
    markdown = named.run("plan", "--format", "markdown").out
    assert markdown.startswith(f"### 🧪 test · project `{PROJECT_ID}` at `{host_of(named)}`\n\n**")
    html = named.run("plan", "--format", "html").out
    header, _, rest = html.partition("<body>")[2].partition("</header>")
    words = " ".join(re.sub(r"<[^>]+>", " ", header).split())
    assert words.startswith(f"test {PROJECT_ID} Plan of the project at {host_of(named)} ")
    assert "<h1>" not in rest


def test_a_drift_issue_says_first_where_it_looked(named: Workplace) -> None:
    markdown = named.run("drift", "--format", "markdown").out
    assert markdown.startswith(f"### 🧪 test · project `{PROJECT_ID}` at `{host_of(named)}`\n\n**")


def test_the_prompt_says_where_it_goes(named: Workplace) -> None:
    with terminal(named, "apply") as session:
        session.wait_for("Only 'yes' will be accepted to approve.")
        session.type("no\n")
        session.end()
    question = session.screen.partition("Do you want to perform these actions?")[2]
    assert f"in project {PROJECT_ID} (test) at {host_of(named)}" in question
