"""One document cannot stop the estate: malformed hosts, defects in rules, and floods of findings."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

import reconciler
from reconciler.core.errors import InvalidConfiguration
from reconciler.http.urls import is_loopback, parse_url, split_url
from reconciler.manifests import ReadLimits, load_manifests, load_project
from reconciler.policies.rule import Rule
from reconciler.policies.rules import RULES

if TYPE_CHECKING:
    from types import FrameType

    from reconciler.core.change import Change
    from reconciler.policies.estate import Estate
    from reconciler.policies.rule import Clause
    from tests.support.workplace import Workplace

MALFORMED_HOSTS = ("[1]", "[::1", "[1.2.3.4]", "[::g]", "[1:2:3:4:5:6:7:8:9]", "[::1::]", "[:]", "[....]")
ADDRESSES = ("[::1]", "[2001:db8::1]", "[1:2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]", "[2001:db8::]", "[::]")
MAX_FINDINGS = ReadLimits().max_findings
MAX_ALL_FINDINGS = ReadLimits().max_all_findings
FIELDS = ("issuer", "authorization_url", "token_url", "userinfo_url", "jwks_url")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("host", MALFORMED_HOSTS)
def test_a_malformed_host_is_found_by_validate(place: Workplace, field: str, host: str) -> None:
    place.declare("acme", **{field: f"https://{host}/"})
    run = place.run("validate", "--format", "json")
    assert run.code == 1
    assert run.codes == ["invalid-url"]
    assert "malformed host" in run.document["diagnostics"][0]["summary"]


@pytest.mark.parametrize("host", ADDRESSES)
def test_an_address_in_brackets_is_a_host(place: Workplace, host: str) -> None:
    place.declare("acme", issuer=f"https://{host}/")
    assert place.run("validate").code == 0


def test_a_malformed_base_url_is_found(place: Workplace) -> None:
    place.write("reconciler.yaml", "target: {base_url: 'https://[1]/'}\n")
    run = place.run("plan", "--format", "json")
    assert run.codes == ["invalid-url"]


@pytest.mark.parametrize(
    "url", ["https://[1]/", "https://[", "//[::1", "https://a:x/", "https://\u2100.example/"]
)
def test_no_text_makes_the_reading_of_urls_fail(url: str) -> None:
    parse_url(url)
    assert split_url(url) is None


def test_urls_are_split_in_one_module_only() -> None:
    """The emulator shares no code with the product, and has one module of its own."""
    root = Path(reconciler.__file__).parent
    splitting = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import | ast.Attribute | ast.Name)
        and {"urlsplit", "urlparse", "urllib.parse.urlsplit", "urllib.parse.urlparse"} & _names(node)
    }
    assert splitting == {"http/urls.py", "emulator/connection_fields.py"}


def _names(node: ast.AST) -> set[str]:
    match node:
        case ast.ImportFrom() | ast.Import():
            return {alias.name for alias in node.names}
        case ast.Attribute():
            return {node.attr}
        case ast.Name():
            return {node.id}
        case _:
            return set()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("api.localhost", False),
     ("localhost.example", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_loopback_means_one_thing_everywhere(host: str, expected: bool) -> None:
    """A name below localhost may be answered by any resolver (RFC 6761 only asks them not to)."""
    assert is_loopback(host) is expected
    modules = [
        file
        for file in Path(reconciler.__file__).parent.rglob("*.py")
        if "emulator" not in file.parts and "def is_loopback" in file.read_text(encoding="utf-8")
    ]
    assert [file.name for file in modules] == ["urls.py"]
    assert modules[0].parent.name == "http"


def _broken_rule(change: Change) -> NoReturn:
    raise ZeroDivisionError(f"a defect at {change.address}")


def _breaks_for(organization: str) -> Rule:
    def find(change: Change, _: Estate) -> tuple[Clause, ...]:
        return _broken_rule(change) if change.address.organization == organization else ()

    return Rule(id="issuer-host-change", find=find, why="")


def test_a_defect_in_a_rule_refuses_that_organization_only(
    served: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.add_organization("globex")
    served.declare("globex", client_secret="${env:ACME_CLIENT_SECRET}")
    module = import_module("reconciler.policies.assess")
    monkeypatch.setattr(module, "RULES", (_breaks_for("globex"), *RULES))
    run = served.run("plan", "--format", "json", "--out", "plan.json")
    assert run.code == 1
    assert [change["address"] for change in run.document["resource_changes"]] == ["acme/sso"]
    assert run.codes == ["rule-failed"]
    (diagnostic,) = run.document["diagnostics"]
    assert diagnostic["address"] == "globex/sso"
    assert "issuer-host-change" in diagnostic["summary"]
    summary = run.document["summary"]
    assert (summary["add"], summary["refused"]) == (1, 1)
    assert not run.document["complete"]
    assert "Traceback" not in run.output
    assert served.run("apply", "--auto-approve").code == 1
    assert [len(served.live(slug)) for slug in ("acme", "globex")] == [1, 0]


def test_the_findings_of_many_files_are_bounded(place: Workplace) -> None:
    for number in range(40):
        keys = "".join(f"key{index}: x\n" for index in range(600))
        place.write(f"organizations/{number}.yaml", f"organization: acme{number}\n{keys}")
    run = place.run("validate", "--format", "json")
    assert run.code == 1
    counts = Counter(run.codes)
    assert counts["unknown-key"] <= MAX_ALL_FINDINGS
    assert sum(counts.values()) == MAX_ALL_FINDINGS + 1
    last = run.document["diagnostics"][-1]
    assert last["code"] == "too-many-findings"
    assert "in all" in last["summary"]


def test_what_is_not_shown_is_not_worked_out(place: Workplace) -> None:
    """Suggestions for 60,000 unknown keys took a second a file."""
    keys = "".join(f"key{index}: x\n" for index in range(60_000))
    file = place.write("organizations/acme.yaml", f"organization: acme\n{keys}")
    project = load_project(None, place.root)
    calls = []

    def trace(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "get_close_matches":
            calls.append(frame)

    sys.setprofile(trace)
    try:
        loaded = load_manifests([file], project, {})
    finally:
        sys.setprofile(None)
    assert loaded.has_errors
    assert len(calls) <= MAX_FINDINGS + 1


def test_files_are_read_within_closer_limits_once_no_more_findings_are_shown(place: Workplace) -> None:
    """60,000 unknown keys in each of 40 files: reading is linear in the bytes, half a second a file."""
    keys = "".join(f"k{index}: x\n" for index in range(60_000))
    for number in range(10):
        place.write(f"organizations/a{number}.yaml", f"organization: acme{number}\n{keys}")
    block = "{issuer: 'https://x.example.com', client_id: x, client_secret: '${env:X_CLIENT_SECRET}'}"
    blocks = "".join(f"  c{number}: {block}\n" for number in range(500))
    place.write("organizations/z.yaml", f"organization: zulu\nconnections:\n{blocks}")
    loaded = load_manifests((), load_project(None, place.root), {})
    counts = Counter(diagnostic.code for file in loaded.files for diagnostic in file.diagnostics)
    spent = MAX_ALL_FINDINGS // (MAX_FINDINGS + 1) + 1
    assert counts["too-many-nodes"] >= 10 - spent
    assert [organization.reference for organization in loaded.state.organizations] == ["acme", "zulu"]


def bounded(place: Workplace, **limits: int) -> list[str]:
    """Load the manifests with lower limits; return the codes of the diagnostics."""
    project = replace(load_project(None, place.root), read_limits=ReadLimits(**limits))
    return [diagnostic.code for diagnostic in load_manifests((), project, {}).diagnostics]


def test_the_files_of_a_run_are_bounded_in_number(place: Workplace) -> None:
    for number in range(4):
        place.write(f"organizations/{number}.yaml", f"organization: acme{number}\n")
    with pytest.raises(InvalidConfiguration, match="more than 3 manifests"):
        bounded(place, max_files=3)
    assert bounded(place, max_files=5) == []


def test_the_files_of_a_run_are_bounded_in_size(place: Workplace) -> None:
    for number in range(4):
        place.write(f"organizations/{number}.yaml", f"organization: acme{number}\n# {'x' * 1000}\n")
    with pytest.raises(InvalidConfiguration, match="more than 3,000 bytes in all"):
        bounded(place, max_total_bytes=3_000)
    assert bounded(place, max_total_bytes=10_000) == []


def test_each_of_many_broken_files_still_says_that_it_is_broken(place: Workplace) -> None:
    """What is not shown still counts: no file passes for being right."""
    count = MAX_ALL_FINDINGS // MAX_FINDINGS + 3
    for number in range(count):
        keys = "".join(f"key{index}: x\n" for index in range(MAX_FINDINGS))
        place.write(f"organizations/{number}.yaml", f"organization: acme{number}\n{keys}")
    loaded = load_manifests((), load_project(None, place.root), {})
    broken = [file for file in loaded.files if any(finding.is_error for finding in file.diagnostics)]
    assert len(broken) == count
    assert len(loaded.diagnostics) == MAX_ALL_FINDINGS + 1
