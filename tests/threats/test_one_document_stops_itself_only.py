"""One document cannot stop the estate: malformed hosts, defects in rules, and floods of findings."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reconciler
from reconciler.http.urls import is_loopback, parse_url, split_url

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

MALFORMED_HOSTS = ("[1]", "[::1", "[1.2.3.4]", "[::g]", "[1:2:3:4:5:6:7:8:9]", "[::1::]", "[:]", "[....]")
ADDRESSES = ("[::1]", "[2001:db8::1]", "[1:2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]", "[2001:db8::]", "[::]")
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
    assert splitting == {"http/urls.py", "emulator/urls.py"}


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
