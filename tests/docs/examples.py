"""Executes the ``console`` blocks of a page and compares what the commands print.

A page runs in a copy of the project that ``<!-- project: FOLDER -->`` names, by default examples/quickstart,
and against an emulator with the data of the project's ``emulator.yaml``. A ``yaml`` block whose first line is
a comment with a path (``# organizations/acme.yaml``) is written to that file when its turn comes. With
``<!-- project: FOLDER, anew in each section -->`` each section starts with a new copy and a new emulator.
"""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

from reconciler.emulator import read_seed
from tests.cli.estates import ROOT, quickstart_secrets
from tests.docs.pages import blocks, name_of, read, sections

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.docs.pages import Block
    from tests.support.workplace import CompletedRun, Workplace

_PROJECT = re.compile(r"<!-- project: ([\w/-]+)(, anew in each section)? -->")
_FILE = re.compile(r"# ([\w./-]+\.ya?ml)\n")
_ADDRESS = "http://127.0.0.1:8080"
_EDITS = {
    "globex": {
        "token_url": "https://login.microsoftonline.com/8f4e2a6c-3b1d-4c5e-9f70-1a2b3c4d5e6f/oauth2/token"
    }
}
_CHANGING = (
    (re.compile(r"-test-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "-test-ID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"after \d+s"), "after 0s"),
)


def scenarios(page: Path) -> list[list[Block]]:
    """Return the blocks that run one after the other: those of the page, or of each section."""
    steps = blocks(page, "console", "yaml")
    option = _PROJECT.search(read(page))
    starts = sections(page) if option and option[2] else [0]
    ends = [*starts[1:], len(read(page))]
    parts = [
        [block for block in steps if start <= block.line < end]
        for start, end in zip(starts, ends, strict=True)
    ]
    return [part for part in parts if any(block.language == "console" for block in part)]


def set_up(page: Path, place: Workplace, running: RunningEmulator) -> None:
    """Copy the page's project, seed the emulator, and set the credentials that the project needs."""
    option = _PROJECT.search(read(page))
    folder = ROOT / (option[1] if option else "examples/quickstart")
    place.use(running)
    if folder.name == "none":
        return
    shutil.copytree(folder, place.root, dirs_exist_ok=True)
    running.emulator.seed(read_seed(place.root / "emulator.yaml"))
    if folder.name == "quickstart":
        _point_to_emulator(place, running)
    else:
        for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
            place.delenv(name)


def play(page: Path, block: Block, place: Workplace, running: RunningEmulator) -> str:
    """Run a block; return its text with the output that the commands printed."""
    if block.language == "yaml":
        _write(block, place, running)
        return block.text
    return "".join(_step(page, block, *step, place) for step in _steps(block.text))


def is_met(expected: str, ended: CompletedRun) -> bool:
    """Compare expected output; a line of three dots matches any lines, ids and ports match any others."""
    expected = "\n" + expected.rstrip("\n")
    pieces = [re.escape(_steady(piece)) for piece in re.split(r"\n\.\.\.(?=\n|$)", expected)]
    pattern = re.compile(r"(?:\n.*)*?".join(pieces))
    return any(pattern.fullmatch("\n" + _steady(text).rstrip("\n")) for text in (ended.out, ended.err))


def _point_to_emulator(place: Workplace, running: RunningEmulator) -> None:
    """Use the emulator's identity provider for Initech, and set the secrets of the example."""
    project = place.root / "reconciler.yaml"
    idp = f"{running.base_url}/idp/initech"
    project.write_text(project.read_text().replace("https://sso.initech.example", idp))
    for name in quickstart_secrets(place.root):
        place.setenv(name, f"hidden {name}")


def _write(block: Block, place: Workplace, running: RunningEmulator) -> None:
    match = _FILE.match(block.text)
    if match is None:
        return
    file = place.write(match[1], block.text.replace(_ADDRESS, running.base_url))
    if file.name == "emulator.yaml":
        running.emulator.seed(read_seed(file))


def _steps(text: str) -> list[tuple[str, str]]:
    """Return each ``$ command`` with the lines that follow it."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not parts[0], "a console block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _step(page: Path, block: Block, command: str, expected: str, place: Workplace) -> str:
    """Run one command; return it with its output, which is the expected one if that matches."""
    if _changes_environment(command, place):
        return f"$ {command}\n{expected}"
    ended = _run(command, place)
    exit_code = re.search(r"# exit code (\d+)", command)
    assert ended.code == (int(exit_code[1]) if exit_code else 0), f"{command}\n{ended.output}"
    if "# then someone edits globex" in command:
        (connection,) = place.live("globex")
        place.emulator.edit_connection(connection["connection_id"], **_EDITS["globex"])
    if is_met(expected, ended):
        return f"$ {command}\n{expected}"
    assert "\n...\n" not in f"\n{expected}", f"{name_of(page)}:{block.line}: {command}\n{ended.output}"
    return f"$ {command}\n{ended.out or ended.err}"


def _changes_environment(command: str, place: Workplace) -> bool:
    """Carry out ``export A=1 B=2`` and ``unset A``; the page's emulator address means the running one."""
    verb, *words = shlex.split(command, comments=True)
    if verb == "unset":
        for name in words:
            place.delenv(name)
    elif verb == "export":
        for name, value in (word.split("=", 1) for word in words):
            if value != _ADDRESS:
                place.setenv(name, value)
    return verb in {"export", "unset"}


def _run(command: str, place: Workplace) -> CompletedRun:
    words = shlex.split(command, comments=True)
    assert words[0] == "reconciler", f"only `reconciler`, `export` and `unset` are executed, not {words[0]}"
    return place.run(*words[1:])


def _steady(text: str) -> str:
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text
