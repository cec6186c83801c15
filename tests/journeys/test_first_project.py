"""The tutorial, typed into two terminals: what their screens show is what the page says, at any width."""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, blocks
from tests.journeys.test_readme import commands
from tests.support.terminal import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.terminal import Terminal

PAGE = ROOT / "docs/tutorial/first-project.md"
PORT = "8080"
SERVER = "reconciler emulator"
INSTALLED_AT = 80
INSTALLING = ("python3 -m venv", "pip install")
QUESTION = "Enter a value:"
CHANGING = (
    (re.compile(r"(?<=-test-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"after\d+s"), "after0s"),
)


def squeeze(text: str) -> str:
    """Return the text without blanks and line ends, which differ by the width of the screen, and ids."""
    text = "".join(text.split()).replace("│", "")
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text


def shows(screen: str, expected: str) -> bool:
    """Say whether a screen shows a text of the page, in which a line of three dots stands for any lines."""
    pieces = re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)
    return (
        re.fullmatch(".*?".join(re.escape(squeeze(piece)) for piece in pieces), squeeze(screen)) is not None
    )


def free_port() -> str:
    """Return a port for the emulator of the page: others may run on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def opened(folder: Path, columns: int) -> Iterator[Terminal]:
    """Open a terminal as a person has it; the package and all that it needs are installed already."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join([*packages, str(ROOT)]),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "VIRTUAL_ENV_DISABLE_PROMPT": "1",
    }
    with shell(folder, environment, columns=columns) as session:
        yield session


@pytest.mark.parametrize(
    "columns", [pytest.param(60, marks=pytest.mark.proofs), 80, pytest.param(120, marks=pytest.mark.proofs)]
)
def test_the_screens_show_what_the_tutorial_says(tmp_path: Path, columns: int) -> None:
    """The virtual environment is created at one width only: it shows nothing, and takes most of the time."""
    if columns != INSTALLED_AT:
        activate = tmp_path / ".venv/bin/activate"
        activate.parent.mkdir(parents=True)
        activate.touch()
    port = free_port()
    with opened(tmp_path, columns) as first, opened(tmp_path, columns) as second:
        session = first
        for block in blocks(PAGE):
            text = block.text.replace(f":{PORT}", f":{port}")
            if block.language == "yaml":
                (file,) = re.findall(r"^# ([\w/.-]+)\n", text)
                path = tmp_path / "sso" / file
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
                continue
            for command, expected in commands(block, text):
                if columns != INSTALLED_AT and command.startswith(INSTALLING):
                    continue
                if command.startswith(SERVER):
                    start_server(first, f"{command} --port {port}", expected)
                    session = second
                else:
                    check(session, command, expected)
        stop_server(first)


def start_server(session: Terminal, command: str, expected: str) -> None:
    """Type the command that runs until it is stopped, and check what it shows meanwhile."""
    session.type(f"{command}\n")
    session.wait_until_shown("Or, with a member session")
    shown = session.text.rpartition(f"--port {command.rpartition(' ')[2]}")[2]
    assert shows(shown, expected), shown


def stop_server(session: Terminal) -> None:
    """Press Ctrl-C, as the page says in the end; the next prompt follows."""
    before = len(session.text.splitlines())
    session.type("\x03")
    session.wait_until_shown("$", after=before - 1)
    assert session.enter("echo $?") == "0\n"
    assert "Traceback" not in session.text


def check(session: Terminal, command: str, expected: str) -> None:
    """Type a command of the page, and compare what the screen shows with what the page says."""
    answers = {QUESTION: "yes"} if f"{QUESTION} yes" in expected else {}
    shown = session.enter(command, answers=answers, patience=100)
    assert session.enter("echo $?") == "0\n", f"{command}\n{shown}"
    assert shows(shown, expected), f"{command}\n{shown}"


@pytest.mark.parametrize(
    ("screen", "expected", "outcome"),
    [
        ("a b\nc", "a b c\n", True),
        ("a b\nc", "a\n...\nc\n", True),
        ("a b\nc", "...\nb c\n", True),
        ("a b\nc", "...\nb\n", False),
        ("a b\nc", "a c\n", False),
        ("", "", True),
        ("a", "", False),
    ],
)
def test_a_screen_that_differs_from_the_page_is_seen(screen: str, expected: str, outcome: bool) -> None:
    assert shows(screen, expected) is outcome
