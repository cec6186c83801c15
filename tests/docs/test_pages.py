"""The documentation says what the program does, because it is executed."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import yaml

from reconciler.cli.commands import VERBS
from reconciler.emulator import read_seed
from tests.cli.estates import ROOT, quickstart_secrets
from tests.cli.workplace import Ended
from tests.docs.generators import generate
from tests.docs.pages import PAGES, blocks, generated, links, names_of_generated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.cli.workplace import Workplace

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

_CHANGING = (
    (re.compile(r"-test-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "-test-ID"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:PORT"),
    (re.compile(r"after \d+s"), "after 0s"),
)
_EDITS = {"globex": {"token_url": "https://login.globex-sso.example/token"}}


@every_page
def test_what_is_generated_is_up_to_date(page: Path, matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(generated(page, generate), page)


def test_every_command_and_every_part_of_the_formats_is_documented() -> None:
    named = {name for page in PAGES for name in names_of_generated(page)}
    assert {f"help {verb}" for verb in VERBS} <= named
    assert {
        "keys organization",
        "keys organization ConnectionManifest",
        "keys organization LifecycleManifest",
    } <= named
    assert {"keys project", "keys project TargetManifest", "keys project LimitsManifest"} <= named


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / unquote(path)) if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


@every_page
def test_manifests_and_project_files_are_valid(page: Path, bare: Workplace) -> None:
    for block in blocks(page, "yaml"):
        document = next(iter(yaml.safe_load_all(block.text)))
        if "jobs" in document or "steps" in document:
            continue
        shutil.rmtree(bare.root)
        bare.root.mkdir()
        is_project = not document.keys() & {"organization", "connections"}
        bare.declare("acme", client_secret="${env:ACME_CLIENT_SECRET}")
        bare.write("reconciler.yaml" if is_project else "organizations/acme.yaml", block.text)
        if "var:" in block.text and not is_project:
            bare.write("reconciler.yaml", "vars: {tenant: acme}")
        ended = bare.run(
            "-C", str(bare.root), "validate", *([] if is_project else ["organizations/acme.yaml"])
        )
        assert ended.code == 0, f"{page}:{block.line}: {ended.said}"


@every_page
def test_commands_do_and_print_what_the_page_says(
    page: Path, bare: Workplace, running: RunningEmulator
) -> None:
    """All commands of a page are run in their order, in the example project, beside an emulator."""
    told = blocks(page, "console")
    if not told:
        return
    bare.use(running)
    shutil.copytree(ROOT / "examples/quickstart", bare.root, dirs_exist_ok=True)
    project = bare.root / "reconciler.yaml"
    idp = f"{running.base_url}/idp/initech"
    project.write_text(project.read_text().replace("https://sso.initech.example", idp))
    running.emulator.seed(read_seed(bare.root / "emulator.yaml"))
    for name in quickstart_secrets(bare.root):
        bare.setenv(name, f"hidden {name}")
    for block in told:
        for command, expected in steps(block.text):
            ended = perform(command, bare)
            assert expected_is_met(expected, ended), f"{page.name}:{block.line}: {command}\n{ended.said}"


def steps(text: str) -> list[tuple[str, str]]:
    """Each ``$ command`` with the lines that follow it."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not parts[0], "a console block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def perform(command: str, place: Workplace) -> Ended:
    words = shlex.split(command, comments=True)
    assert words[0] == "reconciler", f"only the command itself can be shown to work, not {words[0]}"
    ended = place.run(*words[1:])
    told = re.search(r"# exit code (\d+)", command)
    assert ended.code == (int(told[1]) if told else 0), ended.said
    if "# then somebody edits globex" in command:
        (connection,) = place.live("globex")
        place.emulator.edit_connection(connection["connection_id"], **_EDITS["globex"])
    return ended


def expected_is_met(expected: str, ended: Ended) -> bool:
    """A line of three dots stands for any lines; ids and ports are what they happen to be."""
    expected = "\n" + expected.rstrip("\n")
    pieces = [re.escape(steady(piece)) for piece in re.split(r"\n\.\.\.(?=\n|$)", expected)]
    wanted = re.compile(r"(?:\n.*)*?".join(pieces))
    return any(wanted.fullmatch("\n" + steady(text).rstrip("\n")) for text in (ended.out, ended.err))


def steady(text: str) -> str:
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize(
    ("expected", "out", "is_met"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n...\n", "a\nb\nc\n", True),
        ("...\nc\n", "a\nb\nc\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("a\n", "a\nb\n", False),
        ("a\nc\n", "a\nb\nc\n", False),
        ("a\n...\nb\n", "a\nb\nc\n", False),
        ("a.\n", "ab\n", False),
    ],
)
def test_a_page_that_says_something_else_is_found_out(expected: str, out: str, is_met: bool) -> None:
    assert expected_is_met(expected, Ended(0, out, "")) is is_met
